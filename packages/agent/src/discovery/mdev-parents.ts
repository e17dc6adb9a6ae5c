// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "@berth/core/device/evidence";
import { absent, valueOf } from "@berth/core/device/evidence";
import type { ParentDevice } from "@berth/core/device/parent-device";
import type { PciFunction } from "@berth/core/device/pci-function";
import { MDEV_BUS_CLASS, typesPath } from "@berth/core/sysfs/paths";
import type { FoundDevice } from "./mdev-devices.ts";
import { findDevice } from "./mdev-devices.ts";
import { readMdevTypes } from "./mdev-types.ts";
import type { FoundType } from "./mdev-types.ts";
import { inferParentModule, readDriver, readDriverModule } from "./modules.ts";
import { readIommuGroup, readNumaNode } from "./pci-functions.ts";
import { listFolders, resolveFolder } from "./read-directory.ts";
import type { Folder } from "./read-directory.ts";
import { parseName } from "./read-link.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { readSubchannel } from "./subchannel.ts";

/** A parent on the mdev bus with its types, before its devices are read. */
export interface FoundParent {
  readonly id: string;
  readonly path: string;
  readonly pci: PciFunction | undefined;
  readonly driver: Reading<string>;
  readonly types: readonly FoundType[];
}

/**
 * The folders of all mdev parents: those of the class, and those that a device of the bus was made from although the
 * class does not name them.
 */
export function listParentFolders(scan: Scan, devices: readonly FoundDevice[]): readonly Folder<string>[] {
  const folders = [...listFolders(scan, MDEV_BUS_CLASS, parseName)];
  const paths = new Set(folders.map(({ path }) => path));
  // Another folder with the name of a parent is not that parent, and two parents of one name could not be told apart.
  const ids = new Set(folders.map(({ id }) => id.toLowerCase()));
  for (const { path, parentPath } of devices) {
    if (parentPath === undefined || paths.has(parentPath)) continue;
    paths.add(parentPath);
    const message = `The device was made from ${parentPath}, which is not in ${MDEV_BUS_CLASS}`;
    noteProblem(scan, { code: "facts_disagree", path, message });
    const folder = resolveFolder(scan, parentPath);
    const id = folder?.slice(folder.lastIndexOf("/") + 1) ?? "";
    if (folder === undefined || id === "" || ids.has(id.toLowerCase())) continue;
    ids.add(id.toLowerCase());
    folders.push({ id, path: folder });
  }
  return folders;
}

/** Reads a parent's driver and types. `pci` is the function that it is, where it is one. */
export function readParentTypes(scan: Scan, folder: Folder<string>, pci: PciFunction | undefined): FoundParent {
  const driver = pci?.driver ?? readDriver(scan, folder.path);
  const types = typesPath(folder.path);
  if (scan.tree.resolve(types).kind === "absent") {
    const message = "The parent has no mdev_supported_types: what can be made from it is unknown";
    noteProblem(scan, { code: "tree_incomplete", path: types, message });
  }
  return { ...folder, pci, driver, types: readMdevTypes(scan, folder.path, valueOf(driver)) };
}

/**
 * Compares the devices of the bus with those that types say were made from them. A device that only a type knows is
 * answered, so that it is shown.
 */
export function findUnlistedDevices(
  scan: Scan,
  parents: readonly FoundParent[],
  devices: readonly FoundDevice[],
): readonly FoundDevice[] {
  const listed = new Map(devices.map((device) => [device.id, device]));
  const unlisted: FoundDevice[] = [];
  for (const { path, devices: names } of parents.flatMap((parent) => parent.types)) {
    const listedHere = (names ?? []).map((name) => name.toLowerCase());
    for (const name of names ?? []) {
      const id = name.toLowerCase();
      const device = listed.get(id);
      if (device?.typePath === path) continue;
      const link = `${path}/devices/${name}`;
      const message =
        device === undefined
          ? "A device that is not on the mdev bus"
          : `The device says that its type is ${device.typePath ?? "none"}`;
      noteProblem(scan, { code: "facts_disagree", path: link, message });
      const folder = device === undefined ? resolveFolder(scan, link) : undefined;
      if (folder !== undefined && isDeviceName(scan, link, name)) unlisted.push(findDevice(scan, id, folder));
    }
    for (const device of devices.filter(({ typePath }) => typePath === path)) {
      if (names === undefined || listedHere.includes(device.id)) continue;
      const message = `The device is not in ${path}/devices`;
      noteProblem(scan, { code: "facts_disagree", path: device.path, message });
    }
  }
  return unlisted.filter((device, index) => unlisted.findIndex(({ id }) => id === device.id) === index);
}

/** What the whole host says of one parent. */
export interface ParentContext {
  readonly poolOwner: ParentDevice["poolOwner"];
  /** Modules behind the drivers of its devices. */
  readonly deviceModules: readonly Reading<string>[];
  readonly facts: ParentDevice["facts"];
}

/** Reads the rest of a parent. */
export function readMdevParent(scan: Scan, found: FoundParent, context: ParentContext): ParentDevice {
  const { id, path, pci, driver } = found;
  const subchannel = readSubchannel(scan, id, path);
  const module = pci?.module ?? readDriverModule(scan, path, driver);
  const prefixes = new Set(found.types.map(({ type }) => type.driverPrefix));
  return {
    id,
    framework: "mdev",
    path,
    driver,
    module:
      module.kind === "absent" && driver.kind === "absent"
        ? inferParentModule(scan, prefixes, context.deviceModules)
        : module,
    ...(pci === undefined ? {} : { pci: pci.address }),
    numaNode: pci?.numaNode ?? readNumaNode(scan, path),
    iommuGroup: pci?.iommuGroup ?? readIommuGroup(scan, path),
    poolOwner: context.poolOwner,
    types: found.types.map(({ type }) => type),
    currentType: absent(evidenceOf(scan, path)),
    ...(subchannel === undefined ? {} : { subchannel }),
    facts: context.facts,
  };
}

function isDeviceName(scan: Scan, path: string, name: string): boolean {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name)) return true;
  noteProblem(scan, { code: "name_malformed", path, message: "The name of a device is not a UUID" });
  return false;
}
