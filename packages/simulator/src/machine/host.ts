// SPDX-License-Identifier: Apache-2.0

import type { Fault, PlacedFault } from "../tree/fault.ts";
import { fileAttribute, type Stored } from "../tree/node.ts";
import type { SimulatedTree } from "../tree/simulated-tree.ts";
import { makeKernel, type Kernel } from "./kernel.ts";
import { loadModule, type ModuleSpec } from "./kernel-module.ts";
import { installMachine, type MachineSpec } from "./machine.ts";
import { startMdevCore, type MdevCore } from "./mdev-core.ts";
import { startPci } from "./pci.ts";
import { formatHash } from "./stable-hash.ts";
import type { FileSpec } from "./vm-files.ts";

/** A whole host to be simulated. */
export interface SimulatedHostSpec {
  readonly name: string;
  /** Debian 13's of Linux 6.12 where it is left out. */
  readonly kernel?: KernelSpec;
  readonly os?: OsSpec;
  /** Builds of modules, over the ones that the machines bring. */
  readonly modules?: readonly ModuleSpec[];
  readonly machines: readonly MachineSpec[];
  /** Devices that exist from the start, in order of creation. */
  readonly devices?: readonly DeviceSpec[];
  /** Files of other programs, such as those that show VMs. */
  readonly files?: readonly FileSpec[];
  readonly faults?: readonly PlacedFault[];
  /** Whether VFIO debugfs is to be seen. */
  readonly vfioDebugfs?: boolean;
}

export interface KernelSpec {
  /** `uname -r`. */
  readonly release: string;
  /** Whole line of /proc/version. */
  readonly version: string;
}

export interface OsSpec {
  readonly id: string;
  readonly versionId: string;
  readonly prettyName: string;
}

/** An mdev device that a host has from the start. */
export interface DeviceSpec {
  /** Name of the parent under /sys/class/mdev_bus. */
  readonly parent: string;
  readonly type: string;
  /** Made from the host's name and a counter where it is left out. */
  readonly uuid?: string;
  /** Attributes written after creation, in order, by path below the device. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
}

/** A simulated host. It has state: devices come and go by writes to its tree, as on a real one. */
export interface SimulatedHost {
  readonly name: string;
  readonly tree: SimulatedTree;
  /** UUIDs of the devices of the spec, in its order. */
  readonly devices: readonly string[];
  /** Writes a UUID to the `create` of a type. */
  create(parent: string, type: string, uuid: string): Stored;
  /** Writes 1 to the `remove` of a device. */
  remove(uuid: string): Stored;
  /** Writes an attribute of a device, by path below it. */
  setAttribute(uuid: string, name: string, value: string): Stored;
  /** Makes a parent refuse from now on, as it does while it goes away. */
  startUnplug(parent: string): void;
  /** Takes the parent's types and devices away. */
  finishUnplug(parent: string): void;
  /** Lines that drivers logged, oldest first. */
  listKernelLog(): readonly string[];
}

const DEBIAN_13: { readonly kernel: KernelSpec; readonly os: OsSpec } = {
  kernel: {
    release: "6.12.107+deb13-amd64",
    version:
      "Linux version 6.12.107+deb13-amd64 (debian-kernel@lists.debian.org) (x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0, GNU ld (GNU Binutils for Debian) 2.44) #1 SMP PREEMPT_DYNAMIC Debian 6.12.107-1 (2026-08-29)",
  },
  os: { id: "debian", versionId: "13", prettyName: "Debian GNU/Linux 13 (trixie)" },
};

/** Modules of the kernel itself that every host with mdev devices has. */
const KERNEL_MODULES: readonly ModuleSpec[] = [
  { name: "mdev", version: "0.1", srcversion: "0D6D9D46D0E87F28A663BBF" },
  { name: "vfio", version: "0.3", srcversion: "C89C7E0A4818EF79ACCF8E8" },
  { name: "vfio_iommu_type1", version: "0.2", srcversion: "3DE279A71E2FB4FD6D69781" },
];

/**
 * Builds a host from its spec: modules, machines, devices, files, then faults. Throws RangeError for a spec that cannot be built,
 * such as a device without room.
 */
export function simulateHost(spec: SimulatedHostSpec): SimulatedHost {
  const kernel = makeKernel({ vfioDebugfs: spec.vfioDebugfs ?? false });
  addSystemFiles(kernel, spec);
  startPci(kernel);
  const core = startMdevCore(kernel);
  for (const module of KERNEL_MODULES) loadModule(kernel, module);
  for (const machine of spec.machines) installMachine(kernel, core, machine);
  for (const module of spec.modules ?? []) loadModule(kernel, module);
  const devices = (spec.devices ?? []).map((device, index) => device.uuid ?? makeUuid(spec.name, index + 1));
  const host = makeHost(kernel, core, { name: spec.name, devices });
  for (const [index, device] of (spec.devices ?? []).entries()) addDevice(host, device, devices[index] ?? "");
  for (const { path, text } of spec.files ?? []) kernel.tree.addAttribute(path, fileAttribute(text, text.length));
  for (const { path, fault } of spec.faults ?? []) kernel.tree.setFault(path, fault);
  return host;
}

/** A spec with one more fault. */
export function withFault(spec: SimulatedHostSpec, path: string, fault: Fault): SimulatedHostSpec {
  return { ...spec, faults: [...(spec.faults ?? []), { path, fault }] };
}

function makeHost(kernel: Kernel, core: MdevCore, given: Pick<SimulatedHost, "name" | "devices">): SimulatedHost {
  const { tree } = kernel;
  const parentPath = (parent: string): string => {
    const resolved = tree.resolve(`/sys/class/mdev_bus/${parent}`);
    if (resolved.kind === "path") return resolved.path;
    throw new RangeError(`Host ${given.name} has no mdev parent ${JSON.stringify(parent)}`);
  };
  return {
    ...given,
    tree,
    create: (parent, type, uuid) => {
      return tree.write(`/sys/class/mdev_bus/${parent}/mdev_supported_types/${type}/create`, `${uuid}\n`);
    },
    remove: (uuid) => tree.write(`/sys/bus/mdev/devices/${uuid}/remove`, "1\n"),
    setAttribute: (uuid, name, value) => tree.write(`/sys/bus/mdev/devices/${uuid}/${name}`, `${value}\n`),
    startUnplug: (parent) => core.startUnregister(parentPath(parent)),
    finishUnplug: (parent) => core.finishUnregister(parentPath(parent)),
    listKernelLog: () => [...kernel.logLines],
  };
}

function addDevice(host: SimulatedHost, device: DeviceSpec, uuid: string): void {
  const created = host.create(device.parent, device.type, uuid);
  if (created.kind === "failed") {
    throw new RangeError(
      `Host ${host.name} cannot have ${device.type} on ${device.parent}: create answers ${created.errno}`,
    );
  }
  for (const [name, value] of device.attributes ?? []) {
    const stored = host.setAttribute(uuid, name, value);
    if (stored.kind === "written") continue;
    throw new RangeError(`Host ${host.name} cannot set ${name} of ${device.type} to ${value}: ${stored.errno}`);
  }
}

function addSystemFiles(kernel: Kernel, spec: SimulatedHostSpec): void {
  const { release, version } = spec.kernel ?? DEBIAN_13.kernel;
  const os = spec.os ?? DEBIAN_13.os;
  const osRelease = `PRETTY_NAME="${os.prettyName}"\nVERSION_ID="${os.versionId}"\nID=${os.id}\n`;
  kernel.tree.addAttribute("/proc/version", fileAttribute(`${version}\n`, 0));
  kernel.tree.addAttribute("/proc/sys/kernel/osrelease", fileAttribute(`${release}\n`, 0));
  kernel.tree.addAttribute("/usr/lib/os-release", fileAttribute(osRelease, osRelease.length));
  kernel.tree.addLink("/etc/os-release", "/usr/lib/os-release");
}

/** A UUID of the random form that is the same on every run: from the host's name and a counter. */
function makeUuid(host: string, counter: number): string {
  return `${formatHash(host, 8)}-0000-4000-8000-${counter.toString(16).padStart(12, "0")}`;
}
