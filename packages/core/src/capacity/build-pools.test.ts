// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePciAddress } from "../device/address.ts";
import type { ParentDevice, PoolOwner } from "../device/parent-device.ts";
import { poolsOf } from "./build-pools.ts";
import { madeUpHost, physicalFunction } from "./made-up-host.ts";
import type { MadeUpDevice, MadeUpHost, MadeUpType } from "./made-up-host.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Pool, Room } from "./pool.ts";
import { formatRoom, roomFor } from "./room.ts";
import { take } from "./take.ts";

const NVIDIA: PoolStatement = {
  pack: "nvidia",
  owner: "physical-function-or-parent",
  law: "one-size",
  describedBy: { framebuffer: "framebuffer" },
  perVirtualFunction: 1,
};
const MTTY: PoolStatement = {
  pack: "mtty",
  owner: "parent",
  law: "counters",
  totals: { ports: 24 },
  consumption: { "mtty-1": { ports: 1 }, "mtty-2": { ports: 2 } },
};

/** The types of the captured lab hosts' two PCI parents, with their numbers in ascending order of type id. */
function t4Types(available: readonly (number | "unreadable")[]): Record<string, MadeUpType> {
  const sizes = [1024, 1024, 2048, 4096, 8192, 16384];
  const ids = [222, 230, 231, 232, 233, 234];
  return Object.fromEntries(
    ids.map((id, index) => [
      `nvidia-${id}`,
      { available: available[index] ?? 0, description: vgpu(sizes[index] ?? 0, 16384) },
    ]),
  );
}

function vgpu(size: number, total: number): string {
  const most = total / size;
  return `num_heads=4, frl_config=60, framebuffer=${size}M, max_resolution=5120x2880, max_instance=${most}`;
}

/** An NVIDIA A2 as its VFs show it: 16 GiB, types of 1, 2, 4, 8 and 16 GiB, all of them 1 or 0. */
function a2Types(available: (size: number) => number): Record<string, MadeUpType> {
  const sizes: Record<string, number> = {
    "nvidia-744": 1024,
    "nvidia-745": 2048,
    "nvidia-746": 4096,
    "nvidia-747": 8192,
    "nvidia-748": 16384,
    "nvidia-751": 4096,
    "nvidia-754": 4096,
  };
  return Object.fromEntries(
    Object.entries(sizes).map(([id, size]) => [id, { available: available(size), description: vgpu(size, 16384) }]),
  );
}

function a2Host(devices: readonly MadeUpDevice[], available: (vf: string, size: number) => number): MadeUpHost {
  const ids = Array.from({ length: 16 }, (_, index) => `0000:08:${index < 8 ? "00" : "01"}.${index % 8}`);
  return {
    parents: ids.map((id) => ({
      id,
      owner: physicalFunction("0000:07:00.0"),
      types: a2Types((size) => available(id, size)),
    })),
    devices,
  };
}

function poolAt(host: MadeUpHost, statement?: PoolStatement): Pool {
  const { pools } = poolsOf({ snapshot: madeUpHost(host), statementFor: () => statement });
  assert.equal(pools.length, 1);
  return pools[0] as Pool;
}

function problemsAt(
  host: MadeUpHost,
  statement?: PoolStatement,
): readonly { code: string; path: string; message: string }[] {
  return poolsOf({ snapshot: madeUpHost(host), statementFor: () => statement }).problems;
}

function roomsOf(pool: Pool, parent?: string): Record<string, string> {
  return Object.fromEntries(
    pool.types.map(({ type }) => [
      type,
      formatRoom(roomFor(pool, { type, ...(parent === undefined ? {} : { parent }) }), pool.law),
    ]),
  );
}

const exactly = (count: number): Room => ({ atLeast: count, atMost: count });

describe("poolsOf() ...", () => {
  const HOST_A: MadeUpHost = {
    parents: [
      { id: "0000:00:10.0", types: t4Types([0, 0, 6, 0, 0, 0]) },
      { id: "0000:00:11.0", types: t4Types([16, 16, 8, 4, 2, 1]) },
      { id: "mtty", types: { "mtty-1": { available: 22 }, "mtty-2": { available: 11 } } },
      { id: "mbochs", types: { "mbochs-small": { available: 64 }, "mbochs-large": { available: 4 } } },
    ],
    devices: [
      { id: "aaaaaaaa-0000-4000-8000-000000000001", parent: "0000:00:10.0", type: "nvidia-231" },
      { id: "aaaaaaaa-0000-4000-8000-000000000004", parent: "0000:00:10.0", type: "nvidia-231" },
      { id: "aaaaaaaa-0000-4000-8000-000000000005", parent: "mtty", type: "mtty-2" },
    ],
  };

  function statementFor(parent: ParentDevice): PoolStatement | undefined {
    return parent.id === "mtty" ? MTTY : parent.id.startsWith("0000") ? NVIDIA : undefined;
  }

  it("agrees with every number of the lab's host a by stated laws", () => {
    const { pools, problems } = poolsOf({ snapshot: madeUpHost(HOST_A), statementFor });
    const rooms = Object.fromEntries(pools.map((pool) => [pool.parents.join(), roomsOf(pool)]));
    const zero = { "nvidia-222": "0", "nvidia-230": "0", "nvidia-232": "0", "nvidia-233": "0", "nvidia-234": "0" };
    assert.deepEqual(rooms["0000:00:10.0"], { ...zero, "nvidia-231": "6" });
    assert.deepEqual(Object.values(rooms["0000:00:11.0"] ?? {}), ["16", "16", "8", "4", "2", "1"]);
    assert.deepEqual(rooms["mtty"], { "mtty-1": "22", "mtty-2": "11" });
    assert.deepEqual(rooms["mbochs"], { "mbochs-large": "4", "mbochs-small": "64" });
    assert.deepEqual(
      pools.map(({ origin }) => origin.kind),
      ["declared", "declared", "unknown", "declared"],
    );
    // Nobody states how mbochs shares its memory.
    assert.deepEqual(
      problems.map(({ code, path }) => [code, path]),
      [["pool_law_unknown", "/sys/devices/mbochs"]],
    );
  });

  it("infers one size at a time where the numbers prove it, and says the sum", () => {
    const { pools } = poolsOf({ snapshot: madeUpHost(HOST_A), statementFor: () => undefined });
    const [held, empty] = pools;
    assert.deepEqual(held?.law, { kind: "one-size", totalMib: 16384 });
    assert.deepEqual(held?.origin, {
      kind: "inferred",
      proof:
        "framebuffer x max_instance is 16384 MiB for all 6 types; available_instances of all of them is " +
        "what one size at a time leaves beside 2 x nvidia-231 of 2048 MiB",
    });
    assert.deepEqual(empty?.law, held?.law);
    assert.match(empty?.origin.kind === "inferred" ? empty.origin.proof : "", /on 0000:00:10\.0 with the same types/);
  });

  it("agrees with the lab's host b, where an nvidia-232 leaves an nvidia-231 no room", () => {
    const pool = poolAt({
      parents: [{ id: "0000:00:10.0", types: t4Types([0, 0, 0, 3, 0, 0]) }],
      devices: [{ id: "aaaaaaaa-0000-4000-8000-000000000002", parent: "0000:00:10.0", type: "nvidia-232" }],
    });
    assert.equal(pool.origin.kind, "inferred");
    assert.deepEqual(roomFor(pool, { type: "nvidia-231" }), exactly(0));
    assert.deepEqual(roomFor(pool, { type: "nvidia-232" }), exactly(3));
  });

  it("does not infer a law from an empty pool alone, which mixed sizes fit as well", () => {
    const pool = poolAt({ parents: [{ id: "0000:00:11.0", types: t4Types([16, 16, 8, 4, 2, 1]) }] });
    assert.equal(pool.law.kind, "unknown");
    assert.deepEqual(roomFor(pool, { type: "nvidia-231" }), exactly(8));
  });

  it("does not infer a law that one number contradicts", () => {
    const pool = poolAt({
      parents: [{ id: "0000:00:10.0", types: t4Types([0, 0, 6, 1, 0, 0]) }],
      devices: HOST_A.devices?.slice(0, 2) ?? [],
    });
    assert.equal(pool.law.kind, "unknown");
  });

  it("does not infer a law where one number cannot be read", () => {
    const pool = poolAt({
      parents: [{ id: "0000:00:10.0", types: t4Types([0, 0, 6, "unreadable", 0, 0]) }],
      devices: HOST_A.devices?.slice(0, 2) ?? [],
    });
    assert.equal(pool.law.kind, "unknown");
  });

  it("does not infer a law where the products differ", () => {
    const types = {
      ...t4Types([0, 0, 6, 0, 0, 0]),
      "nvidia-999": { available: 0, description: "framebuffer=3072M, max_instance=5" },
    };
    const pool = poolAt({ parents: [{ id: "0000:00:10.0", types }], devices: HOST_A.devices?.slice(0, 2) ?? [] });
    assert.equal(pool.law.kind, "unknown");
  });

  it("offers four A2-4Q behind 16 VFs, not sixteen", () => {
    let pool = poolAt(
      a2Host([], () => 1),
      NVIDIA,
    );
    assert.deepEqual(pool.owner, physicalFunction("0000:07:00.0"));
    assert.equal(pool.parents.length, 16);
    assert.deepEqual(roomsOf(pool), {
      "nvidia-744": "16",
      "nvidia-745": "8",
      "nvidia-746": "4",
      "nvidia-747": "2",
      "nvidia-748": "1",
      "nvidia-751": "4",
      "nvidia-754": "4",
    });
    assert.deepEqual(roomFor(pool, { type: "nvidia-746", parent: "0000:08:01.7" }), exactly(1));
    for (const id of ["one", "two", "three", "four"]) {
      const answer = take(pool, { id, type: id === "two" ? "nvidia-754" : "nvidia-746", count: 1 });
      assert.equal(answer.kind, "taken", id);
      if (answer.kind === "taken") pool = answer.pool;
    }
    assert.equal(new Set(pool.occupants.map(({ parent }) => parent)).size, 4);
    assert.deepEqual(Object.values(roomsOf(pool)), ["0", "0", "0", "0", "0", "0", "0"]);
    assert.deepEqual(roomFor(pool, { type: "nvidia-746", parent: "0000:08:01.7" }), exactly(0));
  });

  it("lets several types of one size share an A2, and offers nothing on a VF that holds one", () => {
    const devices = [{ id: "d", parent: "0000:08:00.3", type: "nvidia-751" }];
    const pool = poolAt(
      a2Host(devices, (vf, size) => (size === 4096 && vf !== "0000:08:00.3" ? 1 : 0)),
      NVIDIA,
    );
    assert.equal(pool.disagreement, undefined);
    assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), exactly(3));
    assert.deepEqual(roomFor(pool, { type: "nvidia-745" }), exactly(0));
    assert.deepEqual(roomFor(pool, { type: "nvidia-746", parent: "0000:08:00.3" }), exactly(0));
  });

  it("bounds an A2 without any pack by max_instance", () => {
    const pool = poolAt(a2Host([], () => 1));
    assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), { atLeast: 1, atMost: 4 });
  });

  it("infers the law of an A2 from what one device leaves, with one device a VF", () => {
    const devices = [{ id: "d", parent: "0000:08:00.3", type: "nvidia-751" }];
    const pool = poolAt(a2Host(devices, (vf, size) => (size === 4096 && vf !== "0000:08:00.3" ? 1 : 0)));
    assert.equal(pool.origin.kind, "inferred");
    assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), exactly(3));
  });

  it("believes the captured A2's VF and not the law where the other VFs are not seen", () => {
    const host = a2Host([], (_, size) => (size === 4096 ? 1 : 0));
    const alone = { ...host, parents: host.parents.slice(0, 1) };
    const pool = poolAt(alone, NVIDIA);
    assert.deepEqual(pool.disagreement, { above: false, below: true });
    assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), exactly(1));
    assert.deepEqual(roomFor(pool, { type: "nvidia-745" }), exactly(0));
    const [problem, ...more] = problemsAt(alone, NVIDIA);
    assert.deepEqual(more, []);
    assert.equal(problem?.code, "facts_disagree");
    assert.match(problem?.message ?? "", /nvidia-744 is 0, the law gives 1; nvidia-745 is 0, the law gives 1/);
  });

  describe("where the owner of VFs is not known ...", () => {
    const lost = { kind: "unknown", why: "its physfn link is missing" } as const;
    const host: MadeUpHost = {
      parents: ["0000:08:01.6", "0000:08:01.7"].map((id) => ({
        id,
        owner: lost,
        driver: "nvidia",
        types: a2Types(() => 1),
      })),
    };

    it("takes all of one driver for one pool without a law", () => {
      const pool = poolAt(host, NVIDIA);
      assert.equal(pool.law.kind, "unknown");
      assert.deepEqual(roomFor(pool, { type: "nvidia-746", parent: "0000:08:01.7" }), exactly(1));
      assert.deepEqual(roomFor(pool, { type: "nvidia-746" }), { atLeast: 1, atMost: 2 });
      // They may be VFs of two GPUs, which hold one nvidia-748 each.
      assert.deepEqual(roomFor(pool, { type: "nvidia-748" }), { atLeast: 1, atMost: 2 });
    });

    it("knows nothing of any other VF or type after a take", () => {
      const answer = take(poolAt(host, NVIDIA), { id: "d", type: "nvidia-746", count: 1, parent: "0000:08:01.6" });
      assert.ok(answer.kind === "taken");
      assert.equal(roomsOf(answer.pool, "0000:08:01.7")["nvidia-746"], "unknown (at most 1)");
      assert.equal(roomsOf(answer.pool, "0000:08:01.6")["nvidia-745"], "unknown (at most 1)");
      assert.equal(roomsOf(answer.pool, "0000:08:01.6")["nvidia-746"], "0");
    });

    it("says so for each of them", () => {
      assert.deepEqual(
        problemsAt(host, NVIDIA).map(({ code, path }) => [code, path]),
        [
          ["pool_owner_unknown", "/sys/devices/0000:08:01.6"],
          ["pool_owner_unknown", "/sys/devices/0000:08:01.7"],
        ],
      );
    });

    it("keeps parents of other drivers apart", () => {
      const other = {
        ...host,
        parents: [...host.parents, { id: "x", owner: lost, driver: "other", types: { "x-1": {} } }],
      };
      assert.equal(poolsOf({ snapshot: madeUpHost(other), statementFor: () => undefined }).pools.length, 2);
    });
  });

  it("lets a pack that gives each VF its own budget split what the physical function owns", () => {
    const snapshot = madeUpHost(a2Host([], () => 1));
    const { pools } = poolsOf({ snapshot, statementFor: () => ({ ...MTTY, owner: "parent" }) });
    assert.equal(pools.length, 16);
    assert.deepEqual(pools[0]?.owner, { kind: "parent", id: "0000:08:00.0" });
  });

  it("puts a physical function that is a parent itself in one pool with its VFs", () => {
    const host: MadeUpHost = {
      parents: [
        { id: "0000:07:00.0", types: a2Types(() => 0) },
        { id: "0000:08:00.0", types: a2Types(() => 1), owner: physicalFunction("0000:07:00.0") },
      ],
    };
    const pool = poolAt(host, NVIDIA);
    assert.deepEqual(pool.parents, ["0000:07:00.0", "0000:08:00.0"]);
    assert.equal(pool.owner.kind, "physical-function");
  });

  it("has no law where two packs state one for the same pool", () => {
    const snapshot = madeUpHost(a2Host([], () => 1));
    const { pools, problems } = poolsOf({
      snapshot,
      statementFor: (parent) => (parent.id === "0000:08:00.0" ? { ...NVIDIA, pack: "second" } : NVIDIA),
    });
    assert.deepEqual(pools[0]?.law, { kind: "unknown", why: "several packs state a law for it" });
    assert.deepEqual(
      problems.map(({ code }) => code),
      ["pool_law_unknown"],
    );
  });

  it("reports a stated law that the numbers contradict, and lets the host's word be the upper end", () => {
    const host: MadeUpHost = {
      parents: [{ id: "mtty", types: { "mtty-1": { available: 20 }, "mtty-2": { available: 12 } } }],
    };
    const pool = poolAt(host, MTTY);
    assert.deepEqual(roomFor(pool, { type: "mtty-1" }), exactly(20));
    assert.deepEqual(roomFor(pool, { type: "mtty-2" }), exactly(12));
    const answer = take(pool, { id: "d", type: "mtty-1", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(roomFor(answer.pool, { type: "mtty-2" }), { atLeast: 0, atMost: 11 });
    const [problem] = problemsAt(host, MTTY);
    assert.equal(problem?.code, "facts_disagree");
    assert.match(problem?.message ?? "", /law counters differ: mtty-1 is 20, the law gives 24$/);
  });

  it("makes an interval of a word that is higher than the law", () => {
    const pool = poolAt({ parents: [{ id: "mtty", types: { "mtty-2": { available: 15 } } }] }, MTTY);
    assert.deepEqual(roomFor(pool, { type: "mtty-2" }), { atLeast: 12, atMost: 15 });
  });

  it("tells nothing of an unknown law where one parent has one type", () => {
    const host: MadeUpHost = { parents: [{ id: "0.0.0313", types: { "vfio_ccw-io": { available: 1 } } }] };
    assert.deepEqual(problemsAt(host), []);
    const answer = take(poolAt(host), { id: "d", type: "vfio_ccw-io", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(roomFor(answer.pool, { type: "vfio_ccw-io" }), exactly(0));
  });

  it("shares the queues of the AP bus that are bound to vfio_ap", () => {
    const queue = (
      adapter: number,
      domain: number,
      driver: string,
    ): { adapter: number; domain: number; driver: string } => ({
      adapter,
      domain,
      driver,
    });
    const host: MadeUpHost = {
      parents: [{ id: "matrix", types: { "vfio_ap-passthrough": { available: 65534 } } }],
      queues: [queue(1, 5, "vfio_ap"), queue(1, 6, "vfio_ap"), queue(2, 5, "cex4queue"), queue(2, 255, "vfio_ap")],
      devices: [{ id: "guest1", parent: "matrix", type: "vfio_ap-passthrough", queues: [{ adapter: 1, domain: 5 }] }],
    };
    const statement: PoolStatement = { pack: "vfio_ap", owner: "parent", law: "units" };
    const pool = poolAt(host, statement);
    assert.deepEqual(pool.law, { kind: "units", units: ["01.0005", "01.0006", "02.00ff"] });
    const ask = (...units: string[]): Room => roomFor(pool, { type: "vfio_ap-passthrough", units });
    assert.deepEqual(ask("01.0006", "02.00ff"), exactly(1));
    assert.deepEqual(ask("01.0005"), exactly(0));
    assert.deepEqual(ask("02.0005"), exactly(0));
    assert.deepEqual(roomFor(pool, { type: "vfio_ap-passthrough" }), exactly(2));
    const unreadable = {
      ...host,
      devices: [
        { ...host.devices?.[0], id: "g", parent: "matrix", type: "vfio_ap-passthrough", queues: "unreadable" as const },
      ],
    };
    assert.deepEqual(roomFor(poolAt(unreadable, statement), { type: "vfio_ap-passthrough", units: ["01.0006"] }), {
      atLeast: 0,
      atMost: 1,
    });
  });

  it("offers nothing on a function that is set to a type, also where no device is listed", () => {
    const parents = [
      {
        id: "0000:26:00.5",
        framework: "vendor-vfio" as const,
        types: { "nvidia-1150": {} },
        currentType: "nvidia-1150",
      },
    ];
    assert.deepEqual(roomFor(poolAt({ parents }, NVIDIA), { type: "nvidia-1150" }), exactly(0));
  });

  it("holds one device on a function of the vendor framework, offered by what it can be set to", () => {
    const types = { "nvidia-1150": {}, "nvidia-1152": {} };
    const owner = physicalFunction("0000:26:00.0");
    const host: MadeUpHost = {
      parents: [
        { id: "0000:26:00.4", framework: "vendor-vfio", owner, types },
        { id: "0000:26:00.5", framework: "vendor-vfio", owner, types, currentType: "nvidia-1150" },
      ],
      devices: [{ id: "0000:26:00.5", kind: "vendor-vfio", parent: "0000:26:00.5", type: "nvidia-1150" }],
    };
    const pool = poolAt(host, NVIDIA);
    assert.equal(pool.perParent, 1);
    assert.deepEqual(roomFor(pool, { type: "nvidia-1150" }), exactly(1));
    assert.deepEqual(roomFor(pool, { type: "nvidia-1150", parent: "0000:26:00.5" }), exactly(0));
    assert.deepEqual(pool.law, {
      kind: "unknown",
      why: "pack nvidia states one framebuffer size at a time, but no type says framebuffer and max_instance",
    });
  });

  it("keeps the pools of two GPU instances apart, each with its placement slots", () => {
    const slots: PoolStatement = {
      pack: "mig",
      owner: "physical-function-or-parent",
      law: "slots",
      totals: { slots: 4 },
      placements: { "nvidia-700": { length: 2, starts: [0, 2] } },
      perVirtualFunction: 1,
    };
    const owner = (instance: number): PoolOwner => ({
      kind: "gpu-instance",
      id: parsePciAddress("0000:17:00.0"),
      instance,
    });
    const types = { "nvidia-700": { available: 1 } };
    const snapshot = madeUpHost({
      parents: [
        { id: "0000:17:00.4", owner: owner(1), types: { "nvidia-700": { available: 0 } } },
        { id: "0000:17:00.5", owner: owner(1), types },
        { id: "0000:17:00.6", owner: owner(1), types },
        { id: "0000:17:00.7", owner: owner(2), types },
      ],
      devices: [{ id: "d", parent: "0000:17:00.4", type: "nvidia-700", slot: 2 }],
    });
    const { pools, problems } = poolsOf({ snapshot, statementFor: () => slots });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      pools.map(({ parents }) => parents.length),
      [3, 1],
    );
    const [first] = pools as [Pool];
    assert.deepEqual(roomFor(first, { type: "nvidia-700" }), exactly(1));
    const answer = take(first, { id: "e", type: "nvidia-700", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual([answer.occupant.parent, answer.occupant.slot], ["0000:17:00.5", 0]);
    const noPack = poolsOf({ snapshot, statementFor: () => undefined });
    assert.match(noPack.pools[0]?.law.kind === "unknown" ? noPack.pools[0].law.why : "", /GPU instance/);
  });

  it("promises nothing beyond the numbers where a device's count cannot be read", () => {
    const host: MadeUpHost = {
      parents: [{ id: "mtty", types: { "mtty-1": { available: 10 }, "mtty-2": { available: 5 } } }],
      devices: [{ id: "d", parent: "mtty", type: "mtty-1", count: "unreadable" }],
    };
    const pool = poolAt(host, MTTY);
    assert.match(pool.occupants[0]?.uncertain ?? "", /count could not be read/);
    assert.deepEqual(roomFor(pool, { type: "mtty-1" }), exactly(10));
    const answer = take(pool, { id: "e", type: "mtty-2", count: 1 });
    assert.ok(answer.kind === "taken");
    assert.deepEqual(roomFor(answer.pool, { type: "mtty-1" }), { atLeast: 0, atMost: 10 });
  });

  it("drops what two parents of one pool say differently, and says so", () => {
    const owner = physicalFunction("0000:07:00.0");
    const host: MadeUpHost = {
      parents: [
        { id: "0000:08:00.0", owner, types: { "nvidia-746": { available: 1, description: vgpu(4096, 16384) } } },
        { id: "0000:08:00.1", owner, types: { "nvidia-746": { available: 1, description: vgpu(2048, 16384) } } },
      ],
    };
    assert.deepEqual(poolAt(host, NVIDIA).types, [{ type: "nvidia-746" }]);
    assert.deepEqual(
      problemsAt(host, NVIDIA).map(({ code }) => code),
      ["pool_law_unknown", "facts_disagree"],
    );
  });

  it("takes type ids that are prototype keys for ordinary names", () => {
    const types = { constructor: { available: 3 }, toString: { available: 2 }, ["__proto__"]: { available: 1 } };
    const pool = poolAt({ parents: [{ id: "p", types }] }, { ...MTTY, consumption: {} });
    assert.deepEqual(roomFor(pool, { type: "constructor" }), exactly(3));
    assert.deepEqual(roomFor(pool, { type: "valueOf" }), exactly(0));
  });

  it("leaves parents without types, and whole functions without a type, out", () => {
    const host: MadeUpHost = {
      parents: [
        { id: "empty", types: {} },
        { id: "mtty", types: { "mtty-1": { available: 24 } } },
      ],
      devices: [{ id: "mtty", kind: "function", parent: "mtty" }],
    };
    assert.deepEqual(poolAt(host, MTTY).occupants, []);
  });
});
