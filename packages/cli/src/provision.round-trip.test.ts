// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Crash, doomHands, openDoomedJournal, type Disk } from "@berth/agent/provision/crash-points";
import type { Hands } from "@berth/agent/provision/effects";
import { executeSteps } from "@berth/agent/provision/execute-steps";
import type { HostWriter } from "@berth/agent/provision/host-writer";
import type { Outcome } from "@berth/agent/provision/outcome";
import { makePoolLocks } from "@berth/agent/provision/pool-lock";
import { recoverClaim, type Repair } from "@berth/agent/provision/recover";
import type { Step } from "@berth/core/provision/step";
import { DEMO_FLEET } from "@berth/simulator/machine/examples";
import { simulateHost, type SimulatedHost, type SimulatedHostSpec } from "@berth/simulator/machine/host";
import type { SimulatedTree } from "@berth/simulator/tree/simulated-tree";
import fc from "fast-check";

const ALIVE = { left: Number.POSITIVE_INFINITY };

function uuidOf(number: number): string {
  return `cccccccc-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function handsOf(host: SimulatedHost): Hands {
  const writer: HostWriter = host.tree;
  return {
    writer,
    look: () => host.tree,
    runner: { run: () => Promise.reject(new Error("A simulated host runs no commands")) },
    mdevctl: { kind: "unusable", why: "mdevctl is not installed" },
    scratch: "/nowhere",
    useOf: () => ({ kind: "free" }),
  };
}

/** Every file, link and folder of a host below /sys, with what it says. */
function describeTree(tree: SimulatedTree, path = "/sys"): readonly string[] {
  const looked = tree.lookup(path);
  if (looked.kind === "link") return [`${path} -> ${looked.target}`];
  if (looked.kind === "file") return [`${path} ${JSON.stringify(tree.read(path, 4096))}`];
  const listing = tree.list(path);
  const names = listing.kind === "names" ? listing.names : [JSON.stringify(listing)];
  return [path, ...names.flatMap((name) => describeTree(tree, `${path}/${name}`))];
}

interface Wanted {
  readonly parent: string;
  readonly type: string;
  readonly uuid: string;
  /** Units, set through the attribute that the simulated accelerators have. */
  readonly units?: string;
}

function planDevice({ parent, type, uuid, units }: Wanted): readonly Step[] {
  const device = `/sys/bus/mdev/devices/${uuid}`;
  const create: Step = {
    effect: { kind: "create", parent, type, uuid },
    readBack: { path: `${device}/mdev_type`, expected: type, as: "link" },
    undo: { kind: "remove", uuid },
    text: `create ${type}`,
  };
  if (units === undefined) return [create];
  const grow: Step = {
    effect: { kind: "write", uuid, attribute: "aggregator", value: units },
    readBack: { path: `${device}/aggregator`, expected: units },
    skipWhenEqual: true,
    text: `set aggregator to ${units}`,
  };
  return [create, grow];
}

function execute(host: SimulatedHost, steps: readonly Step[]): Promise<Outcome> {
  const journal = openDoomedJournal({ text: "" }, ALIVE);
  return executeSteps({ purpose: "make", steps, hands: handsOf(host), journal });
}

function specOf(name: string): SimulatedHostSpec {
  const spec = DEMO_FLEET.find((candidate) => candidate.name === name);
  if (spec === undefined) throw new Error(`The demo has no host ${name}`);
  return spec;
}

const DSA = "0000:6a:01.0";
const HELD = "5eed0000-0501-4000-8000-000000000001";

interface Case {
  readonly host: string;
  readonly steps: readonly Step[];
  readonly prepare?: (host: SimulatedHost) => void;
  readonly is: string;
}

const REFUSALS: Readonly<Record<string, Case>> = {
  "ENOSPC of a pool that is full": {
    host: "rack5-n1",
    steps: [1, 2, 3].flatMap((number) => planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(number) })),
    is: "undone place_taken ENOSPC 2 [nothing-left undone undone]",
  },
  "EEXIST of a UUID that stands": {
    host: "rack5-n1",
    steps: planDevice({ parent: DSA, type: "dsa-1dwq", uuid: HELD }),
    is: "undone already_there EEXIST 0 []",
  },
  "EINVAL of an aggregator that is too large": {
    host: "rack5-n2",
    steps: planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(1), units: "40" }),
    is: "undone refused EINVAL 1 [undone]",
  },
  "ENODEV of a parent that goes away": {
    host: "rack5-n2",
    steps: planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(1) }),
    prepare: (host) => host.startUnplug(DSA),
    is: "undone refused ENODEV 0 [nothing-left]",
  },
  "ENOENT of a type that is not offered": {
    host: "rack5-n2",
    steps: planDevice({ parent: DSA, type: "dsa-4dwq", uuid: uuidOf(1) }),
    is: "undone refused ENOENT 0 [nothing-left]",
  },
  "EIO of an attribute, on writing": {
    host: "rack5-n2",
    steps: planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(1) }),
    prepare: (host) =>
      host.tree.setFault(`/sys/class/mdev_bus/${DSA}/mdev_supported_types/dsa-1dwq/create`, {
        kind: "errno",
        errno: "EIO",
      }),
    is: "undone refused EIO 0 [nothing-left]",
  },
  "an attribute that reads otherwise than it was set": {
    host: "rack5-n2",
    steps: [
      ...planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(1) }),
      {
        effect: { kind: "check", uuid: uuidOf(1) },
        readBack: { path: `/sys/bus/mdev/devices/${uuidOf(1)}/aggregator`, expected: "3" },
        text: "check",
      },
    ],
    is: "undone read_back - 1 [undone]",
  },
};

function shorten(outcome: Outcome): string {
  if (outcome.kind === "completed") return outcome.kind;
  const { code, errno, step } = outcome.failure;
  return `${outcome.kind} ${code} ${errno ?? "-"} ${step} [${outcome.undos.map(({ kind }) => kind).join(" ")}]`;
}

describe("executing steps on a simulated host", () => {
  it("makes a device of thirty queues, and unmakes it without a trace", async () => {
    const host = simulateHost(specOf("rack5-n2"));
    const before = describeTree(host.tree);
    const steps = planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(1), units: "30" });
    const disk: Disk = { text: "" };
    const journal = openDoomedJournal(disk, ALIVE);
    assert.deepEqual(await executeSteps({ purpose: "make", steps, hands: handsOf(host), journal }), {
      kind: "completed",
    });
    assert.deepEqual(host.tree.read(`/sys/bus/mdev/devices/${uuidOf(1)}/aggregator`, 9), {
      kind: "text",
      text: "30\n",
    });
    const gone: Step[] = [{ effect: { kind: "remove", uuid: uuidOf(1) }, text: "remove" }];
    const again = { purpose: "unmake", steps: gone, hands: handsOf(host), journal } as const;
    assert.deepEqual(await executeSteps(again), { kind: "completed" });
    assert.deepEqual(describeTree(host.tree), before);
  });

  for (const [name, { host: hostName, steps, prepare, is }] of Object.entries(REFUSALS)) {
    it(`takes everything back after ${name}`, async () => {
      const host = simulateHost(specOf(hostName));
      prepare?.(host);
      const before = describeTree(host.tree);
      assert.equal(shorten(await execute(host, steps)), is);
      assert.deepEqual(describeTree(host.tree), before);
    });
  }

  it("answers EUSERS of an mdev core that counts itself as a place that is taken", async () => {
    const host = simulateHost(specOf("rack4-n1"));
    const path = "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create";
    host.tree.setFault(path, { kind: "errno", errno: "EUSERS" });
    const outcome = await execute(host, planDevice({ parent: "mtty", type: "mtty-1", uuid: uuidOf(1) }));
    assert.equal(shorten(outcome), "undone place_taken EUSERS 0 [nothing-left]");
  });

  it("lets exactly one of two have the last place of a pool", async () => {
    const host = simulateHost(specOf("rack5-n1"));
    await execute(host, planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(9) }));
    const locks = makePoolLocks();
    const outcomes = await Promise.all(
      [1, 2].map((number) =>
        locks.withOwners([`${host.name} ${DSA}`], () =>
          execute(host, planDevice({ parent: DSA, type: "dsa-1dwq", uuid: uuidOf(number) })),
        ),
      ),
    );
    assert.deepEqual(outcomes.map(shorten), ["completed", "undone place_taken ENOSPC 0 [nothing-left]"]);
  });
});

const HOSTS: readonly { readonly host: string; readonly parent: string; readonly types: readonly string[] }[] = [
  { host: "rack5-n2", parent: DSA, types: ["dsa-1dwq", "dsa-2dwq"] },
  { host: "rack1-n4", parent: DSA, types: ["dsa-1dwq", "dsa-2dwq"] },
  { host: "rack3-n1", parent: "0000:00:02.0", types: ["i915-GVTg_V5_4", "i915-GVTg_V5_8", "i915-GVTg_V5_2"] },
  { host: "rack3-n4", parent: "0000:08:00.5", types: ["nvidia-745", "nvidia-746"] },
  { host: "rack4-n1", parent: "mtty", types: ["mtty-1", "mtty-2"] },
];

const lives = fc.record({
  at: fc.constantFrom(...HOSTS),
  wanted: fc.array(fc.record({ type: fc.nat(2), units: fc.constantFrom("1", "2", "16", "0", "x") }), {
    minLength: 1,
    maxLength: 3,
  }),
  deaths: fc.array(fc.nat(40), { minLength: 1, maxLength: 3 }),
  repair: fc.constantFrom<Repair>("finish", "undo"),
});

describe("recovering on a simulated host", () => {
  it("P4: whenever agents die, in the end all devices stand or the host is as it was before", async () => {
    const seen = new Set<string>();
    const check = async ({ at, wanted, deaths, repair }: typeof lives extends fc.Arbitrary<infer T> ? T : never) => {
      const steps = wanted.flatMap(({ type, units }, index) =>
        planDevice({
          parent: at.parent,
          type: at.types[type] ?? at.types[0] ?? "",
          uuid: uuidOf(index + 1),
          ...(at.parent === DSA ? { units } : {}),
        }),
      );
      const host = simulateHost(specOf(at.host));
      const before = describeTree(host.tree);
      const disk: Disk = { text: "" };
      let settled = false;
      for (const left of [...deaths, Number.POSITIVE_INFINITY]) {
        const doom = { left };
        try {
          const journal = openDoomedJournal(disk, doom);
          const hands = doomHands(handsOf(host), doom);
          if (left === deaths[0] && journal.records.length === 0) {
            await executeSteps({ purpose: "make", steps, hands, journal });
          }
          const recovered = await recoverClaim({ hands, journal, planRepair: () => repair });
          seen.add(recovered.kind);
          if (recovered.kind === "completed") {
            const whole = simulateHost(specOf(at.host));
            assert.deepEqual(await execute(whole, steps), { kind: "completed" });
            assert.deepEqual(describeTree(host.tree), describeTree(whole.tree));
          } else assert.deepEqual(describeTree(host.tree), before);
          settled = true;
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
      }
      assert.ok(settled);
    };
    await fc.assert(fc.asyncProperty(lives, check), { numRuns: 60 });
    for (const kind of ["completed", "undone"]) assert.ok(seen.has(kind), kind);
  });
});
