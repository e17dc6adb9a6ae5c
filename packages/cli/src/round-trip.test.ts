// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readHost } from "@berth/agent/discovery/read-host";
import { testSysfsTree, type TreeEntries } from "@berth/agent/host/sysfs-tree.contract";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { roomFor } from "@berth/core/capacity/room";
import { valueOf } from "@berth/core/device/evidence";
import { fleetHostOf, type FleetHost } from "@berth/core/inventory/fleet";
import { DEMO_FLEET } from "@berth/simulator/machine/examples";
import { makeTree, type SimulatedTree } from "@berth/simulator/tree/simulated-tree";
import { refused, type Attribute, type Shown } from "@berth/simulator/tree/node";
import { simulateHost, type SimulatedHost, type SimulatedHostSpec } from "@berth/simulator/machine/host";
import { readPacks } from "./input/statements.ts";

testSysfsTree("the simulator's tree", openSimulatedTree);

/** The contract's entries as a kernel would put them into its tree. */
function openSimulatedTree(entries: TreeEntries): SimulatedTree {
  const tree = makeTree();
  for (const [path, entry] of Object.entries(entries)) {
    tree.addDirectory(path.slice(0, path.lastIndexOf("/")) || "/");
    if (typeof entry === "string") tree.addAttribute(path, shown(entry, 0o444));
    else if (entry.kind === "file") tree.addAttribute(path, shown(entry.content, entry.mode ?? 0o444));
    else if (entry.kind === "link") tree.setFault(path, { kind: "link", target: entry.target });
    else if (entry.kind === "directory") tree.addDirectory(path);
    else
      tree.addAttribute(path, { mode: 0o444, show: () => refused(entry.kind === "failing" ? entry.errno : "EINVAL") });
  }
  return tree;
}

function shown(content: string | Uint8Array, mode: number): Attribute {
  const value: Shown =
    typeof content === "string" ? { kind: "text", text: content } : { kind: "bytes", bytes: content };
  return { mode, show: () => value };
}

/** What the agent makes of a simulated host as it is now. */
function readBack(host: SimulatedHost): FleetHost {
  return fleetHostOf(readHost(host.tree, host.name), readPacks({}), STRICT_POLICY);
}

/** Hosts of the demo that are simulated without faults: everything on them can be read. */
const WHOLE: readonly SimulatedHostSpec[] = DEMO_FLEET.filter(
  (spec) => readBack(simulateHost(spec)).problems.length === 0,
);

describe("the agent reads back what the simulator renders", () => {
  it("with nothing to complain about on most hosts of the demo", () => {
    assert.ok(WHOLE.length >= DEMO_FLEET.length - 2, `${WHOLE.length} of ${DEMO_FLEET.length}`);
  });

  for (const spec of WHOLE) {
    it(`${spec.name}: the devices, with their parents and types`, () => {
      const host = simulateHost(spec);
      const read = readBack(host).snapshot.devices.filter((device) => device.kind === "mdev");
      assert.deepEqual(
        read.map((device) => `${device.id} ${device.parent} ${valueOf(device.type)}`).toSorted(),
        (spec.devices ?? []).map(({ parent, type }, index) => `${host.devices[index]} ${parent} ${type}`).toSorted(),
      );
    });

    it(`${spec.name}: as much room as create then grants`, () => {
      for (const [parent, type, room] of roomsOf(readBack(simulateHost(spec)))) {
        assert.equal(countCreatable(simulateHost(spec), parent, type), room, `${parent}/${type}`);
      }
    });
  }
});

/** Every parent and type with a room that is known. */
function roomsOf({ pools, places }: FleetHost): readonly (readonly [parent: string, type: string, room: number])[] {
  return places.flatMap(({ parent, type }) => {
    const pool = pools.find((candidate) => candidate.parents.includes(parent));
    if (pool === undefined) return [];
    const room = roomFor(pool, { type, parent });
    return room.atLeast === room.atMost ? [[parent, type, room.atLeast] as const] : [];
  });
}

/** How often the simulated kernel lets a device of that type be created, until it refuses. */
function countCreatable(host: SimulatedHost, parent: string, type: string): number {
  for (let count = 0; count < 100; count++) {
    const uuid = `cccccccc-0000-4000-8000-${String(count).padStart(12, "0")}`;
    if (host.create(parent, type, uuid).kind !== "written") return count;
  }
  throw new Error(`${host.name}:${parent}/${type} never ends`);
}
