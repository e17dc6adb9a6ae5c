// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { absent, known } from "../device/evidence.ts";
import type { Evidence } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { factsOfSnapshot } from "./facts-of-snapshot.ts";
import type { ParentFacts } from "./host-facts.ts";

const SEEN: Evidence = { host: "b", source: "sysfs", path: "/sys/made-up" };

interface Shown {
  readonly parent?: "mdev" | "vendor-vfio";
  readonly max?: number;
  readonly count?: { readonly attribute: string; readonly settable: boolean; readonly on?: string };
  readonly assigned?: readonly [string, boolean];
}

function snapshotOf({ parent, max, count, assigned }: Shown): HostSnapshot {
  const maxAggregation = max === undefined ? absent(SEEN) : known(max, SEEN);
  const shown = {
    parents: parent === undefined ? [] : [{ id: "gpu", framework: parent, types: [{ maxAggregation }] }],
    devices:
      count === undefined ? [] : [{ parent: count.on ?? "gpu", aggregation: known({ count: 2, ...count }, SEEN) }],
    functions: assigned === undefined ? [] : [{ address: assigned[0], assigned: assigned[1] }],
  };
  return shown as unknown as HostSnapshot;
}

const MDEV: ParentFacts = { framework: "mdev", create: "plain", tool: "mdevctl" };

const CASES: Readonly<Record<string, { readonly of: Shown; readonly facts: Readonly<Record<string, ParentFacts>> }>> = {
  "knows an mdev parent": { of: { parent: "mdev" }, facts: { gpu: MDEV } },
  "gives a parent with aggregated types a create that takes a count": {
    of: { parent: "mdev", max: 4 },
    facts: { gpu: { ...MDEV, create: "aggregate" } },
  },
  "reads from a device where the count is shown": {
    of: { parent: "mdev", max: 4, count: { attribute: "aggregated_instances", settable: false } },
    facts: { gpu: { ...MDEV, create: "aggregate", countAttribute: "aggregated_instances" } },
  },
  "takes an attribute that is set later for no count of create": {
    of: { parent: "mdev", max: 4, count: { attribute: "mdev/aggregation", settable: true } },
    facts: { gpu: { ...MDEV, create: "aggregate" } },
  },
  "does not ask the devices of another parent": {
    of: { parent: "mdev", max: 4, count: { attribute: "aggregated_instances", settable: false, on: "other" } },
    facts: { gpu: { ...MDEV, create: "aggregate" } },
  },
  "makes types of the vendor framework without mdevctl": {
    of: { parent: "vendor-vfio", max: 1 },
    facts: { gpu: { framework: "vendor-vfio", create: "plain", tool: "sysfs" } },
  },
  "knows a function that is handed to guests": {
    of: { assigned: ["0000:08:00.1", true] },
    facts: { "0000:08:00.1": { framework: "function", create: "plain", tool: "sysfs" } },
  },
  "leaves out a function of the host's own": { of: { assigned: ["0000:08:00.1", false] }, facts: {} },
  "prefers the parent to the function behind it": {
    of: { parent: "mdev", assigned: ["gpu", true] },
    facts: { gpu: MDEV },
  },
};

describe("factsOfSnapshot()", () => {
  for (const [name, { of, facts }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(Object.fromEntries(factsOfSnapshot(snapshotOf(of), "mdevctl")), facts));
  }
});
