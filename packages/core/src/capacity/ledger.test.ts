// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { applyLedger } from "./ledger.ts";
import type { Occupant, Pool, PoolLaw, PoolType } from "./pool.ts";
import { roomFor } from "./room.ts";

function poolOf([law, type]: readonly [PoolLaw, PoolType], occupants: readonly Occupant[], available: number): Pool {
  return {
    host: "h",
    owner: { kind: "parent", id: "p" },
    law,
    origin: { kind: "unknown" },
    parents: ["p"],
    types: [type],
    occupants,
    offers: [{ parent: "p", type: type.type, available }],
    changed: false,
  };
}

const WQ: PoolType = { type: "dsa-1dwq", consumption: { counters: { wq: 1 } } };
const WQS: PoolLaw = { kind: "counters", total: { wq: { atLeast: 30, atMost: 30 } } };
const MIG: PoolType = { type: "mig-2g", consumption: { counters: {}, slots: { length: 2, starts: [0, 2, 4, 6] } } };
const UNITS: PoolLaw = { kind: "units", units: ["a", "b", "c", "d"] };

function device(id: string, type: string, rest: Partial<Occupant> = {}): Occupant {
  return { id, type, count: 1, parent: "p", ...rest };
}

describe("applyLedger() ...", () => {
  const shown = device("a", "dsa-1dwq");
  const CASES: Record<string, { pool: Pool; claims: readonly Occupant[]; room: number; units?: readonly string[] }> = {
    "subtracts a claim that the host does not show": {
      pool: poolOf([WQS, WQ], [shown], 29),
      claims: [device("b", "dsa-1dwq", { count: 9 })],
      room: 20,
    },
    "does not count a claim twice whose device is there": {
      pool: poolOf([WQS, WQ], [shown], 29),
      claims: [shown],
      room: 29,
    },
    "matches by id, not by count: another device of the type is not the claimed one": {
      pool: poolOf([WQS, WQ], [device("stranger", "dsa-1dwq")], 29),
      claims: [device("mine", "dsa-1dwq")],
      room: 28,
    },
    "counts the units that a shown device has yet to grow by": {
      pool: poolOf([WQS, WQ], [shown], 29),
      claims: [device("a", "dsa-1dwq", { count: 30 })],
      room: 0,
    },
    "does not shrink a device to its claim": {
      pool: poolOf([WQS, WQ], [device("a", "dsa-1dwq", { count: 10 })], 20),
      claims: [shown],
      room: 20,
    },
    "leaves claims on other parents out": {
      pool: poolOf([WQS, WQ], [], 30),
      claims: [device("b", "dsa-1dwq", { parent: "q" })],
      room: 30,
    },
    "counts a claim once that is listed twice": {
      pool: poolOf([WQS, WQ], [], 30),
      claims: [device("b", "dsa-1dwq"), device("b", "dsa-1dwq")],
      room: 29,
    },
    "matches a claim by its slot": {
      pool: poolOf([{ kind: "slots", slots: 8 }, MIG], [device("x", "mig-2g", { slot: 4 })], 3),
      claims: [device("b", "mig-2g", { slot: 4 })],
      room: 3,
    },
    "subtracts a claim at another slot": {
      pool: poolOf([{ kind: "slots", slots: 8 }, MIG], [device("x", "mig-2g", { slot: 4 })], 3),
      claims: [device("b", "mig-2g", { slot: 2 })],
      room: 2,
    },
    "learns the slot of a shown device from its claim": {
      pool: poolOf([{ kind: "slots", slots: 8 }, MIG], [device("b", "mig-2g")], 3),
      claims: [device("b", "mig-2g", { slot: 2 })],
      room: 3,
    },
    "matches a claim by its units": {
      pool: poolOf([UNITS, { type: "u" }], [device("x", "u", { units: ["a", "b"] })], 9),
      claims: [device("y", "u", { units: ["b"] })],
      room: 2,
    },
    "holds the units of a claim that no device holds yet": {
      pool: poolOf([UNITS, { type: "u" }], [device("x", "u", { units: ["a"] })], 9),
      claims: [device("y", "u", { units: ["a", "b"] })],
      room: 2,
    },
    "adds the units that a shown device has yet to be given": {
      pool: poolOf([UNITS, { type: "u" }], [device("x", "u", { units: ["a"] })], 9),
      claims: [device("x", "u", { units: ["a", "d"] })],
      room: 2,
    },
  };
  for (const [name, { pool, claims, room }] of Object.entries(CASES)) {
    const type = pool.types[0]?.type ?? "";
    it(name, () => {
      assert.deepEqual(roomFor(applyLedger(pool, claims), { type }), { atLeast: room, atMost: room });
    });
    it(`${name}, and no more when applied again`, () => {
      const once = applyLedger(pool, claims);
      assert.deepEqual(applyLedger(once, claims), once);
    });
  }

  it("learns the slot of a shown device, which is no change of it", () => {
    const pool = poolOf([{ kind: "slots", slots: 8 }, MIG], [device("b", "mig-2g")], 3);
    const after = applyLedger(pool, [device("b", "mig-2g", { slot: 2 })]);
    assert.equal(after.occupants[0]?.slot, 2);
    assert.equal(after.changed, false);
  });

  it("leaves an unclaimed pool unchanged", () => {
    const pool = poolOf([WQS, WQ], [shown], 29);
    assert.equal(applyLedger(pool, []).changed, false);
    assert.equal(applyLedger(pool, [shown]).changed, false);
  });

  it("says that the numbers no longer hold, also where a device only grew", () => {
    const pool = poolOf([WQS, WQ], [shown], 29);
    assert.equal(applyLedger(pool, [device("b", "dsa-1dwq")]).changed, true);
    assert.equal(applyLedger(pool, [device("a", "dsa-1dwq", { count: 2 })]).changed, true);
  });
});
