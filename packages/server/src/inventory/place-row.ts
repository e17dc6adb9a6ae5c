// SPDX-License-Identifier: Apache-2.0

import type { Room } from "@berth/core/capacity/pool";
import { roomFor } from "@berth/core/capacity/room";
import { UNKNOWN_ROOM } from "@berth/core/capacity/interval";
import { valueOf } from "@berth/core/device/evidence";
import type { Place } from "@berth/core/inventory/place";
import { UNLIMITED_ROOM } from "@berth/core/inventory/place-table";
import { findDamage, type Damage } from "@berth/core/placement/rank";

/** What the index is told of a place, as far as a device of one unit is concerned. */
export interface PlaceRow {
  readonly room: Room;
  readonly damage: Damage;
  readonly numaNode: number | undefined;
  /** False where columns cannot hold what a ranking compares: searches over such a place rank by the place itself. */
  readonly exact: boolean;
}

/**
 * Room is that of the whole pool, because a ranking compares how full pools are, cut to nothing where the parent itself
 * has no room: a VF has room for one at most whatever its pool has left.
 */
export function findPlaceRow(place: Place): PlaceRow {
  const { pool, type, parent } = place;
  const own = pool === undefined ? UNKNOWN_ROOM : roomFor(pool, { type, parent });
  const pooled = pool === undefined ? UNKNOWN_ROOM : roomFor(pool, { type });
  const node = valueOf(place.numaNode);
  const isNode = node === undefined || (Number.isInteger(node) && node >= 0 && node < 2 ** 31);
  const isRoom = own.atLeast < 1 || (pooled.atLeast >= 1 && isColumn(pooled.atLeast));
  return {
    room: offeredRoom(own, pooled),
    damage: findDamage(place, 1),
    numaNode: isNode ? node : undefined,
    exact: isNode && isRoom,
  };
}

function offeredRoom(own: Room, pooled: Room): Room {
  if (own.atLeast < 1) return { atLeast: 0, atMost: own.atMost < 1 ? 0 : 1 };
  const atLeast = Math.max(1, pooled.atLeast);
  return { atLeast, atMost: Math.max(atLeast, pooled.atMost) };
}

/** Unlimited room is one value of the column, and the only one that may be as large. */
function isColumn(room: number): boolean {
  return Number.isInteger(room) ? room < UNLIMITED_ROOM : room === Number.POSITIVE_INFINITY;
}
