// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poolsOf } from "./build-pools.ts";
import { roomToGrow } from "./grow.ts";
import { madeUpHost } from "./made-up-host.ts";
import type { MadeUpDevice, MadeUpType } from "./made-up-host.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Pool } from "./pool.ts";
import { roomFor } from "./room.ts";

const IDXD: PoolStatement = {
  pack: "idxd",
  owner: "parent",
  law: "counters",
  consumption: { "dsa-1dwq": { wq: 1 }, "dsa-2dwq": { wq: 2 } },
};

function dsa(types: Record<string, MadeUpType>, devices: readonly Omit<MadeUpDevice, "parent">[], stated = true): Pool {
  const { pools } = poolsOf({
    snapshot: madeUpHost({
      parents: [{ id: "dsa0", types }],
      devices: devices.map((device) => ({ ...device, parent: "dsa0" })),
    }),
    statementFor: () => (stated ? IDXD : undefined),
  });
  return pools[0] as Pool;
}

describe("roomToGrow() ...", () => {
  const one = [{ id: "d", type: "dsa-1dwq" }];

  it("needs 29 more units to grow from 1 to 30, and no place for a device", () => {
    const pool = { ...dsa({ "dsa-1dwq": { available: 29 }, "dsa-2dwq": { available: 14 } }, one), perParent: 1 };
    assert.deepEqual(roomToGrow(pool, { id: "d", to: 30 }), { kind: "fits" });
    assert.deepEqual(roomFor(pool, { type: "dsa-1dwq" }), { atLeast: 0, atMost: 0 });
  });

  it("says how many units are missing", () => {
    const pool = dsa({ "dsa-1dwq": { available: 28 } }, one);
    const grow = roomToGrow(pool, { id: "d", to: 30 });
    assert.ok(grow.kind === "short");
    assert.deepEqual(grow.missing, { available_instances: 1, wq: 1 });
  });

  it("is not known under an unknown law where the driver does not say that it aggregates, be it by one unit", () => {
    const pool = dsa({ "dsa-1dwq": { available: 29 }, "dsa-2dwq": { available: 14 } }, one, false);
    assert.equal(roomToGrow(pool, { id: "d", to: 3 }).kind, "unknown");
    assert.equal(roomToGrow(pool, { id: "d", to: 2 }).kind, "unknown");
  });

  it("counts a unit of dsa-2dwq twice", () => {
    const pool = dsa({ "dsa-2dwq": { available: 14 } }, [{ id: "d", type: "dsa-2dwq", count: 1 }]);
    assert.equal(roomToGrow(pool, { id: "d", to: 15 }).kind, "fits");
    assert.equal(roomToGrow(pool, { id: "d", to: 16 }).kind, "short");
  });

  it("fits what a device has already, and less", () => {
    const pool = dsa({ "dsa-1dwq": { available: 0 } }, [{ id: "d", type: "dsa-1dwq", count: 30 }]);
    assert.equal(roomToGrow(pool, { id: "d", to: 30 }).kind, "fits");
    assert.equal(roomToGrow(pool, { id: "d", to: 1 }).kind, "fits");
    assert.equal(roomToGrow(pool, { id: "d", to: 31 }).kind, "short");
  });

  it("does not exceed what the driver aggregates", () => {
    const pool = dsa({ "dsa-1dwq": { available: 29, maxAggregation: 20 } }, one);
    assert.deepEqual(roomToGrow(pool, { id: "d", to: 30 }), {
      kind: "short",
      missing: { max_aggregation: 10 },
      why: "one dsa-1dwq has 20 units at most",
    });
  });

  it("reads a maximum of 0 as one unit a device", () => {
    const grow = roomToGrow(dsa({ "dsa-1dwq": { available: 29, maxAggregation: 0 } }, one), { id: "d", to: 2 });
    assert.ok(grow.kind === "short");
    assert.deepEqual(grow.missing, { max_aggregation: 1 });
  });

  it("believes free instances without a law only where the driver says that it aggregates", () => {
    assert.equal(roomToGrow(dsa({ "dsa-1dwq": { available: 29 } }, one, false), { id: "d", to: 30 }).kind, "unknown");
    const told = dsa({ "dsa-1dwq": { available: 29, maxAggregation: 30 } }, one, false);
    assert.equal(roomToGrow(told, { id: "d", to: 30 }).kind, "fits");
    assert.equal(roomToGrow(told, { id: "d", to: 2 }).kind, "fits");
  });

  it("does not know where the present count cannot be read", () => {
    const pool = dsa({ "dsa-1dwq": { available: 29 } }, [{ id: "d", type: "dsa-1dwq", count: "unreadable" }]);
    assert.equal(roomToGrow(pool, { id: "d", to: 2 }).kind, "unknown");
  });

  it("does not know a device that is not in the pool", () => {
    const pool = dsa({ "dsa-1dwq": { available: 29 } }, one);
    assert.deepEqual(roomToGrow(pool, { id: "e", to: 2 }), { kind: "unknown", why: "e is not in this pool" });
  });

  it("refuses a count of 0", () => {
    const pool = dsa({ "dsa-1dwq": { available: 29 } }, one);
    assert.throws(() => roomToGrow(pool, { id: "d", to: 0 }), RangeError);
  });
});
