// SPDX-License-Identifier: Apache-2.0

import type { PlaceId } from "./place-table.ts";
import { widenFloat64, widenUint32 } from "./typed-column.ts";

/** Logarithm of the largest block's size. */
export const LARGEST_BLOCK_LOG = 8;
/** Slots of the largest block: what an insertion moves at most. */
export const LARGEST_BLOCK: number = 1 << LARGEST_BLOCK_LOG;

/**
 * Slots for sorted runs, cut out of two parallel columns in blocks of 1, 2, 4 ... 256. A slot is a place and its sort
 * key, side by side so that a binary search reads neighbouring memory and not the places' own columns.
 */
export interface BlockArena {
  keys: Float64Array;
  places: Uint32Array;
  /** Slots handed out so far. */
  used: number;
  /** Starts of blocks given back, by the logarithm of their size. */
  readonly vacant: readonly number[][];
}

/** An arena without blocks. */
export function createBlockArena(): BlockArena {
  const vacant = Array.from({ length: LARGEST_BLOCK_LOG + 1 }, (): number[] => []);
  return { keys: new Float64Array(0), places: new Uint32Array(0), used: 0, vacant };
}

/** The start of a block of 2^`log` slots. */
export function takeBlock(arena: BlockArena, log: number): number {
  const vacant = arena.vacant[log]?.pop();
  if (vacant !== undefined) return vacant;
  const start = arena.used;
  arena.used += 1 << log;
  arena.keys = widenFloat64(arena.keys, arena.used);
  arena.places = widenUint32(arena.places, arena.used);
  return start;
}

/** Gives a block back; a later block of the same size takes its slots. */
export function returnBlock(arena: BlockArena, start: number, log: number): void {
  arena.vacant[log]?.push(start);
}

/** Copies `count` slots; the two ranges may overlap. */
export function moveSlots(
  arena: BlockArena,
  from: number,
  move: { readonly to: number; readonly count: number },
): void {
  arena.keys.copyWithin(move.to, from, from + move.count);
  arena.places.copyWithin(move.to, from, from + move.count);
}

/** Puts a slot in at `at`; the `behind` slots from there on move up by one. */
export function insertSlot(
  arena: BlockArena,
  at: number,
  slot: { readonly key: number; readonly place: PlaceId; readonly behind: number },
): void {
  const { keys, places } = arena;
  for (let index = at + slot.behind; index > at; index -= 1) {
    keys[index] = keys[index - 1] ?? 0;
    places[index] = places[index - 1] ?? 0;
  }
  keys[at] = slot.key;
  places[at] = slot.place;
}

/** Takes the slot at `at` out; the `behind` slots after it move down by one. */
export function deleteSlot(arena: BlockArena, at: number, behind: number): void {
  const { keys, places } = arena;
  for (let index = at; index < at + behind; index += 1) {
    keys[index] = keys[index + 1] ?? 0;
    places[index] = places[index + 1] ?? 0;
  }
}
