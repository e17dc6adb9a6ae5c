// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findFragmentation } from "./fragmentation.ts";
import type { Occupant, Pool, PoolLaw, PoolType } from "./pool.ts";

const SIZES: readonly PoolType[] = [1024, 2048, 4096, 8192, 16384].map((size) => ({
  type: `a2-${size / 1024}q`,
  consumption: { counters: { framebuffer: size } },
  maxInstances: 16384 / size,
}));
const GPU: PoolLaw = { kind: "one-size", totalMib: 16384 };
const MIG: readonly PoolType[] = [
  { type: "mig-1g", consumption: { counters: {}, slots: { length: 1, starts: [0, 1, 2, 3, 4, 5, 6] } } },
  { type: "mig-2g", consumption: { counters: {}, slots: { length: 2, starts: [0, 2, 4] } } },
  { type: "mig-3g", consumption: { counters: {}, slots: { length: 4, starts: [0, 4] } } },
];

function poolOf(law: PoolLaw, types: readonly PoolType[], occupants: readonly Partial<Occupant>[]): Pool {
  return {
    host: "h",
    owner: { kind: "parent", id: "p" },
    law,
    origin: { kind: "unknown" },
    parents: ["p"],
    types,
    occupants: occupants.map((occupant, index) => ({ id: `d${index}`, type: "", count: 1, parent: "p", ...occupant })),
    offers: [],
    changed: false,
  };
}

describe("findFragmentation() ...", () => {
  it("finds every other size blocked by one small device", () => {
    assert.deepEqual(findFragmentation(poolOf(GPU, SIZES, [{ type: "a2-1q" }])), {
      kind: "measured",
      unit: "MiB",
      freeTotal: 15360,
      largestType: { type: "a2-1q", size: 1024 },
      stranded: 0,
      blocked: [
        { type: "a2-2q", size: 2048, byAmount: 7, fits: 0 },
        { type: "a2-4q", size: 4096, byAmount: 3, fits: 0 },
        { type: "a2-8q", size: 8192, byAmount: 1, fits: 0 },
      ],
    });
  });

  it("finds nothing blocked in an empty pool", () => {
    const found = findFragmentation(poolOf(GPU, SIZES, []));
    assert.deepEqual(found, {
      kind: "measured",
      unit: "MiB",
      freeTotal: 16384,
      largestType: { type: "a2-16q", size: 16384 },
      stranded: 0,
      blocked: [],
    });
  });

  it("finds what no device of the one size can use", () => {
    const types = SIZES.map((type) => ({ ...type, maxInstances: 16 }));
    const found = findFragmentation(poolOf({ kind: "one-size", totalMib: 11264 }, types, [{ type: "a2-4q" }]));
    assert.ok(found.kind === "measured");
    assert.deepEqual([found.freeTotal, found.stranded, found.largestType?.type], [7168, 3072, "a2-4q"]);
  });

  it("finds slots that one type cannot use and another can", () => {
    const pool = poolOf({ kind: "slots", slots: 8 }, MIG.slice(1), [{ type: "mig-2g", slot: 2 }]);
    assert.deepEqual(findFragmentation(pool), {
      kind: "measured",
      unit: "slots",
      freeTotal: 6,
      largestType: { type: "mig-3g", size: 4 },
      stranded: 0,
      blocked: [{ type: "mig-2g", size: 2, byAmount: 3, fits: 2 }],
    });
  });

  it("finds a type blocked by place and the slots that nobody can use", () => {
    const occupants = [
      { type: "mig-1g", slot: 1 },
      { type: "mig-1g", slot: 5 },
    ];
    assert.deepEqual(findFragmentation(poolOf({ kind: "slots", slots: 8 }, MIG, occupants)), {
      kind: "measured",
      unit: "slots",
      freeTotal: 6,
      largestType: { type: "mig-2g", size: 2 },
      stranded: 1,
      blocked: [
        { type: "mig-1g", size: 1, byAmount: 6, fits: 5 },
        { type: "mig-2g", size: 2, byAmount: 3, fits: 1 },
        { type: "mig-3g", size: 4, byAmount: 1, fits: 0 },
      ],
    });
  });

  it("covers free slots by the best mix, not by the first fit", () => {
    const types: readonly PoolType[] = [
      { type: "three", consumption: { counters: {}, slots: { length: 3, starts: [1] } } },
      { type: "two", consumption: { counters: {}, slots: { length: 2, starts: [0, 2] } } },
    ];
    const found = findFragmentation(poolOf({ kind: "slots", slots: 4 }, types, []));
    assert.ok(found.kind === "measured");
    assert.equal(found.stranded, 0);
  });

  const UNMEASURED: Record<string, { pool: Pool; why: RegExp }> = {
    "does not measure what has no places": { pool: poolOf({ kind: "unbounded" }, [], []), why: /law unbounded/ },
    "does not measure an unknown law": {
      pool: poolOf({ kind: "unknown", why: "nobody said" }, [], []),
      why: /nobody said/,
    },
    "does not measure beside a device of unknown size": { pool: poolOf(GPU, SIZES, [{}]), why: /size of a device/ },
    "does not measure beside a device of unknown slot": {
      pool: poolOf({ kind: "slots", slots: 8 }, MIG, [{ type: "mig-1g" }]),
      why: /slot of a device/,
    },
  };
  for (const [name, { pool, why }] of Object.entries(UNMEASURED)) {
    it(name, () => {
      const found = findFragmentation(pool);
      assert.ok(found.kind === "not-measured");
      assert.match(found.why, why);
    });
  }
});
