// SPDX-License-Identifier: Apache-2.0

import { narrower, UNKNOWN_ROOM } from "../capacity/interval.ts";
import type { Pool, Room } from "../capacity/pool.ts";
import { roomFor } from "../capacity/room.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";

/** Where room is asked for: a type on a parent, and the pool behind it. */
export interface RoomPlace {
  readonly pool: Pool | undefined;
  readonly parent: string;
  readonly type: string;
}

/** Units of its type that a source is made of; 1 where it does not say (then R7 has said so already). */
export function unitsOf(source: MigrationProfile): number {
  return source.aggregation.kind === "known" ? source.aggregation.value.count : 1;
}

/**
 * How many more devices like the source fit on one parent. A parent without a pool proves nothing. A device with named
 * queues fits once at most: its guest sees those very queues (R9), however many others are free.
 */
export function roomForSource(source: MigrationProfile, { pool, parent, type }: RoomPlace): Room {
  if (pool === undefined) return UNKNOWN_ROOM;
  const room = roomFor(pool, { type, parent, count: unitsOf(source) });
  return source.ap === undefined ? room : narrower(room, { atLeast: 1, atMost: 1 });
}

/** How many more devices like the source fit in the whole pool behind a place, whichever of its parents takes them. */
export function roomInPool(source: MigrationProfile, { pool, type }: RoomPlace): Room {
  if (pool === undefined) return UNKNOWN_ROOM;
  const room = roomFor(pool, { type, count: unitsOf(source) });
  return source.ap === undefined ? room : narrower(room, { atLeast: 1, atMost: 1 });
}
