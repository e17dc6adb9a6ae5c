// SPDX-License-Identifier: Apache-2.0

import { comparePlaceIds, type PlaceId, type PlaceTable } from "./place-table.ts";
import { widenUint32 } from "./typed-column.ts";

/** Logarithm of the largest block's size. */
export const LARGEST_BLOCK_LOG = 8;
/** Slots of the largest block: what an insertion moves at most. */
export const LARGEST_BLOCK: number = 1 << LARGEST_BLOCK_LOG;

/** Words of a slot. */
export const SLOT = 4;
/** The words: room; score in the upper half and the class's number in its bucket in the lower; place; host. */
export const SCORE_AND_CLASS = 1;
export const PLACE = 2;
export const HOST = 3;

/**
 * Slots for sorted runs in one column, cut into blocks of 1, 2, 4 ... 256. A slot repeats what a search reads of a place,
 * so that a search walks through neighbouring memory and not through the places' own columns.
 */
export interface SlotArena {
  words: Uint32Array;
  /** Slots handed out so far. */
  used: number;
  /** Starts of blocks given back, by the logarithm of their size. */
  readonly vacant: readonly number[][];
}

/** An arena without blocks. */
export function createSlotArena(): SlotArena {
  const vacant = Array.from({ length: LARGEST_BLOCK_LOG + 1 }, (): number[] => []);
  return { words: new Uint32Array(0), used: 0, vacant };
}

/** The number of the first slot of a block of 2^`log` slots. */
export function takeBlock(arena: SlotArena, log: number): number {
  const vacant = arena.vacant[log]?.pop();
  if (vacant !== undefined) return vacant;
  const start = arena.used;
  arena.used += 1 << log;
  arena.words = widenUint32(arena.words, arena.used * SLOT);
  return start;
}

/** Gives a block back; a later block of the same size takes its slots. */
export function returnBlock(arena: SlotArena, start: number, log: number): void {
  arena.vacant[log]?.push(start);
}

/** Copies `count` slots; the two ranges may overlap. */
export function moveSlots(arena: SlotArena, from: number, move: { readonly to: number; readonly count: number }): void {
  arena.words.copyWithin(move.to * SLOT, from * SLOT, (from + move.count) * SLOT);
}

/** Writes the slot of a place, from its columns. */
export function writeSlot(
  arena: SlotArena,
  slot: number,
  of: { places: PlaceTable; id: PlaceId; member: number },
): void {
  const { words } = arena;
  const { places, id, member } = of;
  const base = slot * SLOT;
  words[base] = places.roomAtLeast[id] ?? 0;
  words[base + SCORE_AND_CLASS] = (((places.scores[id] ?? 0) << 16) | member) >>> 0;
  words[base + PLACE] = id;
  words[base + HOST] = places.hosts[id] ?? 0;
}

/** A place about to be looked for among slots: its sort key, read once. */
export interface Probe {
  readonly places: PlaceTable;
  readonly id: PlaceId;
  readonly room: number;
  readonly score: number;
  readonly hostRank: number;
}

/** The probe of a place, from its columns. */
export function probeOf(places: PlaceTable, id: PlaceId): Probe {
  return {
    places,
    id,
    room: places.roomAtLeast[id] ?? 0,
    score: places.scores[id] ?? 0,
    hostRank: places.hostNames.ranks[places.hosts[id] ?? 0] ?? 0,
  };
}

/** Negative where a slot comes before a place: by room, score, host name, place name. */
export function compareSlot(words: Uint32Array, slot: number, probe: Probe): number {
  const base = slot * SLOT;
  const byRoom = (words[base] ?? 0) - probe.room;
  if (byRoom !== 0) return byRoom;
  const byScore = ((words[base + SCORE_AND_CLASS] ?? 0) >>> 16) - probe.score;
  if (byScore !== 0) return byScore;
  const byHost = (probe.places.hostNames.ranks[words[base + HOST] ?? 0] ?? 0) - probe.hostRank;
  return byHost === 0 ? comparePlaceIds(probe.places, words[base + PLACE] ?? 0, probe.id) : byHost;
}
