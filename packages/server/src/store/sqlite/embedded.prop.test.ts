// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, test } from "node:test";
import * as fc from "fast-check";

import { ManualAlarm } from "../memory/manual-alarm.ts";
import { MemoryJournal } from "../memory/memory-journal.ts";
import type { Compare, Transaction, Write } from "../store.ts";
import { openForWriting } from "./database-file.ts";
import { GroupWriter } from "./group-writer.ts";
import { LogReader } from "./log-reader.ts";
import type { GroupItem } from "./worker-messages.ts";

const KEYS = ["a", "a/1", "a/2", "b", "constructor", "~"];
const keys = fc.constantFrom(...KEYS);
const compares = fc.oneof(
  fc.record({ kind: fc.constant("revision" as const), key: keys, revision: fc.nat({ max: 12 }) }),
  fc.record({ kind: fc.constant("absent" as const), key: keys }),
) satisfies fc.Arbitrary<Compare>;
const writes = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key: keys, value: fc.json() }),
  fc.record({ kind: fc.constant("delete" as const), key: keys }),
) satisfies fc.Arbitrary<Write>;
const transactions: fc.Arbitrary<Transaction> = fc.record({
  compares: fc.array(compares, { maxLength: 2 }),
  writes: fc.uniqueArray(writes, { maxLength: 4, selector: ({ key }) => key }),
});

function itemOf({ compares: asked, writes: all }: Transaction): GroupItem {
  return {
    kind: "transact",
    compares: asked,
    writes: all.map((write) => (write.kind === "put" ? { ...write, lease: null } : write)),
  };
}

describe("the embedded store", () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "berth-store-"));
  const database = openForWriting(path.join(directory, "store.sqlite"), "here");
  database.exec("PRAGMA synchronous = OFF");

  test("S1: answers and remembers as the store in memory does, however transactions share commits", () => {
    fc.assert(
      fc.property(fc.array(fc.array(transactions, { maxLength: 5 }), { maxLength: 6 }), fc.nat(), (groups, seed) => {
        database.exec("DELETE FROM log; DELETE FROM document; UPDATE fact SET value = '0' WHERE name = 'compacted'");
        const writer = new GroupWriter(database);
        const journal = new MemoryJournal({ epoch: "here", alarm: new ManualAlarm().set });
        for (const group of groups) {
          const expected = group.map((transaction) => journal.transact(transaction));
          assert.deepEqual(writer.commit(group.map(itemOf)), { outcomes: expected, revision: journal.revision });
        }
        const at = seed % (journal.revision + 1);
        journal.compact(at);
        writer.commit([{ kind: "compact", revision: at, count: 1000 }]);
        const reader = new LogReader(database);
        for (const prefix of ["", "a", "a/"]) {
          for (let after = 0; after <= journal.revision + 1; after += 1) {
            assert.deepEqual(reader.readLog(after, prefix), journal.readLog(after, prefix));
          }
          for (const request of [{}, { limit: 1 }, { limit: 2, after: "a/1" }, { after: "a" }]) {
            const asked = { key: prefix, prefix: true, ...request } as const;
            const { documents, more } = reader.read(asked);
            assert.deepEqual({ documents, more }, journal.read(asked));
          }
        }
      }),
      { numRuns: 60 },
    );
    database.close();
    fs.rmSync(directory, { recursive: true });
  });
});
