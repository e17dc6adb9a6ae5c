// SPDX-License-Identifier: Apache-2.0

import {
  deleteSlot,
  insertSlot,
  LARGEST_BLOCK,
  LARGEST_BLOCK_LOG,
  moveSlots,
  returnBlock,
  takeBlock,
  type BlockArena,
} from "./block-arena.ts";
import { comparePlaceIds, orderKey, type PlaceId, type PlaceTable } from "./place-table.ts";
import { longRun, type Block, type LongRun, type SortedRuns } from "./sorted-runs.ts";

/** A place, and the columns that say where it belongs. */
export interface Placing {
  readonly places: PlaceTable;
  readonly id: PlaceId;
}

/** Puts a place into a run, under the key that its columns give it now. */
export function insertPlace(runs: SortedRuns, run: number, insertion: Placing): void {
  const length = runs.lengths[run] ?? 0;
  if (length >= LARGEST_BLOCK) {
    insertLong(runs, run, insertion);
  } else {
    const log = runs.logs[run] ?? 0;
    if (length === 0) setBlock(runs, run, 0);
    else if (length === 1 << log) setBlock(runs, run, log + 1);
    insertIntoBlock(runs, { start: runs.starts[run] ?? 0, length }, insertion);
  }
  runs.lengths[run] = length + 1;
}

/** Takes a place out of a run; its columns must still be what they were when it was put in. */
export function deletePlace(runs: SortedRuns, run: number, deletion: Placing): void {
  const length = runs.lengths[run] ?? 0;
  if (length > LARGEST_BLOCK) {
    deleteLong(runs, run, deletion);
    runs.lengths[run] = length - 1;
    return;
  }
  deleteFromBlock(runs, { start: runs.starts[run] ?? 0, length }, deletion);
  runs.lengths[run] = length - 1;
  const log = runs.logs[run] ?? 0;
  if (length === 1) returnBlock(runs.arena, runs.starts[run] ?? 0, log);
  else if ((length - 1) * 4 <= 1 << log) setBlock(runs, run, log - 1);
}

/** How many places of a block come before one, in the full order. */
function countBefore(arena: BlockArena, block: Block, { places, id }: Placing): number {
  const key = orderKey(places, id);
  let low = block.start;
  let high = block.start + block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = arena.keys[middle] ?? 0;
    const before = other === key ? comparePlaceIds(places, arena.places[middle] ?? 0, id) < 0 : other < key;
    if (before) low = middle + 1;
    else high = middle;
  }
  return low - block.start;
}

function insertIntoBlock(runs: SortedRuns, block: Block, placing: Placing): void {
  const before = countBefore(runs.arena, block, placing);
  const key = orderKey(placing.places, placing.id);
  insertSlot(runs.arena, block.start + before, { key, place: placing.id, behind: block.length - before });
}

function deleteFromBlock(runs: SortedRuns, block: Block, placing: Placing): void {
  const before = countBefore(runs.arena, block, placing);
  const found = before < block.length && runs.arena.places[block.start + before] === placing.id;
  if (!found) throw new Error(`Place ${placing.id} is not in its run`);
  deleteSlot(runs.arena, block.start + before, block.length - before - 1);
}

/** Moves a run into a block of another size. */
function setBlock(runs: SortedRuns, run: number, log: number): void {
  const length = runs.lengths[run] ?? 0;
  const start = takeBlock(runs.arena, log);
  if (length > 0) {
    moveSlots(runs.arena, runs.starts[run] ?? 0, { to: start, count: length });
    returnBlock(runs.arena, runs.starts[run] ?? 0, runs.logs[run] ?? 0);
  }
  runs.starts[run] = start;
  runs.logs[run] = log;
}

/** The block that a place belongs to: the last one that does not start after it. */
function findBlock(runs: SortedRuns, long: LongRun, { places, id }: Placing): number {
  const { keys, places: firsts } = runs.arena;
  const key = orderKey(places, id);
  let low = 0;
  let high = long.starts.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    const start = long.starts[middle] ?? 0;
    const other = keys[start] ?? 0;
    const after = other === key ? comparePlaceIds(places, firsts[start] ?? 0, id) > 0 : other > key;
    if (after) high = middle;
    else low = middle;
  }
  return low;
}

function insertLong(runs: SortedRuns, run: number, placing: Placing): void {
  let long = runs.long.get(run);
  if (long === undefined) {
    long = { starts: [runs.starts[run] ?? 0], lengths: [LARGEST_BLOCK] };
    runs.long.set(run, long);
  }
  let block = findBlock(runs, long, placing);
  if (long.lengths[block] === LARGEST_BLOCK) {
    splitBlock(runs, long, block);
    block = findBlock(runs, long, placing);
  }
  const length = long.lengths[block] ?? 0;
  insertIntoBlock(runs, { start: long.starts[block] ?? 0, length }, placing);
  long.lengths[block] = length + 1;
}

function splitBlock(runs: SortedRuns, long: LongRun, block: number): void {
  const start = takeBlock(runs.arena, LARGEST_BLOCK_LOG);
  const half = LARGEST_BLOCK / 2;
  moveSlots(runs.arena, (long.starts[block] ?? 0) + half, { to: start, count: half });
  long.starts.splice(block + 1, 0, start);
  long.lengths.splice(block, 1, half, half);
}

function deleteLong(runs: SortedRuns, run: number, placing: Placing): void {
  const long = longRun(runs, run);
  const block = findBlock(runs, long, placing);
  const length = long.lengths[block] ?? 0;
  deleteFromBlock(runs, { start: long.starts[block] ?? 0, length }, placing);
  long.lengths[block] = length - 1;
  joinWithNext(runs, long, block);
  if (block > 0) joinWithNext(runs, long, block - 1);
  if (runs.lengths[run] === LARGEST_BLOCK + 1) shortenRun(runs, run);
}

/** Brings a long run that has lost a place and now fits one block into one block. */
function shortenRun(runs: SortedRuns, run: number): void {
  const long = longRun(runs, run);
  const to = takeBlock(runs.arena, LARGEST_BLOCK_LOG);
  let moved = 0;
  for (const [block, start] of long.starts.entries()) {
    const count = long.lengths[block] ?? 0;
    moveSlots(runs.arena, start, { to: to + moved, count });
    returnBlock(runs.arena, start, LARGEST_BLOCK_LOG);
    moved += count;
  }
  runs.long.delete(run);
  runs.starts[run] = to;
  runs.logs[run] = LARGEST_BLOCK_LOG;
}

/** Makes one block of two where one is empty or both together fill no more than half a block. */
function joinWithNext(runs: SortedRuns, long: LongRun, block: number): void {
  const length = long.lengths[block] ?? 0;
  const added = long.lengths[block + 1];
  if (added === undefined) return;
  if (length > 0 && added > 0 && length + added > LARGEST_BLOCK / 2) return;
  moveSlots(runs.arena, long.starts[block + 1] ?? 0, { to: (long.starts[block] ?? 0) + length, count: added });
  returnBlock(runs.arena, long.starts[block + 1] ?? 0, LARGEST_BLOCK_LOG);
  long.starts.splice(block + 1, 1);
  long.lengths.splice(block, 2, length + added);
}
