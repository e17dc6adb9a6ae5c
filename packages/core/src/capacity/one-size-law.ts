// SPDX-License-Identifier: Apache-2.0

import { amountHeld, amountOf } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { NO_ROOM, room, sumOf, UNKNOWN_ROOM } from "./interval.ts";
import type { Occupant, Pool, PoolLaw, Room } from "./pool.ts";

type OneSizeLaw = Extract<PoolLaw, { kind: "one-size" }>;

/** The counter that a one-size pool is measured in, MiB. */
export const FRAMEBUFFER = "framebuffer";

/**
 * How many more devices fit where all devices of a pool have one framebuffer size at a time. Several types of that size
 * share the pool; any other size has no room until the pool is empty (NVIDIA vGPU: equal-size mode).
 */
export function oneSizeRoom(pool: Pool, law: OneSizeLaw, ask: Ask): Room {
  const size = sizeOf(pool, ask.type);
  if (size === undefined) return UNKNOWN_ROOM;
  if (occupantsOfOtherSize(pool, ask.type).length > 0) return NO_ROOM;
  const held = pool.occupants.map((occupant) => amountHeld(pool, occupant, FRAMEBUFFER));
  const free = law.totalMib - sumOf(held.map((amount) => amount ?? 0));
  const fits = Math.floor(free / (size * ask.count));
  return room(held.includes(undefined) ? 0 : fits, fits);
}

/** How much framebuffer is missing for one device, MiB; all of it where another size sits there. Nothing: an empty map. */
export function oneSizeMissing(pool: Pool, law: OneSizeLaw, ask: Ask): ReadonlyMap<string, number> {
  const each = (sizeOf(pool, ask.type) ?? 0) * ask.count;
  if (occupantsOfOtherSize(pool, ask.type).length > 0) return new Map([[FRAMEBUFFER, each]]);
  const used = sumOf(pool.occupants.map((occupant) => amountHeld(pool, occupant, FRAMEBUFFER) ?? 0));
  const short = each - Math.max(0, law.totalMib - used);
  return short > 0 ? new Map([[FRAMEBUFFER, short]]) : new Map();
}

/** The occupants that certainly have another framebuffer size than a type. */
export function occupantsOfOtherSize(pool: Pool, type: string): readonly Occupant[] {
  const size = sizeOf(pool, type);
  if (size === undefined) return [];
  return pool.occupants.filter((occupant) => {
    // The size of a unit does not depend on the count, so a device of unknown count still has a known size.
    const other = sizeOf(pool, occupant.type);
    return other !== undefined && other !== size;
  });
}

/** Framebuffer of one unit of a type in MiB; undefined where it is not known. */
export function sizeOf(pool: Pool, type: string): number | undefined {
  const size = amountOf(pool, type, FRAMEBUFFER);
  return size === undefined || size <= 0 ? undefined : size;
}
