// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { listTree } from "../tree/list-tree.ts";
import { simulateHost, type SimulatedHost } from "./host.ts";
import type { MachineSpec } from "./machine.ts";

/** A machine, its parents, and what each of its types takes of each thing there is; counted here by hand. */
interface Case {
  readonly machine: MachineSpec;
  readonly parents: readonly string[];
  readonly total: Readonly<Record<string, number>>;
  readonly takes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Framebuffer sizes may not mix. */
  readonly oneSize?: boolean;
  readonly perParent?: number;
}

const VFS = Array.from({ length: 6 }, (_, n) => `0000:08:01.${n}`);
const CASES: Readonly<Record<string, Case>> = {
  mtty: {
    machine: { kind: "mtty" },
    parents: ["mtty"],
    total: { ports: 24 },
    takes: { "mtty-1": { ports: 1 }, "mtty-2": { ports: 2 } },
  },
  "GVT-g": {
    machine: { kind: "i915-gvtg", address: "0000:00:02.0", generation: 5, apertureMib: 1024 },
    parents: ["0000:00:02.0"],
    total: { low: 896, high: 2688, fences: 28 },
    takes: {
      "i915-GVTg_V5_8": { low: 64, high: 384, fences: 4 },
      "i915-GVTg_V5_4": { low: 128, high: 512, fences: 4 },
      "i915-GVTg_V5_2": { low: 256, high: 1024, fences: 4 },
      "i915-GVTg_V5_1": { low: 512, high: 2048, fences: 4 },
    },
  },
  DSA: {
    machine: { kind: "dsa", address: "0000:6a:01.0", workQueues: 8 },
    parents: ["0000:6a:01.0"],
    total: { queues: 8 },
    takes: { "dsa-1dwq": { queues: 1 }, "dsa-2dwq": { queues: 2 } },
  },
  "a T4": {
    machine: { kind: "nvidia-mdev", model: "T4", address: "0000:3b:00.0" },
    parents: ["0000:3b:00.0"],
    total: { gib: 16 },
    takes: { "nvidia-222": { gib: 1 }, "nvidia-230": { gib: 1 }, "nvidia-232": { gib: 4 }, "nvidia-233": { gib: 8 } },
    oneSize: true,
  },
  "an A2 with virtual functions": {
    machine: { kind: "nvidia-mdev", model: "A2", address: "0000:08:00.0", virtualFunctions: VFS },
    parents: VFS,
    total: { gib: 16 },
    takes: { "nvidia-746": { gib: 4 }, "nvidia-751": { gib: 4 }, "nvidia-747": { gib: 8 }, "nvidia-748": { gib: 16 } },
    oneSize: true,
    perParent: 1,
  },
};

/** What exists, as the test itself counts it. */
type Devices = Map<string, { readonly parent: string; readonly type: string }>;
interface Played {
  readonly host: SimulatedHost;
  readonly devices: Devices;
}
interface Step {
  readonly create: boolean;
  readonly pick: number;
  readonly where: number;
}

const steps = fc.array(fc.record({ create: fc.boolean(), pick: fc.nat(), where: fc.nat() }), { maxLength: 30 });

function makeUuid(counter: number): string {
  return `00000000-0000-4000-8000-${counter.toString(16).padStart(12, "0")}`;
}

function choose<T>(items: readonly T[], pick: number): T {
  const item = items[pick % items.length];
  assert.ok(item !== undefined);
  return item;
}

/** One write, on the host and in the test's own books; the books follow what the host answers. */
function apply(each: Case, { host, devices }: Played, step: Step & { readonly counter: number }): void {
  if (step.create) {
    const parent = choose(each.parents, step.where);
    const type = choose(Object.keys(each.takes), step.pick);
    const uuid = makeUuid(step.counter);
    if (host.create(parent, type, uuid).kind === "written") devices.set(uuid, { parent, type });
  } else if (devices.size > 0) {
    const uuid = choose([...devices.keys()], step.pick);
    assert.equal(host.remove(uuid).kind, "written");
    devices.delete(uuid);
  }
}

function play(each: Case, plan: readonly Step[]): Played {
  const host = simulateHost({ name: "h", machines: [each.machine] });
  const devices: Devices = new Map();
  for (const [counter, step] of plan.entries()) apply(each, { host, devices }, { ...step, counter });
  return { host, devices };
}

function readRoom(host: SimulatedHost, parent: string, type: string): number {
  const read = host.tree.read(`/sys/class/mdev_bus/${parent}/mdev_supported_types/${type}/available_instances`, 16);
  assert.equal(read.kind, "text");
  return read.kind === "text" ? Number(read.text) : Number.NaN;
}

function listRooms(each: Case, host: SimulatedHost): Map<string, number> {
  const pairs = each.parents.flatMap((parent) => Object.keys(each.takes).map((type) => [parent, type] as const));
  return new Map(pairs.map(([parent, type]) => [`${parent} ${type}`, readRoom(host, parent, type)]));
}

const RUNS = { numRuns: 25 };

for (const [name, each] of Object.entries(CASES)) {
  describe(`laws of ${name}`, () => {
    it("M1: no sequence of writes takes more than there is, or mixes sizes where they may not mix", () => {
      fc.assert(
        fc.property(steps, (plan) => {
          const { devices } = play(each, plan);
          for (const [counter, total] of Object.entries(each.total)) {
            const taken = [...devices.values()].reduce((sum, { type }) => sum + (each.takes[type]?.[counter] ?? 0), 0);
            assert.ok(taken <= total, `${counter}: ${taken} of ${total}`);
          }
          const sizes = new Set([...devices.values()].map(({ type }) => JSON.stringify(each.takes[type])));
          if (each.oneSize === true) assert.ok(sizes.size <= 1);
          const busiest = each.parents.map((p) => [...devices.values()].filter(({ parent }) => parent === p).length);
          assert.ok(Math.max(...busiest) <= (each.perParent ?? Number.POSITIVE_INFINITY));
        }),
        RUNS,
      );
    });

    it("M2: available_instances is how often create succeeds, and then it answers ENOSPC", () => {
      fc.assert(
        fc.property(steps, fc.nat(), fc.nat(), (plan, pick, where) => {
          const { host } = play(each, plan);
          const parent = choose(each.parents, where);
          const type = choose(Object.keys(each.takes), pick);
          const room = readRoom(host, parent, type);
          for (let n = 0; n < room; n += 1) assert.equal(host.create(parent, type, makeUuid(1000 + n)).kind, "written");
          assert.deepEqual(host.create(parent, type, makeUuid(9999)), { kind: "failed", errno: "ENOSPC" });
          assert.equal(readRoom(host, parent, type), 0);
        }),
        RUNS,
      );
    });

    it("M3: creating a device of one type never raises the room of another", () => {
      fc.assert(
        fc.property(steps, fc.nat(), fc.nat(), (plan, pick, where) => {
          const { host, devices } = play(each, plan);
          const before = listRooms(each, host);
          apply(each, { host, devices }, { create: true, pick, where, counter: 5000 });
          for (const [key, room] of listRooms(each, host)) assert.ok(room <= (before.get(key) ?? 0), key);
        }),
        RUNS,
      );
    });

    it("M4: remove undoes create exactly: every path, mode, link and text of the whole host", () => {
      fc.assert(
        fc.property(steps, fc.nat(), fc.nat(), (plan, pick, where) => {
          const { host } = play(each, plan);
          const before = listTree(host.tree, "/");
          const [parent, type] = [choose(each.parents, where), choose(Object.keys(each.takes), pick)];
          const created = host.create(parent, type, makeUuid(7777));
          if (created.kind === "written") {
            assert.notDeepEqual(listTree(host.tree, "/"), before);
            assert.equal(host.remove(makeUuid(7777)).kind, "written");
          }
          assert.deepEqual(listTree(host.tree, "/"), before);
        }),
        { numRuns: 8 },
      );
    });
  });
}

describe("laws of aggregation", () => {
  const TYPES = { "dsa-1dwq": 1, "dsa-2dwq": 2 } as const;
  const writes = fc.array(fc.record({ device: fc.nat(), count: fc.integer({ min: -1, max: 20 }) }), { maxLength: 20 });
  const kinds = fc.array(fc.constantFrom<keyof typeof TYPES>("dsa-1dwq", "dsa-2dwq"), { minLength: 1, maxLength: 5 });

  it("M5: queues of all devices and queues left always make the whole; removing all gives all back", () => {
    fc.assert(
      fc.property(kinds, writes, (types, plan) => {
        const parent = "0000:6a:01.0";
        const host = simulateHost({ name: "h", machines: [{ kind: "dsa", address: parent, workQueues: 24 }] });
        for (const [n, type] of types.entries()) assert.equal(host.create(parent, type, makeUuid(n)).kind, "written");
        for (const { device, count } of plan) {
          const uuid = makeUuid(device % types.length);
          const before = readCount(host, uuid);
          const stored = host.setAttribute(uuid, "aggregator", String(count));
          assert.equal(readCount(host, uuid), stored.kind === "written" ? count : before);
          assert.ok(count > 0 || stored.kind === "failed");
          const taken = types.reduce((sum, type, n) => sum + TYPES[type] * readCount(host, makeUuid(n)), 0);
          assert.equal(taken + readRoom(host, parent, "dsa-1dwq"), 24);
        }
        for (const n of types.keys()) host.remove(makeUuid(n));
        assert.equal(readRoom(host, parent, "dsa-1dwq"), 24);
      }),
      { numRuns: 40 },
    );
  });
});

function readCount(host: SimulatedHost, uuid: string): number {
  const read = host.tree.read(`/sys/bus/mdev/devices/${uuid}/aggregator`, 16);
  return read.kind === "text" ? Number(read.text) : Number.NaN;
}
