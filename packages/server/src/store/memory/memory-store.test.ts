// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { testStore } from "../store.contract.ts";
import { ManualAlarm } from "./manual-alarm.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { MemoryStore } from "./memory-store.ts";

testStore("the store in memory", async () => {
  const alarm = new ManualAlarm();
  const journal = new MemoryJournal({ epoch: "here", alarm: alarm.set });
  let store = new MemoryStore(journal);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = new MemoryStore(journal);
      return store;
    },
    advance: async (ms) => alarm.advance(ms),
    close: () => store.close(),
  };
});

const WRITE = { compares: [], writes: [{ kind: "put", key: "p/a", value: "1" }] } as const;

describe("a simulation", () => {
  const journalOf = (): MemoryJournal => new MemoryJournal({ epoch: "here", alarm: new ManualAlarm().set });

  test("opens several replicas on one journal, and a watch of one sees what another wrote", async () => {
    const journal = journalOf();
    const [one, other] = [new MemoryStore(journal), new MemoryStore(journal)];
    const { signal } = new AbortController();
    const watch = one.watch({ prefix: "", from: { epoch: "here", revision: 0 }, signal })[Symbol.asyncIterator]();
    const next = watch.next();
    await other.transact(WRITE);
    assert.equal((await next).value?.cursor.revision, 1);
    await other.close();
    assert.equal((await one.read({ key: "p/a" })).documents.length, 1);
  });

  test("loses a request before its effect, or the answer after it", async () => {
    for (const lost of ["before", "after"]) {
      const journal = journalOf();
      const store = new MemoryStore(journal, async (moment) => {
        if (moment === lost) throw new Error("lost");
      });
      await assert.rejects(store.transact(WRITE), { message: "lost" });
      assert.equal(journal.revision, lost === "after" ? 1 : 0);
    }
  });
});

describe("ManualAlarm", () => {
  test("rings what falls due, earliest first, and what is set meanwhile", () => {
    const alarm = new ManualAlarm();
    const rung: string[] = [];
    alarm.set(30, () => rung.push("30"));
    alarm.set(10, () => {
      rung.push("10");
      alarm.set(10, () => rung.push("10+10"));
    });
    const cancel = alarm.set(20, () => rung.push("cancelled"));
    cancel();
    alarm.advance(29);
    assert.deepEqual(rung, ["10", "10+10"]);
    alarm.advance(1);
    assert.deepEqual(rung, ["10", "10+10", "30"]);
  });
});
