// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditDocument } from "../documents/documents.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { auditWrite, listAudit } from "./audit-trail.ts";

const NOON: number = Date.UTC(2026, 10, 20, 12);
const DAY: number = 24 * 60 * 60 * 1000;

function entry(id: string, atMs: number): AuditDocument {
  return { id, atMs, principal: "olga", action: "host.cordon", target: "a" };
}

async function trail(...entries: readonly AuditDocument[]): Promise<MemoryStore> {
  const store = new MemoryStore(new MemoryJournal({ epoch: "test", alarm: new ManualAlarm().set }));
  await store.transact({ compares: [], writes: entries.map(auditWrite) });
  return store;
}

describe("auditWrite()", () => {
  it("files an entry under its day, in the order of time", () => {
    assert.equal(auditWrite(entry("x", NOON)).key, "audit/2026-11-20/1795176000000-x");
    assert.ok(auditWrite(entry("a", 999_999_999_999)).key < auditWrite(entry("a", 1_000_000_000_000)).key);
  });
});

describe("listAudit()", () => {
  it("answers oldest first, and shows what was absent as null", async () => {
    const store = await trail(entry("b", NOON), { ...entry("a", NOON - 1), before: 1, after: { x: 2 } });
    assert.deepEqual(await listAudit(store, { limit: 10 }), {
      items: [
        { ...entry("a", NOON - 1), before: 1, after: { x: 2 } },
        { ...entry("b", NOON), before: null, after: null },
      ],
    });
  });

  it("answers one day alone", async () => {
    const store = await trail(entry("a", NOON - DAY), entry("b", NOON), entry("c", NOON + DAY));
    const { items } = await listAudit(store, { day: "2026-11-20", limit: 10 });
    assert.deepEqual(
      items.map(({ id }) => id),
      ["b"],
    );
  });

  it("goes on where a page ended, over days, and ends", async () => {
    const store = await trail(...[0, 1, 2, 3, 4].map((at) => entry(`e${at}`, NOON + (at * DAY) / 2)));
    const seen: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 10; page += 1) {
      const { items, next } = await listAudit(store, { limit: 2, ...(after === undefined ? {} : { after }) });
      seen.push(...items.map(({ id }) => id));
      after = next;
      if (next === undefined) break;
    }
    assert.deepEqual(seen, ["e0", "e1", "e2", "e3", "e4"]);
    assert.equal(after, undefined);
  });
});
