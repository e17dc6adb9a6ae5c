// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poolsOf } from "./build-pools.ts";
import { findFragmentation } from "./fragmentation.ts";
import { madeUpHost, physicalFunction } from "./made-up-host.ts";
import type { MadeUpDevice, MadeUpParent } from "./made-up-host.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Pool } from "./pool.ts";
import { roomFor } from "./room.ts";
import { take } from "./take.ts";

const NVIDIA: PoolStatement = {
  pack: "nvidia",
  owner: "physical-function-or-parent",
  law: "one-size",
  perVirtualFunction: 1,
};
const A2_4Q = { "nvidia-746": { available: 1, description: "framebuffer=4096M, max_instance=4" } };
const VFS: readonly MadeUpParent[] = [0, 1, 2, 3, 4, 5].map((index) => ({
  id: `0000:08:01.${index}`,
  owner: physicalFunction("0000:08:00.0"),
  types: A2_4Q,
  driver: "nvidia",
}));

function poolBeside(parents: readonly MadeUpParent[], devices: readonly MadeUpDevice[] = []): Pool {
  const { pools } = poolsOf({
    snapshot: madeUpHost({ parents: [...VFS, ...parents], devices }),
    statementFor: () => NVIDIA,
  });
  const pool = pools.find(({ owner }) => owner.kind === "physical-function");
  assert.ok(pool !== undefined);
  return pool;
}

/** A VF whose link to its physical function cannot be read. */
const unowned = (driver: string): MadeUpParent => ({
  id: "0000:08:01.7",
  owner: { kind: "unknown", why: "its link cannot be read" },
  types: A2_4Q,
  driver,
});

describe("a pool in which devices may sit that it does not count", () => {
  const CASES: Record<string, { pool: Pool; atLeast: number }> = {
    "is none where every device has its parent": { pool: poolBeside([]), atLeast: 4 },
    "promises what one VF offers beside a VF of unknown owner": { pool: poolBeside([unowned("nvidia")]), atLeast: 1 },
    "promises all beside a function of another driver": { pool: poolBeside([unowned("other")]), atLeast: 4 },
    "promises what one VF offers beside a device of its type without a parent": {
      pool: poolBeside([], [{ id: "stray", parent: "unknown", type: "nvidia-746" }]),
      atLeast: 1,
    },
    "promises what one VF offers beside a device of unknown type without a parent": {
      pool: poolBeside([], [{ id: "stray", parent: "unknown" }]),
      atLeast: 1,
    },
    "promises all beside a stray device of a type that is not its own": {
      pool: poolBeside([], [{ id: "stray", parent: "unknown", type: "mtty-2" }]),
      atLeast: 4,
    },
    "promises all beside a whole function": {
      pool: poolBeside([], [{ id: "0000:09:00.0", parent: "0000:09:00.0", kind: "function" }]),
      atLeast: 4,
    },
  };
  for (const [name, { pool, atLeast }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), { atLeast, atMost: 4 }));
  }

  it("promises nothing more after a take, and says why", () => {
    const taken = take(poolBeside([unowned("nvidia")]), { id: "new", type: "nvidia-746", count: 1 });
    assert.ok(taken.kind === "taken");
    assert.deepEqual(roomFor(taken.pool, { type: "nvidia-746" }), { atLeast: 0, atMost: 3 });
    assert.deepEqual(take(taken.pool, { id: "next", type: "nvidia-746", count: 1 }), {
      kind: "unknown",
      why: "0000:08:01.7 may share this pool: whose room it gives away is not known",
    });
  });

  it("is not measured for fragmentation", () => {
    assert.equal(findFragmentation(poolBeside([unowned("nvidia")])).kind, "not-measured");
  });

  it("promises no unit of its own", () => {
    const { pools } = poolsOf({
      snapshot: madeUpHost({
        parents: [{ id: "matrix", types: { ap: { available: 9 } } }],
        devices: [{ id: "stray", parent: "unknown", type: "ap" }],
        queues: [1, 2].map((domain) => ({ adapter: 1, domain, driver: "vfio_ap" })),
      }),
      statementFor: () => ({ pack: "ap", owner: "parent", law: "units" }),
    });
    assert.deepEqual(roomFor(pools[0] as Pool, { type: "ap" }), { atLeast: 0, atMost: 2 });
  });

  it("takes no slot for free", () => {
    const SLOTS: PoolStatement = {
      pack: "slots",
      owner: "physical-function-or-parent",
      law: "slots",
      perVirtualFunction: 1,
      totals: { slots: 4 },
      placements: { "nvidia-746": { length: 1, starts: [0, 1, 2, 3] } },
    };
    const snapshot = madeUpHost({ parents: [...VFS, unowned("nvidia")] });
    const { pools } = poolsOf({ snapshot, statementFor: () => SLOTS });
    const pool = pools.find(({ owner }) => owner.kind === "physical-function") as Pool;
    assert.equal(take(pool, { id: "new", type: "nvidia-746", count: 1, slot: 0 }).kind, "unknown");
  });
});

describe("a physical function that is a parent beside its VFs", () => {
  const owner = physicalFunction("0000:08:00.0");
  const types = {
    "x-1": { available: 1, description: "framebuffer=4096M, max_instance=4" },
    "x-2": { available: 1, description: "framebuffer=4096M, max_instance=4" },
  };
  const onPf = {
    "x-1": { available: 4, description: "framebuffer=4096M, max_instance=4" },
    "x-2": { available: 4, description: "framebuffer=4096M, max_instance=4" },
  };
  const snapshot = madeUpHost({
    parents: [
      { id: "0000:08:00.0", owner, types: onPf },
      { id: "0000:08:01.0", owner, types },
    ],
  });
  const { pools, problems } = poolsOf({ snapshot, statementFor: () => NVIDIA });

  it("leaves a VF room for one device of any type", () => {
    assert.deepEqual(problems, []);
    const taken = take(pools[0] as Pool, { id: "new", type: "x-1", count: 1, parent: "0000:08:01.0" });
    assert.ok(taken.kind === "taken");
    assert.deepEqual(roomFor(taken.pool, { type: "x-2", parent: "0000:08:01.0" }), { atLeast: 0, atMost: 0 });
    assert.deepEqual(roomFor(taken.pool, { type: "x-2", parent: "0000:08:00.0" }), { atLeast: 3, atMost: 3 });
  });
});
