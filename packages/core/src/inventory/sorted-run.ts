// SPDX-License-Identifier: Apache-2.0

import type { PlaceId, PlaceTable } from "./place-table.ts";
import {
  compareSlot,
  LARGEST_BLOCK,
  LARGEST_BLOCK_LOG,
  moveSlots,
  PLACE,
  probeOf,
  returnBlock,
  SLOT,
  takeBlock,
  writeSlot,
  type Probe,
  type SlotArena,
} from "./slot-arena.ts";

/**
 * Places in order of room, score, host name and place name, in blocks of an arena. The only block of a short run doubles
 * as it grows; a longer run is a list of blocks of 256 slots, each with at least one place, so that an insertion among a
 * million places moves a few hundred slots.
 */
export interface SortedRun {
  count: number;
  /** Logarithm of the blocks' size; the largest where there are several. */
  log: number;
  readonly starts: number[];
  readonly lengths: number[];
}

/** A place, and what its slot is made from. */
export interface Placing {
  readonly places: PlaceTable;
  readonly id: PlaceId;
  /** The class's number in its bucket. */
  readonly member: number;
}

/** Block times 256 plus the slot in the block; -1 is behind the end. */
export type RunPosition = number;

/** A run without places. */
export function createSortedRun(): SortedRun {
  return { count: 0, log: 0, starts: [], lengths: [] };
}

/** The first position with at least that much room, or -1. */
export function findRoom(arena: SlotArena, run: SortedRun, room: number): RunPosition {
  if (run.count === 0) return -1;
  const { words } = arena;
  const { starts, lengths } = run;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const last = (starts[middle] ?? 0) + (lengths[middle] ?? 0) - 1;
    if ((words[last * SLOT] ?? 0) < room) low = middle + 1;
    else high = middle;
  }
  const block = low;
  if (block === starts.length) return -1;
  const start = starts[block] ?? 0;
  low = 0;
  high = lengths[block] ?? 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((words[(start + middle) * SLOT] ?? 0) < room) low = middle + 1;
    else high = middle;
  }
  return block * LARGEST_BLOCK + low;
}

/** The most room in a run that is below a bound, or -1. */
export function highestRoomBelow(arena: SlotArena, run: SortedRun, bound: number): number {
  if (run.count === 0) return -1;
  const { starts, lengths } = run;
  const position = findRoom(arena, run, bound);
  const block = position < 0 ? starts.length : position >>> LARGEST_BLOCK_LOG;
  const offset = position < 0 ? 0 : position & (LARGEST_BLOCK - 1);
  if (offset > 0) return arena.words[((starts[block] ?? 0) + offset - 1) * SLOT] ?? -1;
  if (block === 0) return -1;
  return arena.words[((starts[block - 1] ?? 0) + (lengths[block - 1] ?? 1) - 1) * SLOT] ?? -1;
}

/** Puts a place into a run, where its columns say now. */
export function insertPlace(arena: SlotArena, run: SortedRun, placing: Placing): void {
  const probe = probeOf(placing.places, placing.id);
  let block = findBlock(arena, run, probe);
  if (run.lengths[block] === capacityOf(run)) {
    if (run.log < LARGEST_BLOCK_LOG) resizeBlock(arena, run, run.log + 1);
    else splitBlock(arena, run, block);
    block = findBlock(arena, run, probe);
  }
  const start = run.starts[block] ?? 0;
  const length = run.lengths[block] ?? 0;
  const before = countBefore(arena, { start, length }, probe);
  moveSlots(arena, start + before, { to: start + before + 1, count: length - before });
  writeSlot(arena, start + before, placing);
  run.lengths[block] = length + 1;
  run.count += 1;
}

/** Takes a place out of a run; its columns must still be what they were when it was put in. */
export function deletePlace(arena: SlotArena, run: SortedRun, { places, id }: Placing): void {
  const probe = probeOf(places, id);
  const block = findBlock(arena, run, probe);
  const start = run.starts[block] ?? 0;
  const length = run.lengths[block] ?? 0;
  const before = countBefore(arena, { start, length }, probe);
  if (before === length || compareSlot(arena.words, start + before, probe) !== 0) {
    throw new Error(`Place ${id} is not in its run`);
  }
  moveSlots(arena, start + before + 1, { to: start + before, count: length - before - 1 });
  run.lengths[block] = length - 1;
  run.count -= 1;
  joinWithNext(arena, run, block);
  if (block > 0) joinWithNext(arena, run, block - 1);
  if (run.starts.length === 1 && run.log > 0 && run.count * 4 <= 1 << run.log) resizeBlock(arena, run, run.log - 1);
}

/** The places of a run, in order. */
export function placesOf(arena: SlotArena, run: SortedRun): readonly PlaceId[] {
  const ids: PlaceId[] = [];
  for (const [block, start] of run.starts.entries()) {
    const end = start + (run.lengths[block] ?? 0);
    for (let slot = start; slot < end; slot += 1) ids.push(arena.words[slot * SLOT + PLACE] ?? 0);
  }
  return ids;
}

/** Slots of a block that `fillRun` leaves free: the next insertions need not split it. */
const SPARE = 64;

/** Makes a run hold these places instead of what it holds; they are in order already. */
export function fillRun(
  arena: SlotArena,
  run: SortedRun,
  filling: {
    readonly places: PlaceTable;
    readonly ids: readonly PlaceId[];
    readonly memberOf: (id: PlaceId) => number;
  },
): void {
  const { places, ids, memberOf } = filling;
  for (const start of run.starts.splice(0)) returnBlock(arena, start, run.log);
  run.lengths.length = 0;
  run.count = ids.length;
  run.log = Math.min(Math.ceil(Math.log2(Math.max(ids.length, 1))), LARGEST_BLOCK_LOG);
  const share = ids.length <= LARGEST_BLOCK ? ids.length : LARGEST_BLOCK - SPARE;
  for (let at = 0; at < ids.length; at += share) {
    const start = takeBlock(arena, run.log);
    const part = ids.slice(at, at + share);
    for (const [offset, id] of part.entries()) writeSlot(arena, start + offset, { places, id, member: memberOf(id) });
    run.starts.push(start);
    run.lengths.push(part.length);
  }
}

function capacityOf(run: SortedRun): number {
  return run.starts.length === 0 ? 0 : 1 << run.log;
}

/** The block that a place belongs to: the last one that does not start after it, or the first. */
function findBlock(arena: SlotArena, run: SortedRun, probe: Probe): number {
  if (run.starts.length === 0) {
    run.starts.push(takeBlock(arena, 0));
    run.lengths.push(0);
    run.log = 0;
  }
  let low = 0;
  let high = run.starts.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (compareSlot(arena.words, run.starts[middle] ?? 0, probe) > 0) high = middle;
    else low = middle;
  }
  return low;
}

/** How many places of a block come before one. */
function countBefore(
  arena: SlotArena,
  { start, length }: { readonly start: number; readonly length: number },
  probe: Probe,
): number {
  const { words } = arena;
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareSlot(words, start + middle, probe) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Moves the only block into one of another size. */
function resizeBlock(arena: SlotArena, run: SortedRun, log: number): void {
  const from = run.starts[0] ?? 0;
  const to = takeBlock(arena, log);
  moveSlots(arena, from, { to, count: run.count });
  returnBlock(arena, from, run.log);
  run.starts[0] = to;
  run.log = log;
}

function splitBlock(arena: SlotArena, run: SortedRun, block: number): void {
  const start = takeBlock(arena, LARGEST_BLOCK_LOG);
  const half = LARGEST_BLOCK / 2;
  moveSlots(arena, (run.starts[block] ?? 0) + half, { to: start, count: half });
  run.starts.splice(block + 1, 0, start);
  run.lengths.splice(block, 1, half, half);
}

/** Makes one block of two where one is empty or both together fill no more than half a block. */
function joinWithNext(arena: SlotArena, run: SortedRun, block: number): void {
  const length = run.lengths[block] ?? 0;
  const added = run.lengths[block + 1];
  if (added === undefined) return;
  if (length > 0 && added > 0 && length + added > LARGEST_BLOCK / 2) return;
  moveSlots(arena, run.starts[block + 1] ?? 0, { to: (run.starts[block] ?? 0) + length, count: added });
  returnBlock(arena, run.starts[block + 1] ?? 0, LARGEST_BLOCK_LOG);
  run.starts.splice(block + 1, 1);
  run.lengths.splice(block, 2, length + added);
}
