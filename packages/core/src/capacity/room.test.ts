// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Occupant, Pool, PoolLaw, PoolType, Room } from "./pool.ts";
import { formatRoom, roomFor } from "./room.ts";
import { giveBack, take } from "./take.ts";

const exactly = (count: number): Room => ({ atLeast: count, atMost: count });

/** A pool of one parent `p` whose host says nothing, so that the law alone is asked. */
function lawPool(law: PoolLaw, types: readonly PoolType[], occupants: readonly Partial<Occupant>[] = []): Pool {
  return {
    host: "h",
    owner: { kind: "parent", id: "p" },
    law,
    origin: { kind: "declared", pack: "test" },
    parents: ["p"],
    types,
    occupants: occupants.map((occupant, index) => ({ id: `d${index}`, type: "", count: 1, parent: "p", ...occupant })),
    offers: types.map(({ type }) => ({ parent: "p", type })),
    changed: false,
  };
}

const DSA: readonly PoolType[] = [
  { type: "dsa-1dwq", consumption: { counters: { wq: 1 } } },
  { type: "dsa-2dwq", consumption: { counters: { wq: 2 } } },
];
const WQS: PoolLaw = { kind: "counters", total: { wq: exactly(30) } };

const GVT: readonly PoolType[] = (
  [
    [8, 64, 384],
    [4, 128, 512],
    [2, 256, 1024],
    [1, 512, 2048],
  ] as const
).map(([number, low, high]) => ({
  type: `i915-GVTg_V5_${number}`,
  consumption: { counters: { low, high, fence: 4 } },
}));
/** A GPU with 512 MiB of low and 4096 MiB of high graphics memory, 32 fences less the host's 4. */
const GVT_LAW: PoolLaw = { kind: "counters", total: { low: exactly(512), high: exactly(4096), fence: exactly(28) } };

/** Two types of one size, of which a GPU of any memory holds 32 at most. */
const ONE_SIZE: readonly PoolType[] = ["s", "t"].map((type) => ({
  type,
  consumption: { counters: { framebuffer: 1024 } },
  maxInstances: 32,
}));

/** A100: seven slices, MIG profiles as placements. */
const MIG: readonly PoolType[] = [
  { type: "mig-1g", consumption: { counters: {}, slots: { length: 1, starts: [0, 1, 2, 3, 4, 5, 6] } } },
  { type: "mig-2g", consumption: { counters: {}, slots: { length: 2, starts: [0, 2, 4] } } },
  { type: "mig-3g", consumption: { counters: {}, slots: { length: 4, starts: [0, 4] } } },
  { type: "mig-7g", consumption: { counters: {}, slots: { length: 8, starts: [0] } } },
];
const EIGHT: PoolLaw = { kind: "slots", slots: 8 };

describe("roomFor() ...", () => {
  const CASES: Record<string, { pool: Pool; type: string; count?: number; parent?: string; room: Room }> = {
    "takes one unit of each counter for a plain device": {
      pool: lawPool(WQS, DSA),
      type: "dsa-1dwq",
      room: exactly(30),
    },
    "takes N times for an aggregated device": {
      pool: lawPool(WQS, DSA),
      type: "dsa-1dwq",
      count: 30,
      room: exactly(1),
    },
    "takes N times the type's own amount": { pool: lawPool(WQS, DSA), type: "dsa-2dwq", count: 15, room: exactly(1) },
    "has no room for one unit more than there are": {
      pool: lawPool(WQS, DSA),
      type: "dsa-2dwq",
      count: 16,
      room: exactly(0),
    },
    "counts aggregated devices with all their units": {
      pool: lawPool(WQS, DSA, [
        { type: "dsa-2dwq", count: 10 },
        { type: "dsa-1dwq", count: 3 },
      ]),
      type: "dsa-1dwq",
      room: exactly(7),
    },
    "is limited by the scarcest counter: fences for the smallest GVT-g type": {
      pool: lawPool(GVT_LAW, GVT),
      type: "i915-GVTg_V5_8",
      room: exactly(7),
    },
    "is limited by the scarcest counter: low memory for a larger one": {
      pool: lawPool(GVT_LAW, GVT),
      type: "i915-GVTg_V5_4",
      room: exactly(4),
    },
    "is limited by the scarcest counter: high memory beside two others": {
      pool: lawPool({ kind: "counters", total: { low: exactly(512), high: exactly(1600), fence: exactly(28) } }, GVT, [
        { type: "i915-GVTg_V5_8" },
        { type: "i915-GVTg_V5_8" },
      ]),
      type: "i915-GVTg_V5_8",
      room: exactly(2),
    },
    "knows no end where a counter has no total": {
      pool: lawPool({ kind: "counters", total: {} }, DSA),
      type: "dsa-1dwq",
      room: { atLeast: 0, atMost: Infinity },
    },
    "has an interval where a total is one": {
      pool: lawPool({ kind: "counters", total: { wq: { atLeast: 4, atMost: 7 } } }, DSA),
      type: "dsa-2dwq",
      room: { atLeast: 2, atMost: 3 },
    },
    "has only an upper end beside a device of unknown type": {
      pool: lawPool(WQS, DSA, [{ type: "gone-1" }]),
      type: "dsa-2dwq",
      room: { atLeast: 0, atMost: 15 },
    },
    "never promises less than nothing of an overdrawn pool": {
      pool: lawPool(WQS, DSA, [{ type: "dsa-2dwq", count: 99 }]),
      type: "dsa-1dwq",
      room: exactly(0),
    },
    "has only an upper end beside a device of unknown size": {
      pool: lawPool({ kind: "one-size", totalMib: 16384 }, ONE_SIZE, [{ type: "gone-1" }, { type: "s" }]),
      type: "s",
      room: { atLeast: 0, atMost: 15 },
    },
    "counts all types of one size against max_instance": {
      pool: lawPool({ kind: "one-size", totalMib: 49152 }, ONE_SIZE, [{ type: "s" }, { type: "s" }]),
      type: "t",
      room: exactly(30),
    },
    "has seven places for the smallest MIG placement": { pool: lawPool(EIGHT, MIG), type: "mig-1g", room: exactly(7) },
    "finds placements, not amounts: five slots are free and none of four at 0 or 4": {
      pool: lawPool(EIGHT, MIG, [
        { type: "mig-1g", slot: 1 },
        { type: "mig-2g", slot: 4 },
      ]),
      type: "mig-3g",
      room: exactly(0),
    },
    "counts only starts that the type allows": {
      pool: lawPool(EIGHT, MIG, [{ type: "mig-1g", slot: 3 }]),
      type: "mig-2g",
      room: exactly(2),
    },
    "has only an upper end beside a device whose slot is not known": {
      pool: lawPool(EIGHT, MIG, [{ type: "mig-1g" }]),
      type: "mig-3g",
      room: { atLeast: 0, atMost: 1 },
    },
    "has no room for the largest beside a device anywhere": {
      pool: lawPool(EIGHT, MIG, [{ type: "mig-1g" }]),
      type: "mig-7g",
      room: exactly(0),
    },
    "promises no aggregated placement": {
      pool: lawPool(EIGHT, MIG),
      type: "mig-2g",
      count: 2,
      room: { atLeast: 0, atMost: 1 },
    },
    "ignores an absurd slot length": {
      pool: lawPool(
        EIGHT,
        [{ type: "t", consumption: { counters: {}, slots: { length: 1e9, starts: [0] } } }],
        [{ type: "t", slot: 0 }],
      ),
      type: "t",
      room: { atLeast: 0, atMost: Infinity },
    },
    "has room for as many devices as free units": {
      pool: lawPool({ kind: "units", units: ["a", "b", "c"] }, [{ type: "u" }], [{ type: "u", units: ["b"] }]),
      type: "u",
      room: exactly(2),
    },
    "is unlimited where nothing runs out and the host says nothing": {
      pool: {
        ...lawPool({ kind: "unbounded" }, [{ type: "u" }]),
        offers: [{ parent: "p", type: "u", available: Infinity }],
      },
      type: "u",
      room: exactly(Infinity),
    },
    "has no room at a parent of another pool": {
      pool: lawPool(WQS, DSA),
      type: "dsa-1dwq",
      parent: "q",
      room: exactly(0),
    },
    "has no room for a type that no parent offers": { pool: lawPool(WQS, DSA), type: "dsa-9dwq", room: exactly(0) },
    "has no room for more units than the driver aggregates": {
      pool: { ...lawPool(WQS, DSA), offers: [{ parent: "p", type: "dsa-1dwq", available: 30, maxAggregation: 20 }] },
      type: "dsa-1dwq",
      count: 21,
      room: exactly(0),
    },
    "does not believe old words of a pool that was changed by hand": {
      pool: {
        ...lawPool({ kind: "unknown", why: "nobody said" }, DSA),
        offers: [{ parent: "p", type: "dsa-1dwq", available: 5 }],
        changed: true,
      },
      type: "dsa-1dwq",
      room: { atLeast: 0, atMost: Infinity },
    },
  };
  for (const [name, { pool, room, ...request }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(roomFor(pool, request), room));
  }

  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    it(`refuses a count of ${count}`, () => {
      assert.throws(() => roomFor(lawPool(WQS, DSA), { type: "dsa-1dwq", count }), RangeError);
    });
  }

  it("treats types of an unbounded pool as independent, each limited by its own number", () => {
    const offers = [
      { parent: "p", type: "mdpy-hd", available: 4 },
      { parent: "p", type: "mdpy-vga", available: 3 },
    ];
    const pool = { ...lawPool({ kind: "unbounded" }, [{ type: "mdpy-hd" }, { type: "mdpy-vga" }]), offers };
    const answer = take(pool, { id: "d", type: "mdpy-hd", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(roomFor(answer.pool, { type: "mdpy-hd" }), exactly(3));
    assert.deepEqual(roomFor(answer.pool, { type: "mdpy-vga" }), exactly(3));
  });
});

describe("formatRoom() ...", () => {
  const unknown: PoolLaw = { kind: "unknown", why: "nobody said" };
  const CASES: Record<string, { room: Room; law?: PoolLaw; text: string }> = {
    "writes a known number": { room: exactly(4), text: "4" },
    "writes no room": { room: exactly(0), law: unknown, text: "0" },
    "writes an interval": { room: { atLeast: 0, atMost: 3 }, law: WQS, text: "0 to 3" },
    "writes an interval of an unknown law": {
      room: { atLeast: 0, atMost: 6 },
      law: unknown,
      text: "unknown (at most 6)",
    },
    "keeps a proved lower end under an unknown law": { room: { atLeast: 1, atMost: 6 }, law: unknown, text: "1 to 6" },
    "writes no upper end": { room: { atLeast: 2, atMost: Infinity }, text: "at least 2" },
    "writes no limit": { room: exactly(Infinity), text: "unlimited" },
    "writes nothing known": { room: { atLeast: 0, atMost: Infinity }, text: "unknown" },
  };
  for (const [name, { room, law, text }] of Object.entries(CASES)) {
    it(name, () => assert.equal(formatRoom(room, law), text));
  }
});

describe("take() ...", () => {
  const SHORT: Record<
    string,
    { pool: Pool; type: string; count?: number; units?: string[]; slot?: number; missing: object; why: RegExp }
  > = {
    "says how much of a counter is missing": {
      pool: lawPool(WQS, DSA, [{ type: "dsa-1dwq", count: 25 }]),
      type: "dsa-2dwq",
      count: 4,
      missing: { wq: 3 },
      why: /^wq is short of 3$/,
    },
    "says every counter that is missing": {
      pool: lawPool(GVT_LAW, GVT, [{ type: "i915-GVTg_V5_1" }]),
      type: "i915-GVTg_V5_1",
      count: 2,
      missing: { high: 2048, low: 1024 },
      why: /low is short of 1024; high is short of 2048/,
    },
    "says which size is in the way": {
      pool: lawPool(
        { kind: "one-size", totalMib: 16384 },
        [
          { type: "s", consumption: { counters: { framebuffer: 1024 } } },
          { type: "l", consumption: { counters: { framebuffer: 4096 } } },
        ],
        [{ type: "s" }],
      ),
      type: "l",
      missing: { framebuffer: 4096 },
      why: /one size at a time: s in it has 1024 MiB, l has 4096 MiB/,
    },
    "says which units are not free": {
      pool: lawPool(
        { kind: "units", units: ["01.0005", "01.0006"] },
        [{ type: "u" }],
        [{ type: "u", units: ["01.0006"] }],
      ),
      type: "u",
      units: ["01.0005", "01.0006", "09.0009"],
      missing: { units: 2 },
      why: /not free: 01\.0006, 09\.0009/,
    },
    "says that no placement is free": {
      pool: lawPool(EIGHT, MIG, [{ type: "mig-1g", slot: 0 }]),
      type: "mig-7g",
      missing: { slots: 8 },
      why: /no allowed start has 8 free slots/,
    },
    "refuses a slot that is taken": {
      pool: lawPool(EIGHT, MIG, [{ type: "mig-1g", slot: 1 }]),
      type: "mig-2g",
      slot: 0,
      missing: { slots: 1 },
      why: /mig-2g cannot sit at slot 0/,
    },
    "refuses a slot that the type does not allow": {
      pool: lawPool(EIGHT, MIG),
      type: "mig-2g",
      slot: 3,
      missing: { slots: 1 },
      why: /slot 3/,
    },
    "refuses an id twice": {
      pool: lawPool(WQS, DSA, [{ id: "new", type: "dsa-1dwq" }]),
      type: "dsa-1dwq",
      missing: { ids: 1 },
      why: /already/,
    },
    "says what the host offers": {
      pool: {
        ...lawPool({ kind: "unknown", why: "nobody said" }, DSA),
        offers: [{ parent: "p", type: "dsa-1dwq", available: 3 }],
      },
      type: "dsa-1dwq",
      count: 5,
      missing: { available_instances: 2 },
      why: /the host offers 3 of dsa-1dwq/,
    },
    "says that a parent is full": {
      pool: { ...lawPool(WQS, DSA, [{ type: "dsa-1dwq" }]), perParent: 1 },
      type: "dsa-1dwq",
      missing: { devices: 1 },
      why: /a parent holds 1 at most/,
    },
    "says what the driver holds at most": {
      pool: lawPool(WQS, [{ ...(DSA[0] as PoolType), maxInstances: 1 }], [{ type: "dsa-1dwq" }]),
      type: "dsa-1dwq",
      missing: { max_instance: 1 },
      why: /the driver holds 1 of dsa-1dwq at most/,
    },
  };
  for (const [name, { pool, missing, why, type, count = 1, units, slot }] of Object.entries(SHORT)) {
    it(name, () => {
      const named = { ...(units === undefined ? {} : { units }), ...(slot === undefined ? {} : { slot }) };
      const answer = take(pool, { id: "new", type, count, ...named });
      assert.ok(answer.kind === "short", answer.kind);
      assert.deepEqual(answer.missing, missing);
      assert.match(answer.why, why);
    });
  }

  it("sits at the slot that leaves most room to the largest types", () => {
    const answer = take(lawPool(EIGHT, MIG, [{ type: "mig-1g", slot: 4 }]), { id: "n", type: "mig-1g", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.equal(answer.occupant.slot, 5);
  });

  it("names no slot where a device may sit anywhere, and takes a named one only where it is proved", () => {
    const offers = [{ parent: "p", type: "mig-2g", available: 2 }];
    const pool = { ...lawPool(EIGHT, MIG, [{ type: "mig-1g" }]), offers };
    const answer = take(pool, { id: "n", type: "mig-2g", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.equal("slot" in answer.occupant, false);
    assert.equal(take(pool, { id: "n", type: "mig-2g", count: 1, slot: 2 }).kind, "unknown");
  });

  it("sees that a device came back at another slot", () => {
    const pool = lawPool(EIGHT, MIG, [{ type: "mig-2g", slot: 0 }]);
    const gone = giveBack(pool, "d0") as Pool;
    const same = take(gone, { id: "d0", type: "mig-2g", count: 1, slot: 0 });
    const moved = take(gone, { id: "d0", type: "mig-2g", count: 1, slot: 2 });
    assert.ok(same.kind === "taken" && moved.kind === "taken");
    assert.deepEqual([same.pool.changed, moved.pool.changed], [false, true]);
  });

  it("takes the first free units where none are named", () => {
    const law: PoolLaw = { kind: "units", units: ["c", "a", "b"] };
    const answer = take(lawPool(law, [{ type: "u" }], [{ type: "u", units: ["a"] }]), { id: "n", type: "u", count: 2 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(answer.occupant.units, ["b", "c"]);
  });

  it("does not know where nothing is proved, and says why", () => {
    const answer = take(lawPool({ kind: "unknown", why: "nobody said" }, DSA), { id: "n", type: "dsa-1dwq", count: 1 });
    assert.deepEqual(answer, { kind: "unknown", why: "nobody said" });
  });

  it("leaves an upper end open once a device that the host showed is given back", () => {
    const offers = [{ parent: "p", type: "dsa-1dwq", available: 3 }];
    const pool = {
      ...lawPool({ kind: "unknown", why: "nobody said" }, DSA, [{ type: "dsa-2dwq" }, { type: "dsa-1dwq" }]),
      offers,
    };
    const other = giveBack(pool, "d0");
    assert.deepEqual(roomFor(other as Pool, { type: "dsa-1dwq" }), { atLeast: 3, atMost: Infinity });
    const same = giveBack(pool, "d1");
    assert.deepEqual(roomFor(same as Pool, { type: "dsa-1dwq" }), { atLeast: 4, atMost: Infinity });
  });
});
