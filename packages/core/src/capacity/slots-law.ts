// SPDX-License-Identifier: Apache-2.0

import { findType } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { NO_ROOM, room, sumOf, UNKNOWN_ROOM } from "./interval.ts";
import type { Occupant, Pool, PoolLaw, Room } from "./pool.ts";

type SlotsLaw = Extract<PoolLaw, { kind: "slots" }>;

/** More slots than any device has: beyond it a number is absurd. */
export const SLOTS_MAX = 4096;

/** Where the devices of one type may sit. */
export interface Placement {
  readonly length: number;
  /** Ascending. */
  readonly starts: readonly number[];
}

/**
 * How many more devices fit at placement slots (NVIDIA mixed-size mode, MIG): the most that can sit side by side at the
 * starts that their type allows. An occupant whose slot is not known leaves only an upper end. Nobody aggregates
 * placements, so an aggregated device has an upper end alone as well.
 */
export function slotsRoom(pool: Pool, law: SlotsLaw, ask: Ask): Room {
  const placement = placementOf(pool, law, ask.type);
  if (placement === undefined) return UNKNOWN_ROOM;
  const unplaced = pool.occupants.filter((occupant) => takenSlots(pool, occupant) === undefined);
  const used = sumOf(unplaced.map((occupant) => lengthOf(pool, occupant.type) ?? 1));
  const free = freeSlots(pool, law);
  const bySlots = countPlacements(free, placement);
  const byAmount = Math.floor((free.filter(Boolean).length - used) / placement.length);
  const atMost = Math.floor(Math.min(bySlots, byAmount) / ask.count);
  return atMost <= 0 ? NO_ROOM : room(unplaced.length === 0 && ask.count === 1 ? atMost : 0, atMost);
}

/**
 * The slot at which a new device does least harm: of those that leave most room to its own type, the one that leaves
 * most room to the longest other types, and of equals the lowest. Undefined where no slot is free.
 */
export function planSlot(pool: Pool, law: SlotsLaw, type: string): number | undefined {
  const placement = placementOf(pool, law, type);
  if (placement === undefined) return undefined;
  const free = freeSlots(pool, law);
  const lengths = pool.types.flatMap((other) => placementOf(pool, law, other.type) ?? []);
  const judged = [placement, ...lengths.sort((left, right) => right.length - left.length)];
  let best: { readonly start: number; readonly left: readonly number[] } | undefined;
  for (const start of placement.starts) {
    if (!isFree(free, start, placement.length)) continue;
    const after = free.map((isOpen, slot) => isOpen && (slot < start || slot >= start + placement.length));
    const left = judged.map((other) => countPlacements(after, other));
    if (best === undefined || compareLists(left, best.left) > 0) best = { start, left };
  }
  return best?.start;
}

/** Whether a device of a type may sit at a slot now: an allowed start, and nothing known to sit there. */
export function canSitAt(pool: Pool, law: SlotsLaw, at: { readonly type: string; readonly slot: number }): boolean {
  const placement = placementOf(pool, law, at.type);
  if (placement === undefined || !placement.starts.includes(at.slot)) return false;
  return isFree(freeSlots(pool, law), at.slot, placement.length);
}

/** Which slots no occupant is known to hold, by slot number. */
export function freeSlots(pool: Pool, law: SlotsLaw): readonly boolean[] {
  const free = Array.from({ length: law.slots }, () => true);
  for (const occupant of pool.occupants) {
    for (const slot of takenSlots(pool, occupant) ?? []) if (slot >= 0 && slot < free.length) free[slot] = false;
  }
  return free;
}

/** The most placements that fit side by side. Taking the lowest free start first is optimal for equal lengths. */
export function countPlacements(free: readonly boolean[], placement: Placement): number {
  let count = 0;
  let next = 0;
  for (const start of placement.starts) {
    if (start < next || !isFree(free, start, placement.length)) continue;
    count += 1;
    next = start + placement.length;
  }
  return count;
}

/** Where a type may sit inside a pool; undefined where that is not known. Starts outside the pool are left out. */
export function placementOf(pool: Pool, law: SlotsLaw, type: string): Placement | undefined {
  const length = lengthOf(pool, type);
  if (length === undefined) return undefined;
  const starts = (findType(pool, type)?.consumption?.slots?.starts ?? []).filter(
    (start) => Number.isSafeInteger(start) && start >= 0 && start + length <= law.slots,
  );
  return { length, starts: [...new Set(starts)].sort((left, right) => left - right) };
}

/** The slots that an occupant holds; undefined where its slot or its length is not known. */
export function takenSlots(pool: Pool, occupant: Occupant): readonly number[] | undefined {
  const { slot } = occupant;
  const length = lengthOf(pool, occupant.type);
  if (slot === undefined || length === undefined || occupant.uncertain !== undefined) return undefined;
  return Array.from({ length }, (_, index) => slot + index);
}

/** How many slots a device of a type takes; undefined where that is not known or absurd. */
function lengthOf(pool: Pool, type: string): number | undefined {
  const length = findType(pool, type)?.consumption?.slots?.length;
  return length !== undefined && Number.isSafeInteger(length) && length >= 1 && length <= SLOTS_MAX
    ? length
    : undefined;
}

function isFree(free: readonly boolean[], start: number, length: number): boolean {
  for (let slot = start; slot < start + length; slot += 1) if (free[slot] !== true) return false;
  return true;
}

function compareLists(left: readonly number[], right: readonly number[]): number {
  const index = left.findIndex((value, position) => value !== right[position]);
  return index === -1 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
