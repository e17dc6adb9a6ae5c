// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "@berth/core/device/device-api";
import type { Attribute, Refused } from "../tree/node.ts";
import type { BusDriver } from "./driver-folder.ts";

/** A type as a vendor driver declares it: the part of the type id after the parent's driver name. */
export interface MdevTypeSpec {
  readonly name: string;
  /** Text of `name`; the type name itself where the driver has none. */
  readonly prettyName?: string;
}

/** An mdev device as its driver sees it. */
export interface MdevDevice {
  /** Lower case. */
  readonly uuid: string;
  readonly type: string;
  /** Absolute path without links. */
  readonly path: string;
}

/** An attribute with its path below the folder it belongs to, such as `intel_vgpu/vgpu_id`. */
export interface NamedAttribute {
  readonly name: string;
  readonly attribute: Attribute;
}

/** Words of VFIO debugfs' `features`, in the kernel's order (drivers/vfio/debugfs.c). */
export type MigrationFeature = "stop-copy" | "p2p" | "pre-copy" | "dirty-tracking";

/**
 * A vendor driver below the mdev core (include/linux/mdev.h, struct mdev_driver). One value serves one parent; what
 * several parents share, it closes over.
 */
export interface MdevDriver {
  /** Name under /sys/bus/mdev/drivers, and its module. */
  readonly busDriver: BusDriver;
  readonly deviceApi: DeviceApi;
  readonly types: readonly MdevTypeSpec[];
  /** Where there is no `available`: the core counts this many devices per parent itself. */
  readonly maxInstances?: number;
  readonly available?: (type: string) => number;
  /** Whole text of `description`, newlines included; without it the type has no such file. */
  readonly describe?: (type: string) => string;
  /** Takes what a device needs, or refuses with the driver's own errno. */
  readonly probe: (device: MdevDevice) => Refused | undefined;
  /** Gives back what `probe` took, and what was taken since. */
  readonly remove: (device: MdevDevice) => void;
  /** Attributes beside the core's, in the type's folder. */
  readonly typeAttributes?: (type: string) => readonly NamedAttribute[];
  readonly deviceAttributes?: (device: MdevDevice) => readonly NamedAttribute[];
  /** What its devices can do while migrating; without it they cannot migrate. */
  readonly migrationFeatures?: readonly MigrationFeature[];
}
