// SPDX-License-Identifier: Apache-2.0

import type { ApMatrix } from "./ap-matrix.ts";
import type { DeviceApi } from "./device-api.ts";
import type { Reading } from "./evidence.ts";
import type { MigrationAttributes, TypeId } from "./mdev-type.ts";

/** How many units of its type one device is made of, and whether that can still change (section 2.4). */
export interface Aggregation {
  readonly count: number;
  /** Path of the attribute relative to the device, such as `mdev/aggregated_instances`; undefined: none, the count is 1. */
  readonly attribute?: string;
  readonly settable: boolean;
  /** The most that the device says it could be set to. */
  readonly max?: number;
}

/** What VFIO debugfs shows of a device's migration ability (kernel: drivers/vfio/debugfs.c). */
export interface MigrationFeatures {
  readonly stopCopy: boolean;
  readonly p2p: boolean;
  readonly preCopy: boolean;
  readonly dirtyTracking: boolean;
}

/**
 * A device that a VM can own: an mdev device, a virtual function with a vGPU type in the vendor VFIO framework, or a
 * whole PCI function.
 */
export interface VfioDevice {
  readonly kind: "mdev" | "vendor-vfio" | "function";
  /** UUID of an mdev device, PCI address of a function. Unique on its host. */
  readonly id: string;
  /** Absolute path of the device's folder on its host, under /sys/devices where it could be resolved. */
  readonly path: string;
  /** The parent it was made from; for functions the function itself. `unknown` where no folder tells: then a problem says so. */
  readonly parent: string;
  /** Type id, read through `mdev_type` (D22) or `current_vgpu_type`. Absent for a bare function. */
  readonly type: Reading<TypeId>;
  readonly deviceApi: Reading<DeviceApi>;
  /** The driver bound to the device itself, such as `nvidia-vgpu-vfio` or `mlx5_vfio_pci`. */
  readonly driver: Reading<string>;
  readonly iommuGroup: Reading<number>;
  readonly aggregation: Reading<Aggregation>;
  /** Value of each attribute that the type lists in `dynamic_resources`, by listed name. */
  readonly dynamicValues: Readonly<Record<string, Reading<string>>>;
  /** What the device itself says beyond its type; all absent where only the type speaks. */
  readonly attributes: Pick<MigrationAttributes, "migrationVersion" | "softwareVersion">;
  readonly features: Reading<MigrationFeatures>;
  /** NVIDIA placement slot at which the device sits, where the driver shows one. */
  readonly placementId: Reading<number>;
  /** MIG GPU instance that backs the device, where the driver shows one. */
  readonly gpuInstanceId: Reading<number>;
  /** vfio-ap devices only. */
  readonly ap?: ApMatrix;
  /** Vendor facts for driver packs, by name, such as `guest_driver_version`. */
  readonly facts: Readonly<Record<string, Reading<string>>>;
}
