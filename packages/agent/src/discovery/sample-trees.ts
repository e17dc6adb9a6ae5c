// SPDX-License-Identifier: Apache-2.0

import type { MemoryEntry } from "../host/memory-tree.ts";

/** Entries of a tree by absolute path, to be put together and changed in tests. */
export type Entries = Readonly<Record<string, MemoryEntry>>;

/** UUIDs of the devices in these trees. */
export const UUIDS = [1, 2, 3].map((number) => `00000000-0000-4000-8000-00000000000${number}`) as [
  string,
  string,
  string,
];

/** A link. */
export function link(target: string): MemoryEntry {
  return { kind: "link", target };
}

/** What every host has. */
export const KERNEL: Entries = {
  "/proc/sys/kernel/osrelease": "6.12.1-test\n",
  "/proc/version": "Linux version 6.12.1-test (gcc) #1 SMP\n",
  "/etc/os-release": link("../usr/lib/os-release"),
  "/usr/lib/os-release": 'NAME="Test"\nID=rhel\nVERSION_ID="9.6"\n',
};

/** A PCI function with its links; `more` are names in its folder. */
export function pciFunction(address: string, more: Entries = {}): Entries {
  const path = `/sys/devices/pci0000:00/${address}`;
  return {
    [`/sys/bus/pci/devices/${address}`]: link(`../../../devices/pci0000:00/${address}`),
    [`${path}/vendor`]: "0x10de\n",
    [`${path}/device`]: "0x25b6\n",
    [`${path}/subsystem_vendor`]: "0x10de\n",
    [`${path}/subsystem_device`]: "0x157e\n",
    [`${path}/class`]: "0x030200\n",
    [`${path}/numa_node`]: "1\n",
    [`${path}/uevent`]: `PCI_SLOT_NAME=${address}\n`,
    [`${path}/subsystem`]: link("../../../bus/pci"),
    [`${path}/iommu_group`]: link("../../../kernel/iommu_groups/7"),
    "/sys/kernel/iommu_groups/7/type": "DMA\n",
    ...below(path, more),
  };
}

/** Binds a PCI function to a driver with its module. */
export function bound(driver: string, module: string): Entries {
  return {
    driver: link(`../../../bus/pci/drivers/${driver}`),
    [`^/sys/bus/pci/drivers/${driver}/module`]: link(`../../../../module/${module}`),
    [`^/sys/module/${module}/srcversion`]: "0123456789ABCDEF\n",
    [`^/sys/module/${module}/taint`]: "OE\n",
  };
}

/** A type's folder for `more` of a parent: names below it. */
export function mdevType(id: string, more: Entries = {}): Entries {
  return below(`mdev_supported_types/${id}`, {
    name: `Name of ${id}\n`,
    device_api: "vfio-pci\n",
    available_instances: "3\n",
    devices: { kind: "directory" },
    ...more,
  });
}

/** A parent of the mdev class that is no PCI function. */
export function virtualParent(name: string, more: Entries): Entries {
  const path = `/sys/devices/virtual/${name}/${name}`;
  return {
    [`/sys/class/mdev_bus/${name}`]: link(`../../devices/virtual/${name}/${name}`),
    [`${path}/uevent`]: "",
    ...below(path, more),
  };
}

/** An mdev device below the folder of its parent, with the links that the kernel makes. */
export function mdevDevice(place: { parent: string; uuid: string; type: string }, more: Entries = {}): Entries {
  const { parent, uuid, type } = place;
  return {
    [`/sys/bus/mdev/devices/${uuid}`]: link(`${parent}/${uuid}`),
    [`${parent}/mdev_supported_types/${type}/devices/${uuid}`]: link(`../../../${uuid}`),
    [`${parent}/${uuid}/mdev_type`]: link(`../mdev_supported_types/${type}`),
    [`${parent}/${uuid}/uevent`]: "",
    [`${parent}/${uuid}/power/control`]: "auto\n",
    ...below(`${parent}/${uuid}`, more),
  };
}

/** Moves entries below a path; a name that begins with `^` is absolute already. */
function below(path: string, entries: Entries): Entries {
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [name.startsWith("^") ? name.slice(1) : `${path}/${name}`, entry]),
  );
}
