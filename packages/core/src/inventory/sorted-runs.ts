// SPDX-License-Identifier: Apache-2.0

import { createBlockArena, LARGEST_BLOCK, LARGEST_BLOCK_LOG, type BlockArena } from "./block-arena.ts";
import { widenUint32 } from "./typed-column.ts";

/**
 * The places of each class, sorted by key, then host name, then place name.
 *
 * A run of up to 256 places is one block that doubles as it grows, so a class of one place costs one slot. A longer run
 * is a list of such blocks: an insertion into a class of a million places moves a few hundred slots, not a million.
 */
export interface SortedRuns {
  readonly arena: BlockArena;
  /** Places of each run. */
  lengths: Uint32Array;
  /** Start of the only block; meaningless for a long run. */
  starts: Uint32Array;
  /** Logarithm of the only block's size. */
  logs: Uint32Array;
  readonly long: Map<number, LongRun>;
}

/** The blocks of a run of more than 256 places, in order; each has 256 slots and at least one place. */
export interface LongRun {
  readonly starts: number[];
  readonly lengths: number[];
}

/** Where a place stands in a run: the block's number times 256, plus the slot in the block. -1 is behind the end. */
export type RunPosition = number;

/** No runs. */
export function createSortedRuns(): SortedRuns {
  const nothing = (): Uint32Array => new Uint32Array(0);
  return { arena: createBlockArena(), lengths: nothing(), starts: nothing(), logs: nothing(), long: new Map() };
}

/** Makes room for run numbers below `count`; new runs are empty. */
export function widenRuns(runs: SortedRuns, count: number): void {
  if (count <= runs.lengths.length) return;
  runs.lengths = widenUint32(runs.lengths, count);
  runs.starts = widenUint32(runs.starts, count);
  runs.logs = widenUint32(runs.logs, count);
}

/** The first position whose key is at least `key`, or -1. */
export function findFirst(runs: SortedRuns, run: number, key: number): RunPosition {
  const { keys } = runs.arena;
  const length = runs.lengths[run] ?? 0;
  if (length <= LARGEST_BLOCK) {
    const start = runs.starts[run] ?? 0;
    const offset = lowerBound(keys, { start, length }, key);
    return offset === length ? -1 : offset;
  }
  const long = longRun(runs, run);
  let low = 0;
  let high = long.starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const last = (long.starts[middle] ?? 0) + (long.lengths[middle] ?? 0) - 1;
    if ((keys[last] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  if (low === long.starts.length) return -1;
  return low * LARGEST_BLOCK + lowerBound(keys, { start: long.starts[low] ?? 0, length: long.lengths[low] ?? 0 }, key);
}

/** The slot of the arena that a position stands for. */
export function slotAt(runs: SortedRuns, run: number, position: RunPosition): number {
  if ((runs.lengths[run] ?? 0) <= LARGEST_BLOCK) return (runs.starts[run] ?? 0) + position;
  return (longRun(runs, run).starts[position >>> LARGEST_BLOCK_LOG] ?? 0) + (position & (LARGEST_BLOCK - 1));
}

/** The position after one, or -1. */
export function nextPosition(runs: SortedRuns, run: number, position: RunPosition): RunPosition {
  const length = runs.lengths[run] ?? 0;
  if (length <= LARGEST_BLOCK) return position + 1 < length ? position + 1 : -1;
  const long = longRun(runs, run);
  const block = position >>> LARGEST_BLOCK_LOG;
  if ((position & (LARGEST_BLOCK - 1)) + 1 < (long.lengths[block] ?? 0)) return position + 1;
  return block + 1 < long.starts.length ? (block + 1) * LARGEST_BLOCK : -1;
}

/** The largest key of a run below `bound`, or -1. */
export function highestKeyBelow(runs: SortedRuns, run: number, bound: number): number {
  const length = runs.lengths[run] ?? 0;
  if (length === 0) return -1;
  const { keys } = runs.arena;
  const position = findFirst(runs, run, bound);
  if (length <= LARGEST_BLOCK) {
    const before = position < 0 ? length : position;
    return before === 0 ? -1 : (keys[(runs.starts[run] ?? 0) + before - 1] ?? -1);
  }
  const long = longRun(runs, run);
  const offset = position < 0 ? 0 : position & (LARGEST_BLOCK - 1);
  const block = position < 0 ? long.starts.length : position >>> LARGEST_BLOCK_LOG;
  if (offset > 0) return keys[(long.starts[block] ?? 0) + offset - 1] ?? -1;
  return block === 0 ? -1 : (keys[(long.starts[block - 1] ?? 0) + (long.lengths[block - 1] ?? 1) - 1] ?? -1);
}

/** The blocks of a long run. Throws where the run is not long: its length decides. */
export function longRun(runs: SortedRuns, run: number): LongRun {
  const long = runs.long.get(run);
  if (long === undefined) throw new Error(`Run ${run} has no blocks`);
  return long;
}

/** Neighbouring slots of the arena. */
export interface Block {
  readonly start: number;
  readonly length: number;
}

function lowerBound(keys: Float64Array, block: Block, key: number): number {
  let low = block.start;
  let high = block.start + block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? 0) < key) low = middle + 1;
    else high = middle;
  }
  return low - block.start;
}
