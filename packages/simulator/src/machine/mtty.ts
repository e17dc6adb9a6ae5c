// SPDX-License-Identifier: Apache-2.0

import { fixedAttribute, refused, settingAttribute } from "../tree/node.ts";
import type { FlatAttributes } from "./flat-attributes.ts";
import { listFlatAttributes } from "./flat-attributes.ts";
import type { Kernel } from "./kernel.ts";
import type { MdevDriver } from "./mdev-driver.ts";

/** The kernel's sample serial card (samples/vfio-mdev/mtty.c). */
export interface MttySpec {
  readonly attributes?: FlatAttributes;
}

/** MAX_MTTYS: ports of the whole module. */
const PORTS = 24;
const PORTS_OF_TYPE = new Map([
  ["1", { ports: 1, prettyName: "Single port serial" }],
  ["2", { ports: 2, prettyName: "Dual port serial" }],
]);

/** Puts the card into the tree. Returns its path; it has no bus and no driver, so its class names its types. */
export function addMttyDevice(kernel: Kernel): string {
  const path = "/sys/devices/virtual/mtty/mtty";
  kernel.tree.addAttribute(`${path}/uevent`, settingAttribute(""));
  kernel.tree.addLink(`${path}/subsystem`, "/sys/class/mtty");
  kernel.tree.addLink("/sys/class/mtty/mtty", path);
  return path;
}

/** Makes the driver. It has no description, and answers ENOSPC itself when ports run out. */
export function makeMttyDriver(spec: MttySpec): MdevDriver {
  let free = PORTS;
  return {
    busDriver: { name: "mtty", module: "mtty" },
    deviceApi: "vfio-pci",
    types: [...PORTS_OF_TYPE].map(([name, { prettyName }]) => ({ name, prettyName })),
    available: (type) => Math.floor(free / portsOf(type)),
    probe: (device) => {
      if (free < portsOf(device.type)) return refused("ENOSPC");
      free -= portsOf(device.type);
      return undefined;
    },
    remove: (device) => {
      free += portsOf(device.type);
    },
    typeAttributes: () => listFlatAttributes(spec.attributes),
    deviceAttributes: (device) => [sampleAttribute(device.uuid)],
    migrationFeatures: ["stop-copy", "p2p", "pre-copy", "dirty-tracking"],
  };
}

/** The one attribute of the kernel's sample drivers, in their group `vendor`. */
export function sampleAttribute(uuid: string): {
  readonly name: string;
  readonly attribute: ReturnType<typeof fixedAttribute>;
} {
  return { name: "vendor/sample_mdev_dev", attribute: fixedAttribute(`This is MDEV ${uuid}`) };
}

function portsOf(type: string): number {
  const known = PORTS_OF_TYPE.get(type);
  if (known === undefined) throw new RangeError(`mtty has no type ${JSON.stringify(type)}`);
  return known.ports;
}
