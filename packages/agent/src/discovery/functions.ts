// SPDX-License-Identifier: Apache-2.0

import type { PciAddress } from "@berth/core/device/address";
import type { Reading } from "@berth/core/device/evidence";
import type { PciFunction } from "@berth/core/device/pci-function";
import { readFirmwareFact } from "./firmware.ts";
import { addressOf, isFunctionOfInterest, readPciFunction, scanFunction, scanPciFunctions } from "./pci-functions.ts";
import type { ScannedFunction } from "./pci-functions.ts";
import type { Folder } from "./read-directory.ts";
import { noteProblem } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { readVendorVfio } from "./vendor-vfio.ts";
import type { VendorVfio } from "./vendor-vfio.ts";

/** PCI vendor id of NVIDIA. */
const NVIDIA = "10de";

/** A PCI function with all that hangs on it. */
export interface FoundFunction {
  readonly pci: PciFunction;
  /** Names in its folder. */
  readonly names: ReadonlySet<string>;
  /** Set where it has NVIDIA's vendor VFIO framework. */
  readonly vendor?: VendorVfio;
  readonly facts: Readonly<Record<string, Reading<string>>>;
}

/**
 * Reads the PCI functions that matter, by address: parents, PFs, VFs and those handed to a guest. A parent of the mdev
 * class that the PCI bus does not show, as in a slice, is read from the folder of the class.
 */
export function readFunctions(scan: Scan, parents: readonly Folder<string>[]): ReadonlyMap<string, FoundFunction> {
  const scanned = new Map<PciAddress, ScannedFunction>(scanPciFunctions(scan).map((found) => [found.id, found]));
  const wanted = new Set([...scanned.values()].filter((found) => isFunctionOfInterest(scan, found)));
  for (const { id, path } of parents) {
    const address = addressOf(id);
    if (address !== undefined) wanted.add(scanned.get(address) ?? scanFunction(scan, address, path));
  }
  return new Map([...wanted].map((found) => [found.id, readFunction(scan, found)]));
}

/** A folder of that name on another vendor's function is not NVIDIA's framework: its numbers are no types of NVIDIA. */
function hasNvidiaFolder(scan: Scan, found: ScannedFunction, { ids }: PciFunction): boolean {
  if (!found.names.has("nvidia")) return false;
  if (ids.kind !== "known" || ids.value.vendor === NVIDIA) return true;
  const message = `A folder nvidia on a function of vendor ${ids.value.vendor}: it is not read`;
  noteProblem(scan, { code: "facts_disagree", path: `${found.path}/nvidia`, message });
  return false;
}

function readFunction(scan: Scan, found: ScannedFunction): FoundFunction {
  const pci = readPciFunction(scan, found);
  const vendor = hasNvidiaFolder(scan, found, pci) ? readVendorVfio(scan, found.path) : undefined;
  const facts = readFirmwareFact(scan, {
    path: found.path,
    names: found.names,
    owner: pci.physicalFunction ?? pci.address,
  });
  return { pci, names: found.names, ...(vendor === undefined ? {} : { vendor }), facts };
}
