// SPDX-License-Identifier: Apache-2.0

import type { ApBus, ApMatrix } from "./ap-matrix.ts";
import type { DeviceApi } from "./device-api.ts";
import type { Reading } from "./evidence.ts";
import type { MigrationAttributes, TypeId } from "./mdev-type.ts";
import type { KernelBuild, ModuleBuild } from "./module-build.ts";
import type { Subchannel } from "./parent-device.ts";
import type { PciIds } from "./pci-function.ts";
import type { Aggregation, MigrationFeatures } from "./vfio-device.ts";

/** What a profile speaks of: something that exists, or something that could be created. */
export type Subject =
  | { readonly kind: "device"; readonly host: string; readonly parent: string; readonly id: string }
  | { readonly kind: "type"; readonly host: string; readonly parent: string; readonly id: string };

/**
 * Everything that decides whether a device's state may move, for one end of a move.
 * The source is a device. The destination is an existing device, or a type on a parent that has yet to be created.
 */
export interface MigrationProfile {
  readonly subject: Subject;
  readonly framework: "mdev" | "vendor-vfio" | "function";
  /** Driver prefix of the type id, or of a function's declared signature: whose strings these are (D13). */
  readonly vendorDriver: Reading<string>;
  readonly deviceApi: Reading<DeviceApi>;
  /** mdev type; for a function its declared signature (R3). */
  readonly type: Reading<TypeId>;
  readonly attributes: MigrationAttributes;
  /** Kernel module that interprets the stream, as loaded. */
  readonly module: Reading<ModuleBuild>;
  readonly kernel: KernelBuild;
  readonly firmware: Reading<string>;
  /** PCI ids of the parent or function; absent off the PCI bus. */
  readonly pciIds: Reading<PciIds>;
  /** At a type: the count is what a plain create makes, `settable` and `max` what could be claimed. */
  readonly aggregation: Reading<Aggregation>;
  /** Values of the dynamic resources at a device; empty at a type. */
  readonly dynamicValues: Readonly<Record<string, Reading<string>>>;
  /** vfio-ap: the device's matrix; at a type undefined. */
  readonly ap?: ApMatrix;
  /** vfio-ap: the AP bus of this end's host. */
  readonly apBus?: ApBus;
  /** vfio-ap destination: APQNs that other mdev devices of that host hold. */
  readonly apTaken?: readonly string[];
  /** vfio-ccw only. */
  readonly subchannel?: Subchannel;
  readonly features: Reading<MigrationFeatures>;
  /** Facts by name: the device's, its parent's and its host's, nearest wins. */
  readonly facts: Readonly<Record<string, Reading<string>>>;
}
