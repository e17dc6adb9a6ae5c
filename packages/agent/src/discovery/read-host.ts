// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { ParentDevice } from "@berth/core/device/parent-device";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import { MDEV_BUS_CLASS, MDEV_DEVICES, PCI_DEVICES } from "@berth/core/sysfs/paths";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { readApBus } from "./ap-bus.ts";
import { readFunctionDevice } from "./function-devices.ts";
import { readKernel, readOs } from "./kernel.ts";
import { findDevice, listBusEntries, readMdevDevice } from "./mdev-devices.ts";
import type { FoundDevice, ReadDevice } from "./mdev-devices.ts";
import { findUnlistedDevices, listParentFolders, readMdevParent, readParentTypes } from "./mdev-parents.ts";
import type { FoundParent } from "./mdev-parents.ts";
import { readModules } from "./modules.ts";
import { readFunctions } from "./functions.ts";
import type { FoundFunction } from "./functions.ts";
import { decidePoolOwner } from "./pool-owner.ts";
import type { VendorVfio } from "./vendor-vfio.ts";
import { compare, listProblems, noteProblem, startScan } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { readVirtualMachines } from "./virtual-machines.ts";

/**
 * Reads what a host has, straight from its files. Never throws for what they hold: whatever is missing, malformed or
 * hostile is in `problems`, and what depends on it is absent or unreadable. One call is one look: nothing is written.
 */
export function readHost(tree: SysfsTree, host: string): HostSnapshot {
  const scan = startScan(tree, host);
  checkCompleteness(scan);
  const kernel = readKernel(scan);
  const os = readOs(scan);
  const entries = listBusEntries(scan);
  const onBus = entries.filter(({ isThere }) => isThere).map(({ id, path }) => findDevice(scan, id, path));
  const folders = listParentFolders(scan, onBus);
  const functions = readFunctions(scan, folders);
  const found = folders.map((folder) => readParentTypes(scan, folder, functions.get(folder.id.toLowerCase())?.pci));
  const shown = [...onBus, ...findUnlistedDevices(scan, found, onBus)];
  const ids = new Set(shown.map(({ id }) => id));
  const lost = entries.filter(({ id }) => !ids.has(id)).map(({ id, path }) => findDevice(scan, id, path));
  const mdevs = readMdevDevices(scan, found, [...shown, ...lost]);
  const mdevParents = new Set(found.map(({ id }) => id.toLowerCase()));
  const parents = [
    ...readMdevParents(scan, { found, mdevs, functions }),
    ...listVendorParents(scan, functions, mdevParents),
  ];
  const devices = [...mdevs.map(({ device }) => device), ...listFunctionDevices(scan, functions)];
  const apBus = readApBus(scan);
  const users = readVirtualMachines(scan, devices);
  return {
    host,
    kernel,
    os,
    parents: parents.sort((a, b) => compare(a.id, b.id)),
    devices: devices.sort((a, b) => compare(a.id, b.id)),
    functions: [...functions.values()].map(({ pci }) => pci).sort((a, b) => compare(a.address, b.address)),
    modules: readModules(scan, namesOfModules({ mdevs, functions, parents })),
    ...(apBus === undefined ? {} : { apBus }),
    ...users,
    facts: {},
    problems: listProblems(scan),
  };
}

/** A root without any of the places where devices are is no host, or a slice with nothing in it. */
function checkCompleteness(scan: Scan): void {
  const places = [MDEV_BUS_CLASS, MDEV_DEVICES, PCI_DEVICES, "/sys/bus/css/devices"];
  if (places.some((place) => scan.tree.resolve(place).kind !== "absent")) return;
  noteProblem(scan, { code: "tree_incomplete", path: "/sys", message: `None of ${places.join(", ")} is there` });
}

function readMdevDevices(
  scan: Scan,
  parents: readonly FoundParent[],
  devices: readonly FoundDevice[],
): readonly ReadDevice[] {
  const ids = new Map(parents.map(({ path, id }) => [path, id]));
  const types = new Map(parents.flatMap((parent) => parent.types).map(({ path, type }) => [path, type]));
  return devices.map((device) => {
    const parent = device.parentPath === undefined ? undefined : ids.get(device.parentPath);
    const type = device.typePath === undefined ? undefined : types.get(device.typePath);
    return readMdevDevice(scan, device, { parent: parent ?? "unknown", type });
  });
}

interface Found {
  readonly found: readonly FoundParent[];
  readonly mdevs: readonly ReadDevice[];
  readonly functions: ReadonlyMap<string, FoundFunction>;
}

function readMdevParents(scan: Scan, all: Found): readonly ParentDevice[] {
  const ids = new Set<string>(all.found.map(({ id }) => id.toLowerCase()));
  return all.found.map((parent) => {
    const made = all.mdevs.filter(({ device }) => device.parent === parent.id);
    const held = parent.pci === undefined ? undefined : all.functions.get(parent.pci.address);
    const types = parent.types.map(({ type }) => type);
    const facts = { ...ownerFacts(held, ids), id: parent.id, path: parent.path, types, deviceCount: made.length };
    const poolOwner = noteOwner(scan, parent.path, decidePoolOwner(facts));
    return readMdevParent(scan, parent, {
      poolOwner,
      deviceModules: made.map(({ module }) => module),
      facts: held?.facts ?? {},
    });
  });
}

/** Functions in the vendor framework are parents of the one vGPU that each can hold. */
function listVendorParents(
  scan: Scan,
  functions: ReadonlyMap<string, FoundFunction>,
  mdevParents: ReadonlySet<string>,
): readonly ParentDevice[] {
  return [...functions.values()].flatMap((held) => {
    const { pci, vendor } = held;
    if (vendor === undefined) return [];
    if (mdevParents.has(pci.address)) {
      const message =
        "The function is a parent of the mdev class and has NVIDIA's vendor folder: it is taken for the former";
      noteProblem(scan, { code: "facts_disagree", path: `${pci.path}/nvidia`, message });
      return [];
    }
    const owner = { ...ownerFacts(held, new Set()), ...instanceFacts(vendor), types: vendor.types, deviceCount: 0 };
    return {
      id: pci.address,
      framework: "vendor-vfio" as const,
      path: pci.path,
      driver: pci.driver,
      module: pci.module,
      pci: pci.address,
      numaNode: pci.numaNode,
      iommuGroup: pci.iommuGroup,
      poolOwner: noteOwner(scan, pci.path, decidePoolOwner({ ...owner, id: pci.address, path: pci.path })),
      types: vendor.types,
      currentType: vendor.currentType,
      facts: { ...held.facts, ...vendor.facts },
    };
  });
}

/** A GPU instance that cannot be read may be there: the room is then not simply the PF's. */
function instanceFacts({ gpuInstanceId }: VendorVfio) {
  if (gpuInstanceId.kind === "known") return { gpuInstance: gpuInstanceId.value };
  return gpuInstanceId.kind === "unreadable" ? { gpuInstanceUnread: gpuInstanceId.why } : {};
}

/** `parents` are the ids of mdev parents. */
function ownerFacts(held: FoundFunction | undefined, parents: ReadonlySet<string>) {
  return {
    ...(held === undefined ? {} : { pci: held.pci }),
    hasPhysfn: held?.names.has("physfn") ?? false,
    hasSubsystem: held?.names.has("subsystem") ?? false,
    sharesWithVirtualFunctions: held?.pci.virtualFunctions.some((address) => parents.has(address)) ?? false,
  };
}

function noteOwner(scan: Scan, path: string, owner: ParentDevice["poolOwner"]): ParentDevice["poolOwner"] {
  if (owner.kind === "unknown")
    noteProblem(scan, { code: "pool_owner_unknown", path, message: `Whose room it is: ${owner.why}` });
  return owner;
}

function listFunctionDevices(scan: Scan, functions: ReadonlyMap<string, FoundFunction>): readonly VfioDevice[] {
  return [...functions.values()].flatMap((held) => readFunctionDevice(scan, held.pci, held) ?? []);
}

interface ModuleSources {
  readonly mdevs: readonly ReadDevice[];
  readonly functions: ReadonlyMap<string, FoundFunction>;
  readonly parents: readonly ParentDevice[];
}

/** Modules of the vendor drivers of parents, mdev devices and functions that are handed to a guest. */
function namesOfModules(sources: ModuleSources): ReadonlySet<string> {
  const assigned = [...sources.functions.values()].filter(({ pci }) => pci.assigned).map(({ pci }) => pci.module);
  const readings: readonly Reading<string>[] = [
    ...sources.parents.map(({ module }) => module),
    ...sources.mdevs.map(({ module }) => module),
    ...assigned,
  ];
  return new Set(readings.flatMap((reading) => valueOf(reading) ?? []));
}
