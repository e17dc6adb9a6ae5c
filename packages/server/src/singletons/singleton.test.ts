// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { makeSingleton } from "./singleton.ts";

function openStores(): readonly [Store, Store] {
  const journal = new MemoryJournal({ epoch: "e", alarm: new ManualAlarm().set });
  return [new MemoryStore(journal), new MemoryStore(journal)];
}

async function appear(store: Store, replica: string): Promise<void> {
  await store.transact({
    compares: [],
    writes: [{ kind: "put", key: `presence/${replica}/0`, value: "{}" }],
  });
}

describe("makeSingleton()", () => {
  it("gives the first that asks a guard that holds, and the same one again", async () => {
    const [store] = openStores();
    const singleton = makeSingleton("expiry", { store, replica: "r1" });
    const guard = await singleton.hold();
    assert.equal(guard?.key, "singleton/expiry");
    assert.deepEqual(await singleton.hold(), guard);
  });

  it("gives nobody else one while the owner is present", async () => {
    const [a, b] = openStores();
    await appear(a, "r1");
    await makeSingleton("expiry", { store: a, replica: "r1" }).hold();
    assert.equal(await makeSingleton("expiry", { store: b, replica: "r2" }).hold(), undefined);
  });

  it("goes to another one when the owner's presence is gone, and the owner's guard no longer holds", async () => {
    const [a, b] = openStores();
    const first = await makeSingleton("expiry", { store: a, replica: "r1" }).hold();
    const second = await makeSingleton("expiry", { store: b, replica: "r2" }).hold();
    assert.ok(first !== undefined && second !== undefined);
    const late = await a.transact({
      compares: [{ kind: "revision", ...first }],
      writes: [{ kind: "put", key: "claim/x", value: "{}" }],
    });
    assert.equal(late.kind, "conflict");
    const { documents } = await b.read({ key: "singleton/expiry" });
    assert.deepEqual(JSON.parse(documents[0]?.value ?? ""), { owner: "r2", term: 2 });
  });

  it("gives one of two that ask at once a guard", async () => {
    const [a, b] = openStores();
    const guards = await Promise.all([
      makeSingleton("expiry", { store: a, replica: "r1" }).hold(),
      makeSingleton("expiry", { store: b, replica: "r2" }).hold(),
    ]);
    assert.equal(guards.filter((guard) => guard !== undefined).length, 1);
  });
});
