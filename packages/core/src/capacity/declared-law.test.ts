// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePciAddress } from "../device/address.ts";
import type { PoolOwner } from "../device/parent-device.ts";
import { poolsOf } from "./build-pools.ts";
import { madeUpHost, physicalFunction } from "./made-up-host.ts";
import type { MadeUpHost } from "./made-up-host.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Pool, Room } from "./pool.ts";
import { formatRoom, roomFor } from "./room.ts";
import { take } from "./take.ts";

const GVT: PoolStatement = {
  pack: "i915",
  owner: "parent",
  law: "counters",
  describedBy: { low_gm_size: "low_gm_size", high_gm_size: "high_gm_size", fence: "fence" },
};
const NVIDIA: PoolStatement = {
  pack: "nvidia",
  owner: "physical-function-or-parent",
  law: "one-size",
  describedBy: { framebuffer: "framebuffer" },
  perVirtualFunction: 1,
};

function poolAt(host: MadeUpHost, statement: PoolStatement): Pool {
  const { pools } = poolsOf({ snapshot: madeUpHost(host), statementFor: () => statement });
  assert.equal(pools.length, 1);
  return pools[0] as Pool;
}

function roomsOf(pool: Pool): Record<string, string> {
  return Object.fromEntries(pool.types.map(({ type }) => [type, formatRoom(roomFor(pool, { type }), pool.law)]));
}

const exactly = (count: number): Room => ({ atLeast: count, atMost: count });

describe("declaredLaw() ...", () => {
  it("derives what GVT-g's numbers prove of its three counters", () => {
    const gvt = (low: number, high: number, fence: number): string =>
      `low_gm_size: ${low}MB\nhigh_gm_size: ${high}MB\nfence: ${fence}\nresolution: 1024x768\nweight: 2`;
    // 512 MiB of low memory less the host's 128 stop every type; that they stop two _2 is certain: 2 x 1024 high were free.
    const types = {
      "i915-GVTg_V5_8": { available: 6, description: gvt(64, 384, 4) },
      "i915-GVTg_V5_4": { available: 3, description: gvt(128, 512, 4) },
      "i915-GVTg_V5_2": { available: 1, description: gvt(256, 1024, 4) },
      "i915-GVTg_V5_1": { available: 0, description: gvt(512, 2048, 4) },
    };
    const pool = poolAt({ parents: [{ id: "0000:00:02.0", types }] }, GVT);
    assert.deepEqual(pool.law, {
      kind: "counters",
      total: {
        fence: { atLeast: 24, atMost: Infinity },
        high_gm_size: { atLeast: 2304, atMost: Infinity },
        low_gm_size: { atLeast: 384, atMost: 511 },
      },
    });
    assert.deepEqual(Object.values(roomsOf(pool)), ["0", "1", "3", "6"]);
    const answer = take(pool, { id: "d", type: "i915-GVTg_V5_4", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(roomsOf(answer.pool), {
      "i915-GVTg_V5_1": "0",
      "i915-GVTg_V5_2": "1",
      "i915-GVTg_V5_4": "2",
      "i915-GVTg_V5_8": "4 to 5",
    });
  });

  it("closes a counter from above where it alone can have stopped a type", () => {
    const statement: PoolStatement = {
      pack: "idxd",
      owner: "parent",
      law: "counters",
      consumption: { "dsa-1dwq": { wq: 1 }, "dsa-2dwq": { wq: 2 } },
    };
    const types = { "dsa-1dwq": { available: 29 }, "dsa-2dwq": { available: 14 } };
    const devices = [{ id: "d", parent: "dsa0", type: "dsa-1dwq" }];
    const pool = poolAt({ parents: [{ id: "dsa0", types }], devices }, statement);
    assert.deepEqual(pool.law, { kind: "counters", total: { wq: exactly(30) } });
    assert.deepEqual(roomFor(pool, { type: "dsa-1dwq", count: 15 }), exactly(1));
    assert.deepEqual(roomFor(pool, { type: "dsa-2dwq", count: 15 }), exactly(0));
  });

  it("does not know what a type takes where its description lacks one of the counters", () => {
    const types = { "i915-GVTg_V5_8": { available: 6, description: "low_gm_size: 64MB\nhigh_gm_size: 384MB" } };
    assert.deepEqual(poolAt({ parents: [{ id: "0000:00:02.0", types }] }, GVT).types, [{ type: "i915-GVTg_V5_8" }]);
  });

  it("derives no upper end from VFs, which stop at one device each", () => {
    const statement: PoolStatement = {
      pack: "x",
      owner: "physical-function-or-parent",
      law: "counters",
      consumption: { "x-1": { wq: 1 } },
      perVirtualFunction: 1,
    };
    const owner = physicalFunction("0000:07:00.0");
    const parents = ["0000:08:00.0", "0000:08:00.1", "0000:08:00.2"].map((id) => ({
      id,
      owner,
      types: { "x-1": { available: 1 } },
    }));
    assert.deepEqual(roomFor(poolAt({ parents }, statement), { type: "x-1" }), { atLeast: 1, atMost: 3 });
  });

  it("derives no upper end where max_instance explains the number", () => {
    const statement: PoolStatement = {
      pack: "x",
      owner: "parent",
      law: "counters",
      consumption: { "x-1": { wq: 1 }, "x-2": { wq: 1 } },
    };
    const types = {
      "x-1": { available: 2, description: "max_instance=2" },
      "x-2": { available: 1, description: "max_instance=1" },
    };
    assert.deepEqual(poolAt({ parents: [{ id: "p", types }] }, statement).law, {
      kind: "counters",
      total: { wq: { atLeast: 2, atMost: Infinity } },
    });
  });

  it("does not take the whole GPU's max_instance for the budget of a GPU instance", () => {
    const owner: PoolOwner = { kind: "gpu-instance", id: parsePciAddress("0000:17:00.0"), instance: 1 };
    const types = { "nvidia-700": { available: 1, description: "framebuffer=4096M, max_instance=4" } };
    const pool = poolAt({ parents: [{ id: "0000:17:00.4", owner, types }] }, NVIDIA);
    assert.equal(pool.law.kind, "unknown");
    const stated = poolAt(
      { parents: [{ id: "0000:17:00.4", owner, types }] },
      { ...NVIDIA, totals: { framebuffer: 8192 } },
    );
    assert.deepEqual(stated.law, { kind: "one-size", totalMib: 8192 });
  });

  it("takes the largest product of framebuffer and max_instance for the GPU's memory", () => {
    const types = {
      "nvidia-1147": { available: 32, description: "framebuffer=1024M, max_instance=32" },
      "nvidia-1149": { available: 16, description: "framebuffer=3072M, max_instance=16" },
    };
    const pool = poolAt({ parents: [{ id: "0000:26:00.0", types }] }, NVIDIA);
    assert.deepEqual(pool.law, { kind: "one-size", totalMib: 49152 });
    assert.equal(pool.disagreement, undefined);
  });

  for (const slots of [undefined, 0, 1.5, 1e9]) {
    it(`has no law of placement slots where there are ${slots} of them`, () => {
      const totals = slots === undefined ? {} : { totals: { slots } };
      const statement: PoolStatement = { pack: "mig", owner: "parent", law: "slots", ...totals };
      const pool = poolAt({ parents: [{ id: "p", types: { "mig-1": { available: 1 } } }] }, statement);
      assert.deepEqual(pool.law, {
        kind: "unknown",
        why: "pack mig states placement slots, but not how many there are",
      });
      assert.deepEqual(pool.origin, { kind: "unknown" });
    });
  }

  it("has no law of units where the host shows none", () => {
    const pool = poolAt(
      { parents: [{ id: "matrix", types: { "vfio_ap-passthrough": {} } }] },
      { pack: "vfio_ap", owner: "parent", law: "units" },
    );
    assert.equal(pool.law.kind, "unknown");
  });

  it("is no upper bound where two numbers contradict each other", () => {
    const statement: PoolStatement = {
      pack: "x",
      owner: "parent",
      law: "counters",
      consumption: { "x-1": { wq: 1 }, "x-2": { wq: 2 } },
    };
    const types = { "x-1": { available: 3 }, "x-2": { available: 5 } };
    const pool = poolAt({ parents: [{ id: "p", types }] }, statement);
    assert.equal(pool.disagreement?.above, true);
    assert.deepEqual(roomFor(pool, { type: "x-2" }), { atLeast: 1, atMost: 5 });
  });
});
