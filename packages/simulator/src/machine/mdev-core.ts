// SPDX-License-Identifier: Apache-2.0

import { fixedAttribute, lineAttribute, refused, triggerAttribute, WRITTEN, type Stored } from "../tree/node.ts";
import { baseName } from "../tree/path.ts";
import { addBus, addBusDriver } from "./driver-folder.ts";
import type { Kernel } from "./kernel.ts";
import { parseKernelUnsigned } from "./kernel-number.ts";
import { addDeviceFolder, removeDeviceFolder, type Placement } from "./mdev-device-folder.ts";
import type { MdevDevice, MdevDriver } from "./mdev-driver.ts";

/** A device that becomes an mdev parent. */
export interface ParentSpec {
  readonly path: string;
  /** dev_driver_string(): the driver's name, or else the bus's or the class's. It begins every type id. */
  readonly driverString: string;
  readonly driver: MdevDriver;
}

/** The mdev core of one machine (drivers/vfio/mdev/mdev_core.c, mdev_sysfs.c). */
export interface MdevCore {
  registerParent(spec: ParentSpec): void;
  /** From here on the parent refuses to create and remove; its files still stand. */
  startUnregister(parentPath: string): void;
  /** Removes the parent's devices and types. */
  finishUnregister(parentPath: string): void;
  /** What a write of a UUID to `create` leads to. `type` is the type name without the driver string. */
  createDevice(parentPath: string, type: string, uuid: string): Stored;
  /** What a write of 1 to `remove` leads to. */
  removeDevice(uuid: string): Stored;
}

interface Parent {
  readonly spec: ParentSpec;
  /** Free devices by the core's own count, for a driver without `available`. */
  free: number;
  state: "registered" | "unregistering";
}

interface Entry {
  readonly device: MdevDevice;
  readonly parent: Parent;
  readonly placement: Placement;
  active: boolean;
}

/** UUID_STRING_LEN of include/linux/uuid.h. */
const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Folders that stand before the first device does, so that its removal leaves the tree as it was. */
const STANDING = [
  "/sys/class/mdev_bus",
  "/sys/class/vfio",
  "/sys/class/vfio-dev",
  "/sys/devices/virtual/vfio",
  "/sys/kernel/iommu_groups",
];

/** Starts the mdev core: the bus appears. */
export function startMdevCore(kernel: Kernel): MdevCore {
  addBus(kernel, "mdev");
  for (const folder of STANDING) kernel.tree.addDirectory(folder);
  if (kernel.hasVfioDebugfs) kernel.tree.addDirectory("/sys/kernel/debug/vfio");
  const parents = new Map<string, Parent>();
  const devices = new Map<string, Entry>();
  const create = (parent: Parent, type: string, uuid: string) => createDevice(kernel, devices, { parent, type, uuid });
  return {
    registerParent: (spec) => {
      const parent: Parent = { spec, free: spec.driver.maxInstances ?? 0, state: "registered" };
      parents.set(spec.path, parent);
      addParentFiles(kernel, parent, create);
    },
    startUnregister: (path) => {
      findParent(parents, path).state = "unregistering";
    },
    finishUnregister: (path) => {
      const parent = findParent(parents, path);
      kernel.tree.removeEntry(`/sys/class/mdev_bus/${baseName(path)}`);
      for (const entry of devices.values()) if (entry.parent === parent) dropDevice(kernel, devices, entry);
      kernel.tree.removeEntry(`${path}/mdev_supported_types`);
      parents.delete(path);
    },
    createDevice: (path, type, uuid) => create(findParent(parents, path), type, uuid.toLowerCase()),
    removeDevice: (uuid) => removeDevice(kernel, devices, uuid.toLowerCase()),
  };
}

function findParent(parents: ReadonlyMap<string, Parent>, path: string): Parent {
  const parent = parents.get(path);
  if (parent === undefined) throw new RangeError(`No mdev parent is registered at ${path}`);
  return parent;
}

/** parent_create_sysfs_files() and the compatibility class link. */
function addParentFiles(
  kernel: Kernel,
  parent: Parent,
  create: (p: Parent, type: string, uuid: string) => Stored,
): void {
  const { path, driver, driverString } = parent.spec;
  addBusDriver(kernel, "mdev", driver.busDriver);
  kernel.tree.addDirectory(`${path}/mdev_supported_types`);
  for (const type of driver.types) {
    const folder = `${path}/mdev_supported_types/${driverString}-${type.name}`;
    kernel.tree.addDirectory(`${folder}/devices`);
    kernel.tree.addAttribute(
      `${folder}/create`,
      triggerAttribute((text, byteCount) => {
        if (byteCount < UUID_LENGTH || byteCount > UUID_LENGTH + 1) return refused("EINVAL");
        // guid_parse() looks at 36 characters: whatever the 37th byte is, it is ignored.
        const uuid = text.slice(0, UUID_LENGTH);
        return UUID.test(uuid) ? create(parent, type.name, uuid.toLowerCase()) : refused("EINVAL");
      }),
    );
    kernel.tree.addAttribute(`${folder}/name`, fixedAttribute(type.prettyName ?? type.name));
    kernel.tree.addAttribute(`${folder}/device_api`, fixedAttribute(driver.deviceApi));
    kernel.tree.addAttribute(
      `${folder}/available_instances`,
      lineAttribute(() => String(driver.available?.(type.name) ?? parent.free)),
    );
    if (driver.describe !== undefined) {
      const text = driver.describe(type.name);
      kernel.tree.addAttribute(`${folder}/description`, { mode: 0o444, show: () => ({ kind: "text", text }) });
    }
    for (const { name, attribute } of driver.typeAttributes?.(type.name) ?? []) {
      kernel.tree.addAttribute(`${folder}/${name}`, attribute);
    }
  }
  kernel.tree.addLink(`/sys/class/mdev_bus/${baseName(path)}`, path);
}

/** mdev_device_create(), its checks in the kernel's order. */
function createDevice(
  kernel: Kernel,
  devices: Map<string, Entry>,
  wanted: { readonly parent: Parent; readonly type: string; readonly uuid: string },
): Stored {
  const { parent, type, uuid } = wanted;
  const driver = parent.spec.driver;
  if (devices.has(uuid)) return refused("EEXIST");
  if (driver.available === undefined && parent.free === 0) return refused("EUSERS");
  if (parent.state === "unregistering") return refused("ENODEV");
  const device: MdevDevice = { uuid, type, path: `${parent.spec.path}/${uuid}` };
  const refusal = driver.probe(device);
  if (refusal !== undefined) return refusal;
  parent.free -= 1;
  const typeFolder = `${parent.spec.path}/mdev_supported_types/${parent.spec.driverString}-${type}`;
  const placement = addDeviceFolder(kernel, { device, driver, typeFolder });
  const entry: Entry = { device, parent, placement, active: true };
  kernel.tree.addAttribute(
    `${device.path}/remove`,
    triggerAttribute((text) => {
      const value = parseKernelUnsigned(text, 64);
      if (typeof value !== "bigint") return refused("EINVAL"); // ERANGE too: remove_store() folds every refusal
      if (value === 0n) return WRITTEN;
      kernel.tree.removeEntry(`${device.path}/remove`); // device_remove_file_self() comes before anything can fail
      return removeDevice(kernel, devices, uuid);
    }),
  );
  devices.set(uuid, entry);
  return WRITTEN;
}

/** mdev_device_remove(). A device whose removal has failed once stays, and answers EAGAIN. */
function removeDevice(kernel: Kernel, devices: Map<string, Entry>, uuid: string): Stored {
  const entry = devices.get(uuid);
  if (entry === undefined) return refused("ENODEV");
  if (!entry.active) return refused("EAGAIN");
  entry.active = false;
  if (entry.parent.state === "unregistering") return refused("ENODEV");
  dropDevice(kernel, devices, entry);
  return WRITTEN;
}

function dropDevice(kernel: Kernel, devices: Map<string, Entry>, entry: Entry): void {
  removeDeviceFolder(kernel, entry.placement);
  entry.parent.spec.driver.remove(entry.device);
  entry.parent.free += 1;
  devices.delete(entry.device.uuid);
}
