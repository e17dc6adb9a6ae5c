// SPDX-License-Identifier: Apache-2.0

import type { DeviceApi } from "./device-api.ts";
import type { Reading } from "./evidence.ts";
import { quoteText } from "./quoted-text.ts";
import type { SoftwareVersion } from "./software-version.ts";

declare const brand: unique symbol;
/**
 * Type id: the parent's driver name, `-`, and the type name, such as `i915-GVTg_V5_4`.
 * In NVIDIA's vendor VFIO framework Berth writes `nvidia-<ID>`, which is what the same number is called on the mdev bus.
 */
export type TypeId = string & { readonly [brand]: "TypeId" };

/** The longest name a directory of sysfs can have. */
const NAME_MAX = 255;

/** Reads a type id: visible ASCII without `/`, at most 255 characters. Throws SyntaxError. */
export function parseTypeId(text: string): TypeId {
  if (text.length <= NAME_MAX && /^[!-.0-~]+$/.test(text) && text !== "." && text !== "..") return text as TypeId;
  throw new SyntaxError(`Cannot parse mdev type id: expected visible ASCII without "/", got ${quoteText(text)}`);
}

/**
 * What a driver publishes about migrating, at a type or at a device (seed 002, section 5.1).
 * Every one is absent on kernels of today unless a reference driver or the simulator exports it.
 */
export interface MigrationAttributes {
  readonly softwareVersion: Reading<SoftwareVersion>;
  /** Type ids from which this type says it can take state; shown, applied only where the policy says so (D2). */
  readonly compatibleTypes: Reading<readonly string[]>;
  /** `compatible_<field>` by field, `type` excepted. Items in the order of the file, duplicates dropped. */
  readonly compatible: Readonly<Record<string, Reading<readonly string[]>>>;
  /** Names of attributes under the device that are claimed 1:1, in the order in which they are written (D20). */
  readonly dynamicResources: Reading<readonly string[]>;
  /** Opaque: only the destination's driver may judge it (R8). */
  readonly migrationVersion: Reading<string>;
}

/** A type that one parent device offers. */
export interface MdevType {
  readonly id: TypeId;
  /** The part of the id before the type name: whose type it is (D13). */
  readonly driverPrefix: string;
  readonly name: Reading<string>;
  readonly deviceApi: Reading<DeviceApi>;
  /** How many more devices of this type this parent says it can create. A snapshot, not a promise (D16). */
  readonly availableInstances: Reading<number>;
  readonly description: Reading<string>;
  /** How many units of this type one device may take; 1 where the driver has no aggregation, absent where it does not say. */
  readonly maxAggregation: Reading<number>;
  readonly attributes: MigrationAttributes;
}
