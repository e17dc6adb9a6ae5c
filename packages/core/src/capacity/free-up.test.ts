// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findBlockers } from "./free-up.ts";
import type { Blockers } from "./free-up.ts";
import type { Occupant, Pool, PoolLaw, PoolType } from "./pool.ts";

const SIZES: readonly PoolType[] = [2048, 4096].flatMap((size) =>
  ["q", "c"].map((series) => ({ type: `${size / 1024}${series}`, consumption: { counters: { framebuffer: size } } })),
);
const GPU: PoolLaw = { kind: "one-size", totalMib: 8192 };
const PORTS: PoolLaw = { kind: "counters", total: { ports: { atLeast: 8, atMost: 8 } } };
const MTTY: readonly PoolType[] = [1, 2, 4].map((ports) => ({
  type: `mtty-${ports}`,
  consumption: { counters: { ports } },
}));
const SLOTS: PoolLaw = { kind: "slots", slots: 8 };
const MIG: readonly PoolType[] = [
  { type: "mig-1g", consumption: { counters: {}, slots: { length: 1, starts: [0, 1, 2, 3, 4, 5, 6, 7] } } },
  { type: "mig-2g", consumption: { counters: {}, slots: { length: 2, starts: [0, 2, 4, 6] } } },
  { type: "mig-3g", consumption: { counters: {}, slots: { length: 4, starts: [0, 4] } } },
];

function poolOf(law: PoolLaw, types: readonly PoolType[], occupants: readonly Partial<Occupant>[]): Pool {
  return {
    host: "h",
    owner: { kind: "parent", id: "p" },
    law,
    origin: { kind: "unknown" },
    parents: ["p", "q"],
    types,
    occupants: occupants.map((occupant, index) => ({ id: `d${index}`, type: "", count: 1, parent: "p", ...occupant })),
    offers: types.flatMap(({ type }) => ["p", "q"].map((parent) => ({ parent, type }))),
    changed: false,
  };
}

function times(count: number, occupant: Partial<Occupant>): readonly Partial<Occupant>[] {
  return Array.from({ length: count }, () => occupant);
}

describe("findBlockers() ...", () => {
  const CASES: Record<string, { pool: Pool; type: string; parent?: string; count?: number; blockers: Blockers }> = {
    "finds nothing in the way of what fits": {
      pool: poolOf(GPU, SIZES, [{ type: "2q" }]),
      type: "2c",
      blockers: { kind: "none" },
    },
    "frees one of the very type in a full GPU": {
      pool: poolOf(GPU, SIZES, [{ type: "2c" }, { type: "2q" }, { type: "2c" }, { type: "2c" }]),
      type: "2q",
      blockers: { kind: "free", count: 1, type: "2q", occupants: ["d1"] },
    },
    "empties a GPU of another size": {
      pool: poolOf(GPU, SIZES, [{ type: "2q" }, { type: "2c" }]),
      type: "4q",
      blockers: { kind: "empty", types: ["2c", "2q"], occupants: ["d0", "d1"] },
    },
    "empties a GPU of the one device of another size": {
      pool: poolOf(GPU, SIZES, [{ type: "4q" }]),
      type: "2q",
      blockers: { kind: "empty", types: ["4q"], occupants: ["d0"] },
    },
    "frees as many of one type as it takes": {
      pool: poolOf(PORTS, MTTY, times(4, { type: "mtty-2" })),
      type: "mtty-4",
      blockers: { kind: "free", count: 2, type: "mtty-2", occupants: ["d0", "d1"] },
    },
    "frees one large device rather than several small ones": {
      pool: poolOf(PORTS, MTTY, [...times(4, { type: "mtty-1" }), { type: "mtty-4" }]),
      type: "mtty-2",
      blockers: { kind: "free", count: 1, type: "mtty-4", occupants: ["d4"] },
    },
    "frees the device with the most units": {
      pool: poolOf(PORTS, MTTY, [{ type: "mtty-1" }, { type: "mtty-1", count: 7 }]),
      type: "mtty-1",
      count: 7,
      blockers: { kind: "free", count: 1, type: "mtty-1", occupants: ["d1"] },
    },
    "names several types where one alone does not do": {
      pool: poolOf(PORTS, MTTY, [{ type: "mtty-4" }, ...times(2, { type: "mtty-2" })]),
      type: "mtty-4",
      count: 2,
      blockers: { kind: "empty", types: ["mtty-2", "mtty-4"], occupants: ["d0", "d1", "d2"] },
    },
    "frees the window with the fewest devices": {
      pool: poolOf(SLOTS, MIG, [
        { type: "mig-1g", slot: 0 },
        { type: "mig-1g", slot: 3 },
        { type: "mig-2g", slot: 6 },
      ]),
      type: "mig-3g",
      blockers: { kind: "free", count: 1, type: "mig-2g", occupants: ["d2"] },
    },
    "finds the emptiest window though its devices are of two types": {
      pool: poolOf(SLOTS, MIG, [
        { type: "mig-1g", slot: 0 },
        { type: "mig-1g", slot: 1 },
        { type: "mig-1g", slot: 2 },
        { type: "mig-1g", slot: 4 },
        { type: "mig-2g", slot: 6 },
      ]),
      type: "mig-3g",
      blockers: { kind: "empty", types: ["mig-1g", "mig-2g"], occupants: ["d3", "d4"] },
    },
    "names only what must go": {
      pool: poolOf(PORTS, MTTY, [{ type: "mtty-1" }, { type: "mtty-2" }, { type: "mtty-4" }, { type: "mtty-1" }]),
      type: "mtty-2",
      count: 3,
      blockers: { kind: "empty", types: ["mtty-2", "mtty-4"], occupants: ["d1", "d2"] },
    },
    "names what shares a window": {
      pool: poolOf(SLOTS, MIG, [
        { type: "mig-3g", slot: 0, id: "a" },
        { type: "mig-1g", slot: 4, id: "b" },
        { type: "mig-2g", slot: 6, id: "c" },
      ]),
      type: "mig-3g",
      blockers: { kind: "free", count: 1, type: "mig-3g", occupants: ["a"] },
    },
    "frees the device at the parent that is asked for": {
      pool: { ...poolOf(GPU, SIZES, [{ type: "4q", parent: "q" }, { type: "4q" }]), perParent: 1 },
      type: "4q",
      parent: "p",
      blockers: { kind: "free", count: 1, type: "4q", occupants: ["d1"] },
    },
    "frees the holder of the named units": {
      pool: poolOf(
        { kind: "units", units: ["a", "b"] },
        [{ type: "u" }],
        [
          { type: "u", units: ["a"] },
          { type: "u", units: ["b"] },
        ],
      ),
      type: "u",
      blockers: { kind: "free", count: 1, type: "u", occupants: ["d0"] },
    },
    "finds nothing that would help where the type is larger than the pool": {
      pool: poolOf(PORTS, MTTY, [{ type: "mtty-1" }]),
      type: "mtty-4",
      count: 3,
      blockers: { kind: "impossible", why: "even the empty pool has no room for mtty-4 x 3" },
    },
    "finds nothing that would help at a parent of another pool": {
      pool: poolOf(PORTS, MTTY, [{ type: "mtty-1" }]),
      type: "mtty-1",
      parent: "r",
      blockers: { kind: "impossible", why: "even the empty pool has no room for mtty-1 x 1" },
    },
    "does not know what helps where room itself is not known": {
      pool: poolOf({ kind: "unknown", why: "nobody said" }, MTTY, [{ type: "mtty-1" }]),
      type: "mtty-1",
      blockers: { kind: "unknown", why: "nobody said" },
    },
  };
  for (const [name, { pool, blockers, ...request }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(findBlockers(pool, request), blockers));
  }

  it("knows without a law only that another of the same type fits in its place", () => {
    const offers = ["mtty-1", "mtty-2"].map((type) => ({ parent: "p", type, available: 0 }));
    const pool = { ...poolOf({ kind: "unknown", why: "nobody said" }, MTTY, [{ type: "mtty-1" }]), offers };
    assert.deepEqual(findBlockers(pool, { type: "mtty-1" }), {
      kind: "free",
      count: 1,
      type: "mtty-1",
      occupants: ["d0"],
    });
    assert.deepEqual(findBlockers(pool, { type: "mtty-2" }), { kind: "unknown", why: "nobody said" });
  });

  it("stays quick on a host with thousands of devices", () => {
    const pool = poolOf(
      { kind: "counters", total: { ports: { atLeast: 4000, atMost: 4000 } } },
      MTTY,
      times(4000, { type: "mtty-1" }),
    );
    const found = findBlockers(pool, { type: "mtty-4" });
    assert.ok(found.kind === "free");
    assert.equal(found.count, 4);
  });
});
