// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ReadRequest, Store } from "../store/store.ts";
import { findNews, listDocuments, type Listing } from "./list-documents.ts";
import { storeWith } from "./test-replica.ts";
import { deleteDocument, openTestStore, putAgent, putCordon, putDocument, putPresence } from "./test-store.ts";

/** A store in which something happens right after the first page of a prefix was read. */
function storeWhere(store: Store, happens: { readonly after: string; readonly change: () => Promise<unknown> }): Store {
  let isDue = true;
  const read = async (request: ReadRequest): ReturnType<Store["read"]> => {
    const answer = await store.read(request);
    if (isDue && request.key === happens.after) {
      isDue = false;
      await happens.change();
    }
    return answer;
  };
  return storeWith(store, { read });
}

function keysOf({ documents }: Listing): readonly string[] {
  return documents.map(({ key }) => key);
}

describe("listDocuments()", () => {
  it("lists all that a replica keeps, in as many pages as it takes", async () => {
    const test = openTestStore();
    const agents = Array.from({ length: 600 }, (_, at) => putAgent(`n${String(at).padStart(4, "0")}`));
    for (let at = 0; at < agents.length; at += 60) await test.write(agents.slice(at, at + 60));
    await test.write(putCordon("a"), putPresence("r2", []), putDocument("audit", "day/1", {}));
    const listing = await listDocuments(test.store);
    assert.deepEqual(keysOf(listing), [...agents.map(({ key }) => key), "cordon/a", "presence/r2/1"]);
    assert.deepEqual([listing.cursor, listing.newest], [{ epoch: "test", revision: 11 }, 11]);
  });

  it("leaves out what is newer than the cursor, and says that it is there", async () => {
    const test = openTestStore();
    await test.write(putAgent("a"), putAgent("b"), putCordon("a"));
    const change = async (): Promise<void> => {
      await test.write(putCordon("a"), putCordon("b"));
      await test.write(deleteDocument("agent", "a"));
    };
    const listing = await listDocuments(storeWhere(test.store, { after: "agent/", change }));
    assert.deepEqual(keysOf(listing), ["agent/a", "agent/b"]);
    assert.deepEqual([...listing.keys], ["agent/a", "agent/b", "cordon/a", "cordon/b"]);
    assert.deepEqual([listing.cursor.revision, listing.newest], [1, 2]);
  });
});

describe("findNews()", () => {
  it("tells what is newer and what is gone, and leaves what is written meanwhile to the watch", async () => {
    const test = openTestStore();
    await test.write(putAgent("same"), putAgent("old"), putCordon("moving"));
    await test.write(putAgent("old"), putAgent("new"));
    const change = (): Promise<unknown> => test.write(putCordon("moving"));
    const listing = await listDocuments(storeWhere(test.store, { after: "agent/", change }));
    const known = new Map([
      ["agent/same", 1],
      ["agent/old", 1],
      ["agent/gone", 1],
      ["cordon/moving", 1],
    ]);
    const news = findNews(known, listing);
    assert.deepEqual(
      news.map((change) => (change.kind === "put" ? change.document.key : `-${change.key}`)),
      ["agent/new", "agent/old", "-agent/gone"],
    );
  });
});
