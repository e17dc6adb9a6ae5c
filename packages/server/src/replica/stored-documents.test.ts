// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change, Revision } from "../store/store.ts";
import { splitKey, StoredDocuments } from "./stored-documents.ts";

function putAt(revision: Revision, reason: string): Change {
  const value = JSON.stringify({ host: "a", principal: "test", atMs: 0, reason });
  return { kind: "put", document: { key: "cordon/a", value, revision, created: 1 } };
}

function deleteAt(revision: Revision): Change {
  return { kind: "delete", key: "cordon/a", revision };
}

const CASES: Readonly<Record<string, { readonly changes: readonly Change[]; readonly reason: string | undefined }>> = {
  "takes a newer document": { changes: [putAt(4, "old"), putAt(5, "new")], reason: "new" },
  "lets an older document pass": { changes: [putAt(5, "new"), putAt(4, "old")], reason: "new" },
  "lets the same revision pass when it is told twice": {
    changes: [putAt(5, "new"), putAt(5, "told twice")],
    reason: "new",
  },
  "takes a newer deletion": { changes: [putAt(5, "new"), deleteAt(6)], reason: undefined },
  "lets an older deletion pass": { changes: [putAt(5, "new"), deleteAt(4)], reason: "new" },
  "takes what is written again after a deletion": {
    changes: [putAt(4, "old"), deleteAt(5), putAt(6, "new")],
    reason: "new",
  },
};

describe("take()", () => {
  for (const [does, { changes, reason }] of Object.entries(CASES)) {
    it(does, () => {
      const documents = new StoredDocuments();
      for (const change of changes) documents.take([change]);
      assert.equal(documents.cordon.find("a")?.document.reason, reason);
    });
  }

  it("answers what changed, by kind, and nothing else", () => {
    const documents = new StoredDocuments();
    const touched = documents.take([putAt(5, "new"), { kind: "delete", key: "agent/a", revision: 5 }]);
    const named = Object.entries(touched).flatMap(([kind, names]) => [...names].map((name) => `${kind}/${name}`));
    assert.deepEqual(named, ["cordon/a"]);
    assert.equal(documents.take([putAt(4, "old")]).cordon.size, 0);
  });
});

describe("splitKey()", () => {
  it("tells kind and name of what is kept, and leaves out the rest", () => {
    const keys = ["claim/c1", "presence/r1/2", "audit/day/1", "claimant/c1", "singleton/x", "inventory/__proto__"];
    assert.deepEqual(keys.map(splitKey), [
      { kind: "claim", name: "c1" },
      { kind: "presence", name: "r1/2" },
      undefined,
      undefined,
      undefined,
      { kind: "inventory", name: "__proto__" },
    ]);
  });
});
