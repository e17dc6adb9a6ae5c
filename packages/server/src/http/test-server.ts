// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance } from "fastify";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { known, type Reading } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import { FleetView } from "../inventory/fleet-view.ts";
import { makeApiServer, type ApiServerOptions } from "./make-server.ts";

/** A device of the test fleet that has two places to go to. */
export const TEST_DEVICE = { host: "a", device: "00000000-0000-4000-8000-000000000001" };

const SHARED = { version: "1.5.0", compatible: { x: "1" } };

/** Three hosts with room, without, and with a driver that is too old; and one where nothing can be read. */
export const TEST_HOSTS: readonly TestHost[] = [
  {
    host: "a",
    parents: [{ id: "p0", types: [{ id: "drv-a", available: 1, ...SHARED }], numaNode: 0 }],
    devices: [{ id: TEST_DEVICE.device, parent: "p0", type: "drv-a" }],
  },
  {
    host: "b",
    parents: [
      { id: "p0", types: [{ id: "drv-a", available: 2, ...SHARED }], numaNode: 0 },
      { id: "p1", types: [{ id: "drv-a", available: 4, ...SHARED }] },
    ],
  },
  {
    host: "c",
    parents: [{ id: "p0", types: [{ id: "drv-a", available: 0, ...SHARED }] }],
    devices: [{ id: "00000000-0000-4000-8000-00000000000c", parent: "p0", type: "drv-a" }],
  },
  {
    host: "d",
    parents: [{ id: "p0", types: [{ id: "drv-a", available: undefined, version: "1.4.0", compatible: { x: "1" } }] }],
  },
];

/** A host's snapshot with two problems. */
export function troubledSnapshot(host: string): HostSnapshot {
  const problem = { code: "attribute_unreadable", host, message: "EIO was answered" } as const;
  return {
    ...testSnapshot({ host, parents: [] }),
    problems: [
      { ...problem, path: "/sys/b" },
      { ...problem, path: "/sys/a", text: "x" },
    ],
  };
}

/** The VM of host `a`, with the test device. */
export const TEST_VM: VirtualMachine = {
  id: "vm-1",
  name: "web",
  pid: 4711,
  state: "running",
  owner: { kind: "unknown", evidence: { host: "a", source: "sysfs", path: "/proc/4711" } },
  devices: [
    {
      device: TEST_DEVICE.device,
      known: [{ how: "argument", evidence: { host: "a", source: "sysfs", path: "/proc/4711/cmdline" } }],
    },
  ],
  memoryKib: { kind: "known", value: 1048576, evidence: { host: "a", source: "sysfs", path: "/proc/4711/cmdline" } },
  hugepageKib: { kind: "absent", evidence: { host: "a", source: "sysfs", path: "/proc/4711/cmdline" } },
};

/** A test host in a rack, with labels. */
export function rackedSnapshot(host: TestHost, facts: Readonly<Record<string, string>>): HostSnapshot {
  const readings = Object.entries(facts).map(([name, value]): [string, Reading<string>] => [
    name,
    { kind: "known", value, evidence: { host: host.host, source: "script", path: `/etc/berth/facts.d/${name}` } },
  ]);
  return { ...testSnapshot(host), facts: Object.fromEntries(readings) };
}

/** Where host `a` has a text that stayed there. */
export const TEST_TEXT_PATH = "/proc/1/x";

function withText(snapshot: HostSnapshot): HostSnapshot {
  if (snapshot.host !== TEST_DEVICE.host) return snapshot;
  const evidence = { host: snapshot.host, source: "script", path: TEST_TEXT_PATH, textOnHost: true } as const;
  return { ...snapshot, facts: { ...snapshot.facts, long: known("x", evidence) } };
}

/** A view of the test hosts. */
export function testView(keptMessages = 1024): FleetView {
  const policy = { ...STRICT_POLICY, assumePlatform: true };
  const view = new FleetView({ policy, packs: [], epoch: "test", keptMessages });
  for (const host of TEST_HOSTS) {
    const virtualMachines = host.host === TEST_DEVICE.host ? [TEST_VM] : [];
    view.putSnapshot(withText({ ...testSnapshot(host), virtualMachines }));
  }
  view.putSnapshot(troubledSnapshot("e"));
  return view;
}

/** A server for tests, without tokens unless given. */
export function testServer(view: FleetView, options: Partial<ApiServerOptions> = {}): FastifyInstance {
  return makeApiServer({ view, version: "0.0.0", tokens: () => undefined, lagSeconds: () => 0, ...options });
}
