// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "../capacity/pool.ts";
import type { Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";

/** A destination that could be asked for: a type on a parent of a host. */
export interface Place {
  readonly host: string;
  readonly parent: string;
  readonly type: string;
  readonly profile: MigrationProfile;
  /** The pool that a device created here takes from; undefined where the host's pools do not name the parent. */
  readonly pool: Pool | undefined;
  readonly numaNode: Reading<number>;
}

/** Names a device of the fleet. */
export interface DeviceRef {
  readonly host: string;
  readonly device: string;
}

/** Names a place of the fleet. */
export interface PlaceRef {
  readonly host: string;
  readonly parent: string;
  readonly type: string;
}

/** Writes `host:parent/type`, as the command line reads it. */
export function formatPlace(place: PlaceRef): string {
  return `${place.host}:${place.parent}/${place.type}`;
}
