// SPDX-License-Identifier: Apache-2.0

import { absent, known } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { PciFunction } from "@berth/core/device/pci-function";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import { readMigrationDebug } from "./migration-features.ts";
import { readMigrationVersion, readSoftwareVersion } from "./migration-attributes.ts";
import { evidenceOf } from "./scan.ts";
import type { Scan } from "./scan.ts";
import { inferDeviceApi } from "./vendor-vfio.ts";
import type { VendorVfio } from "./vendor-vfio.ts";

/** What is known of a function beside its PCI facts. */
export interface FunctionExtras {
  readonly vendor?: VendorVfio;
  readonly facts: Readonly<Record<string, Reading<string>>>;
}

/**
 * The device that a function is to a guest: with a vGPU type in the vendor framework, or handed over whole. Undefined
 * where it is neither.
 */
export function readFunctionDevice(scan: Scan, pci: PciFunction, extras: FunctionExtras): VfioDevice | undefined {
  const { vendor } = extras;
  // A current type that cannot be read may be one: the function is shown rather than passed over.
  const isVendor = vendor !== undefined && vendor.currentType.kind !== "absent";
  if (!isVendor && (!pci.assigned || vendor !== undefined)) return undefined;
  const nothing = absent(evidenceOf(scan, pci.path));
  const debug = readMigrationDebug(scan, pci.address);
  const state = debug.state.kind === "known" ? { vfio_migration_state: debug.state } : {};
  return {
    kind: isVendor ? "vendor-vfio" : "function",
    id: pci.address,
    path: pci.path,
    parent: pci.address,
    type: vendor?.currentType ?? nothing,
    deviceApi: inferDeviceApi(scan, pci.path),
    driver: pci.driver,
    iommuGroup: pci.iommuGroup,
    aggregation: known(
      { count: 1, settable: false },
      evidenceOf(scan, pci.path, { source: "inferred", text: "a PCI function" }),
    ),
    dynamicValues: {},
    attributes: {
      migrationVersion: readMigrationVersion(scan, pci.path),
      softwareVersion: readSoftwareVersion(scan, pci.path),
    },
    features: debug.features,
    placementId: vendor?.placementId ?? nothing,
    gpuInstanceId: vendor?.gpuInstanceId ?? nothing,
    facts: { ...extras.facts, ...vendor?.facts, ...state },
  };
}
