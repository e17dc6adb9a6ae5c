// SPDX-License-Identifier: Apache-2.0

import type { FlatAttributes } from "./flat-attributes.ts";
import type { DeviceSpec, SimulatedHostSpec } from "./host.ts";
import type { ModuleSpec } from "./kernel-module.ts";
import type { MachineSpec } from "./machine.ts";
import type { MigrationFeature } from "./mdev-driver.ts";
import { formatHash } from "./stable-hash.ts";
import { makeVmFiles } from "./vm-files.ts";

/** The device of the demo: an aggregate of four DSA work queues on `rack1-n1` that has to find another place. */
export const DEMO_DEVICE: { readonly host: string; readonly device: string } = {
  host: "rack1-n1",
  device: "5eed0000-0101-4000-8000-000000000001",
};

const DSA_ADDRESS = "0000:6a:01.0";
const GPU_ADDRESS = "0000:00:02.0";
const DSA_FEATURES: readonly MigrationFeature[] = ["stop-copy", "p2p", "pre-copy", "dirty-tracking"];

/** A UUID of the demo: rack and node, then a counter on that host. */
function makeDemoUuid(host: `${number}-${number}`, counter: number): string {
  const [rack = "", node = ""] = host.split("-");
  return `5eed0000-${rack.padStart(2, "0")}${node.padStart(2, "0")}-4000-8000-${String(counter).padStart(12, "0")}`;
}

/** An accelerator whose driver exports the flat attributes with a version; without one it exports all but that. */
function makeDsa(version: string | undefined, more: Partial<MachineSpec & { readonly kind: "dsa" }> = {}): MachineSpec {
  const attributes: FlatAttributes = {
    ...(version === undefined ? {} : { softwareVersion: version }),
    compatible: { pci_ids: ["8086:0b25"] },
    dynamicResources: ["aggregator"],
  };
  const seat = { address: DSA_ADDRESS, numaNode: 0, iommuGroup: 41 };
  return { kind: "dsa", ...seat, attributes, migrationFeatures: DSA_FEATURES, ...more };
}

/** Builds of the accelerator's modules: equal where the version is. */
function makeDsaModules(version: string): readonly ModuleSpec[] {
  return ["idxd", "idxd_mdev"].map((name) => ({
    name,
    version,
    srcversion: formatHash(`${name} ${version}`, 23).toUpperCase(),
    taint: "OE",
  }));
}

/** A device made of several units of a DSA type. */
function makeAggregate(type: "dsa-1dwq" | "dsa-2dwq", count: number, uuid: string): DeviceSpec {
  return { parent: DSA_ADDRESS, type, uuid, attributes: count === 1 ? [] : [["aggregator", String(count)]] };
}

/** Addresses of the sixteen virtual functions of an A2 at 08:00.0: the fifth function and those after it. */
const A2_FUNCTIONS: readonly string[] = ["00", "01", "02"]
  .flatMap((slot) => [0, 1, 2, 3, 4, 5, 6, 7].map((number) => `0000:08:${slot}.${number}`))
  .slice(4, 20);

/** Rack 1: hosts that the device can go to, and one that is full. */
const RACK_1: readonly SimulatedHostSpec[] = [
  {
    name: "rack1-n1",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.0")],
    modules: makeDsaModules("1.5.0"),
    devices: [makeAggregate("dsa-1dwq", 4, DEMO_DEVICE.device), makeAggregate("dsa-1dwq", 8, makeDemoUuid("1-1", 2))],
  },
  {
    name: "rack1-n2",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.0")],
    modules: makeDsaModules("1.5.0"),
    devices: [makeAggregate("dsa-1dwq", 20, makeDemoUuid("1-2", 1))],
  },
  {
    name: "rack1-n3",
    vfioDebugfs: true,
    machines: [
      makeDsa("1.6.2", {
        attributes: {
          softwareVersion: "1.6.2",
          compatible: { pci_ids: ["8086:0b25", "8086:11fb"] },
          dynamicResources: ["aggregator"],
        },
        numaNode: 1,
      }),
    ],
    modules: makeDsaModules("1.6.2"),
    devices: [makeAggregate("dsa-1dwq", 2, makeDemoUuid("1-3", 1))],
  },
  {
    name: "rack1-n4",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.3")],
    modules: makeDsaModules("1.5.3"),
    devices: [
      makeAggregate("dsa-1dwq", 16, makeDemoUuid("1-4", 1)),
      makeAggregate("dsa-1dwq", 13, makeDemoUuid("1-4", 2)),
    ],
  },
];

/** Rack 2: the same accelerators with other drivers, and one that is cut into pairs of queues. */
const RACK_2: readonly SimulatedHostSpec[] = [
  {
    name: "rack2-n1",
    vfioDebugfs: true,
    machines: [makeDsa("1.4.2")],
    modules: makeDsaModules("1.4.2"),
    devices: [makeAggregate("dsa-1dwq", 1, makeDemoUuid("2-1", 1))],
  },
  {
    name: "rack2-n2",
    vfioDebugfs: true,
    machines: [makeDsa("2.0.0")],
    modules: makeDsaModules("2.0.0"),
    devices: [makeAggregate("dsa-1dwq", 1, makeDemoUuid("2-2", 1))],
  },
  {
    name: "rack2-n3",
    machines: [makeDsa(undefined)],
    modules: makeDsaModules("1.3.0"),
  },
  {
    name: "rack2-n4",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.0", { types: ["2dwq"] })],
    modules: makeDsaModules("1.5.0"),
    devices: [makeAggregate("dsa-2dwq", 15, makeDemoUuid("2-4", 1))],
  },
];

/** Rack 3: GPUs. GVT-g of two generations, one pool full, and an A2 whose sixteen virtual functions share one budget. */
const RACK_3: readonly SimulatedHostSpec[] = [
  {
    name: "rack3-n1",
    machines: [{ kind: "i915-gvtg", address: GPU_ADDRESS, iommuGroup: 0, numaNode: 0, generation: 5 }],
    devices: [{ parent: GPU_ADDRESS, type: "i915-GVTg_V5_4", uuid: makeDemoUuid("3-1", 1) }],
  },
  {
    name: "rack3-n2",
    machines: [{ kind: "i915-gvtg", address: GPU_ADDRESS, iommuGroup: 0, numaNode: 0, generation: 5 }],
    devices: [1, 2, 3].map((n) => ({ parent: GPU_ADDRESS, type: "i915-GVTg_V5_4", uuid: makeDemoUuid("3-2", n) })),
  },
  {
    name: "rack3-n3",
    machines: [{ kind: "i915-gvtg", address: GPU_ADDRESS, iommuGroup: 0, numaNode: 0, generation: 4 }],
  },
  {
    name: "rack3-n4",
    machines: [
      {
        kind: "nvidia-mdev",
        model: "A2",
        address: "0000:08:00.0",
        behind: ["0000:00:03.0"],
        numaNode: 0,
        iommuGroup: 20,
        virtualFunctions: A2_FUNCTIONS,
      },
    ],
    devices: [{ parent: "0000:08:00.4", type: "nvidia-746", uuid: makeDemoUuid("3-4", 1) }],
  },
];

/** Rack 4: a test bench, and a host with things wrong. */
const RACK_4: readonly SimulatedHostSpec[] = [
  {
    name: "rack4-n1",
    machines: [
      { kind: "mtty" },
      { kind: "nvidia-mdev", model: "T4", address: "0000:3b:00.0", numaNode: 0, iommuGroup: 33 },
    ],
    devices: [
      { parent: "mtty", type: "mtty-2", uuid: makeDemoUuid("4-1", 1) },
      { parent: "0000:3b:00.0", type: "nvidia-231", uuid: makeDemoUuid("4-1", 2) },
    ],
  },
  {
    name: "rack4-n2",
    machines: [makeDsa("1.5.0")],
    modules: makeDsaModules("1.5.0"),
    devices: [
      makeAggregate("dsa-1dwq", 1, makeDemoUuid("4-2", 1)),
      makeAggregate("dsa-1dwq", 1, makeDemoUuid("4-2", 2)),
    ],
    faults: [
      {
        path: `/sys/class/mdev_bus/${DSA_ADDRESS}/mdev_supported_types/dsa-1dwq/available_instances`,
        fault: { kind: "errno", errno: "EIO" },
      },
      { path: `/sys/bus/mdev/devices/${makeDemoUuid("4-2", 2)}/mdev_type`, fault: { kind: "absent" } },
    ],
  },
];

/** Rack 5: the pair of the founding thread, thirty queues in one device, and a device of one queue that can grow to it. */
const RACK_5: readonly SimulatedHostSpec[] = [
  {
    name: "rack5-n1",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.0")],
    modules: makeDsaModules("1.5.0"),
    devices: [makeAggregate("dsa-1dwq", 30, makeDemoUuid("5-1", 1))],
  },
  {
    name: "rack5-n2",
    vfioDebugfs: true,
    machines: [makeDsa("1.5.0")],
    modules: makeDsaModules("1.5.0"),
    devices: [makeAggregate("dsa-1dwq", 1, makeDemoUuid("5-2", 1))],
    files: makeVmFiles([]),
  },
];

const SECOND_DSA_ADDRESS = "0000:e7:01.0";

/** A host of rack 6: two accelerators on two sockets, each cut into pairs of queues. */
function makePairHost(
  name: string,
  version: string,
): Pick<SimulatedHostSpec, "name" | "vfioDebugfs" | "machines" | "modules"> {
  const machines = [
    makeDsa(version, { types: ["2dwq"] }),
    makeDsa(version, { types: ["2dwq"], address: SECOND_DSA_ADDRESS, numaNode: 1, iommuGroup: 61 }),
  ];
  return { name, vfioDebugfs: true, machines, modules: makeDsaModules(version) };
}

/** Rack 6: VMs with devices of two parents each, one running and one that Nova made and that is shut off. */
const RACK_6: readonly SimulatedHostSpec[] = [
  {
    ...makePairHost("rack6-n1", "1.5.0"),
    devices: [
      makeAggregate("dsa-2dwq", 10, makeDemoUuid("6-1", 1)),
      { ...makeAggregate("dsa-2dwq", 10, makeDemoUuid("6-1", 2)), parent: SECOND_DSA_ADDRESS },
      makeAggregate("dsa-2dwq", 1, makeDemoUuid("6-1", 3)),
    ],
    files: makeVmFiles([
      {
        name: "db1",
        uuid: makeDemoUuid("6-1", 101),
        memoryMib: 16_384,
        devices: [makeDemoUuid("6-1", 1), makeDemoUuid("6-1", 2)],
        pid: 4242,
      },
      {
        name: "instance-0000002a",
        uuid: makeDemoUuid("6-1", 102),
        memoryMib: 4096,
        devices: [makeDemoUuid("6-1", 3)],
        stack: "nova",
      },
    ]),
  },
  {
    ...makePairHost("rack6-n2", "1.5.0"),
    devices: [makeAggregate("dsa-2dwq", 1, makeDemoUuid("6-2", 1))],
    files: makeVmFiles([]),
  },
  {
    ...makePairHost("rack6-n3", "1.5.4"),
    devices: [{ ...makeAggregate("dsa-2dwq", 7, makeDemoUuid("6-3", 1)), parent: SECOND_DSA_ADDRESS }],
    files: makeVmFiles([]),
  },
];

/**
 * The fleet of the demo. `DEMO_DEVICE`, `dsa-1dwq` x 4 under a driver of stream version 1.5.0, may go to n2 and n3 of rack
 * 1 and to n2 of rack 5; n4 and rack 5's n1 are full. In rack 2 one driver is older, one of another major version, one does not say, and one accelerator
 * offers another type only. Racks 3 and 4 hold other kinds, and a host with problems; rack 6 holds VMs with several devices.
 */
export const DEMO_FLEET: readonly SimulatedHostSpec[] = [
  ...RACK_1,
  ...RACK_2,
  ...RACK_3,
  ...RACK_4,
  ...RACK_5,
  ...RACK_6,
];
