// SPDX-License-Identifier: Apache-2.0

import { isPciAddress, parsePciAddress } from "@berth/core/device/address";
import type { PciAddress } from "@berth/core/device/address";
import { absent, known, unreadable, valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { PciFunction, PciIds } from "@berth/core/device/pci-function";
import { stripNewline } from "@berth/core/sysfs/attribute-text";
import { parseIommuGroupLink } from "@berth/core/sysfs/iommu";
import { parseDecimal, parseHexId } from "@berth/core/sysfs/numbers";
import { PCI_DEVICES } from "@berth/core/sysfs/paths";
import { readDriver, readDriverModule } from "./modules.ts";
import { readAttribute } from "./read-attribute.ts";
import { listFolders, listNames } from "./read-directory.ts";
import { readLink } from "./read-link.ts";
import { evidenceOf, noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";

/** A PCI function as one listing of its folder shows it. */
export interface ScannedFunction {
  readonly id: PciAddress;
  readonly path: string;
  /** Names in its folder. */
  readonly names: ReadonlySet<string>;
}

/** All PCI functions of the host, sorted by address. */
export function scanPciFunctions(scan: Scan): readonly ScannedFunction[] {
  return listFolders(scan, PCI_DEVICES, parsePciAddress).map((folder) => scanFunction(scan, folder.id, folder.path));
}

/** Lists the folder of one function. */
export function scanFunction(scan: Scan, id: PciAddress, path: string): ScannedFunction {
  return { id, path, names: new Set(listNames(scan, path)) };
}

/** Whether a function is worth a full reading: a parent, a PF, a VF, or handed to a guest. */
export function isFunctionOfInterest(scan: Scan, found: ScannedFunction): boolean {
  const marks = ["mdev_supported_types", "physfn", "sriov_totalvfs", "virtfn0", "nvidia", "vfio-dev"];
  if (marks.some((mark) => found.names.has(mark))) return true;
  return found.names.has("driver") && isVfioDriver(valueOf(readDriver(scan, found.path)));
}

/** Reads one function. A folder without even a vendor id is a slice, and said to be one. */
export function readPciFunction(scan: Scan, found: ScannedFunction): PciFunction {
  const { path, names } = found;
  if (!names.has("vendor") && !names.has("uevent")) {
    noteProblem(scan, {
      code: "tree_incomplete",
      path,
      message: "The function has neither vendor nor uevent: ids and driver are unknown",
    });
  }
  const driver = readDriver(scan, path);
  const totalVirtualFunctions = readAttribute(scan, `${path}/sriov_totalvfs`, (raw) =>
    parseDecimal(raw, "sriov_totalvfs"),
  );
  const virtualFunctions = readVirtualFunctions(scan, found);
  const physicalFunction = valueOf(readLink(scan, `${path}/physfn`, { parse: parsePciAddress, mayDangle: true }));
  const isPf = virtualFunctions.length > 0 || totalVirtualFunctions.kind !== "absent";
  // NVIDIA's vendor framework has its folder on virtual functions alone.
  const isVf = names.has("physfn") || (names.has("nvidia") && !isPf);
  return {
    address: found.id,
    path,
    ids: readIds(scan, found),
    classCode: readAttribute(scan, `${path}/class`, (raw) => parseHexId(raw, 6, "class")),
    driver,
    module: readDriverModule(scan, path, driver),
    role: isVf ? "vf" : isPf ? "pf" : "plain",
    ...(physicalFunction === undefined ? {} : { physicalFunction }),
    virtualFunctions,
    totalVirtualFunctions,
    numaNode: readNumaNode(scan, path),
    iommuGroup: readIommuGroup(scan, path),
    assigned:
      isVfioDriver(valueOf(driver)) || (names.has("vfio-dev") && listNames(scan, `${path}/vfio-dev`).length > 0),
  };
}

/** Reads `numa_node`; the kernel's -1 is no node. */
export function readNumaNode(scan: Scan, device: string): Reading<number> {
  return readAttribute(scan, `${device}/numa_node`, (raw) =>
    stripNewline(raw) === "-1" ? undefined : parseDecimal(raw, "numa_node"),
  );
}

/** Reads the number of a device's IOMMU group. */
export function readIommuGroup(scan: Scan, device: string): Reading<number> {
  return readLink(scan, `${device}/iommu_group`, {
    within: "iommu_groups",
    parse: parseIommuGroupLink,
    mayDangle: true,
  });
}

/** `vfio-pci` and the variant drivers of drivers/vfio/pci, whose names all hold those words. */
function isVfioDriver(driver: string | undefined): boolean {
  return driver !== undefined && /vfio[-_]pci/.test(driver);
}

function readVirtualFunctions(scan: Scan, found: ScannedFunction): readonly PciAddress[] {
  const indices = [...found.names].flatMap((name) => /^virtfn(\d{1,5})$/.exec(name)?.[1] ?? []);
  const links = indices.sort((a, b) => Number(a) - Number(b)).map((index) => `${found.path}/virtfn${index}`);
  return links.flatMap((link) => valueOf(readLink(scan, link, { parse: parsePciAddress, mayDangle: true })) ?? []);
}

function readIds(scan: Scan, found: ScannedFunction): Reading<PciIds> {
  const names = ["vendor", "device", "subsystem_vendor", "subsystem_device"] as const;
  const isSlice = !found.names.has("vendor") && !found.names.has("uevent");
  const read = names.map((name) =>
    readAttribute(scan, { path: `${found.path}/${name}`, isRequired: !isSlice }, (raw) => parseHexId(raw, 4, name)),
  );
  const failed = read.find((reading) => reading.kind === "unreadable");
  if (failed !== undefined) return unreadable(failed.why, failed.evidence);
  const [vendor, device, subsystemVendor, subsystemDevice] = read.map(valueOf);
  if (vendor === undefined || device === undefined || subsystemVendor === undefined || subsystemDevice === undefined) {
    const missing = read.find((reading) => reading.kind === "absent");
    return absent(missing?.evidence ?? evidenceOf(scan, found.path));
  }
  const text = `${vendor}:${device} ${subsystemVendor}:${subsystemDevice}`;
  return known(
    { vendor, device, subsystemVendor, subsystemDevice },
    evidenceOf(scan, `${found.path}/vendor`, { text }),
  );
}

/** The address in the name of a parent, where it has one. */
export function addressOf(name: string): PciAddress | undefined {
  return isPciAddress(name) ? parsePciAddress(name) : undefined;
}
