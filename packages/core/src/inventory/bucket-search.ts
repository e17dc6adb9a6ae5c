// SPDX-License-Identifier: Apache-2.0

import { isHopeful, offerPlace, type BestPlaces } from "./best-places.ts";
import { hasBit, type Bitset } from "./bitset.ts";
import type { Bucket } from "./class-buckets.ts";
import { SCORES, UNLIMITED_ROOM } from "./place-table.ts";
import { HOST, LARGEST_BLOCK, LARGEST_BLOCK_LOG, PLACE, SCORE_AND_CLASS, SLOT, type SlotArena } from "./slot-arena.ts";
import { findRoom, highestRoomBelow, type RunPosition, type SortedRun } from "./sorted-run.ts";

/** `pack`: least room first; `spread`: most room first; `score`: lowest score first, then least room. */
export const PLACE_ORDERS = ["pack", "spread", "score"] as const;
export type PlaceOrder = (typeof PLACE_ORDERS)[number];

/** One search over any number of buckets. */
export interface Search {
  readonly arena: SlotArena;
  readonly best: BestPlaces;
  /** Least room wanted. */
  readonly room: number;
  readonly order: PlaceOrder;
  /** Host number, or -1. */
  readonly exceptHost: number;
  readonly exceptHosts: Bitset | undefined;
}

/**
 * Offers the places of a bucket. `preferences` are by member number, zero where a class is refused; the smallest go
 * first, each in a walk of its own, because a run is in order for one preference only.
 */
export function searchBucket(search: Search, bucket: Bucket, preferences: Uint16Array): void {
  const count = bucket.classes.length;
  let preference = nextPreference(preferences, count, 0);
  while (preference > 0) {
    const walk = { search, run: bucket.run, preferences, preference };
    if (search.order === "pack") walkAscending(walk);
    else if (search.order === "spread") walkRoomiestFirst(walk);
    else walkByScore(walk);
    preference = nextPreference(preferences, count, preference);
  }
}

/** The smallest preference above another; 0 where there is none. */
function nextPreference(preferences: Uint16Array, count: number, above: number): number {
  let next = 0;
  for (let member = 0; member < count; member += 1) {
    const preference = preferences[member] ?? 0;
    if (preference > above && (next === 0 || preference < next)) next = preference;
  }
  return next;
}

interface Walk {
  readonly search: Search;
  readonly run: SortedRun;
  readonly preferences: Uint16Array;
  readonly preference: number;
}

function walkAscending(walk: Walk): void {
  const { search, run } = walk;
  walkRange(walk, findRoom(search.arena, run, search.room), {
    below: Number.POSITIVE_INFINITY,
    roomFactor: SCORES,
    scoreFactor: 1,
    base: 0,
  });
}

/** Levels of equal room from the highest down; within a level in the run's own order. */
function walkRoomiestFirst(walk: Walk): void {
  const { search, run, preference } = walk;
  let bound = Number.POSITIVE_INFINITY;
  for (;;) {
    const room = highestRoomBelow(search.arena, run, bound);
    if (room < search.room) return;
    bound = room;
    const base = UNLIMITED_ROOM * SCORES;
    if (!isHopeful(search.best, preference, base - room * SCORES)) return;
    const position = findRoom(search.arena, run, room);
    walkRange(walk, position, { below: room + 1, roomFactor: -SCORES, scoreFactor: 1, base });
  }
}

/** Every level is entered, because a roomier one may hold a lower score. */
function walkByScore(walk: Walk): void {
  const { search, run } = walk;
  const { words } = search.arena;
  let position = findRoom(search.arena, run, search.room);
  while (position >= 0) {
    const slot = (run.starts[position >>> LARGEST_BLOCK_LOG] ?? 0) + (position & (LARGEST_BLOCK - 1));
    const room = words[slot * SLOT] ?? 0;
    const range = { below: room + 1, roomFactor: 1, scoreFactor: UNLIMITED_ROOM + 1, base: 0 };
    position = walkRange(walk, position, range) ?? findRoom(search.arena, run, room + 1);
  }
}

/** Slots up to below a room, and how their sort key is made; it must ascend along the range. */
interface Range {
  readonly below: number;
  readonly roomFactor: number;
  readonly scoreFactor: number;
  readonly base: number;
}

/** Walks from a position on. Answers the position behind the range, -1 for the end; undefined where it did not walk so far. */
function walkRange(walk: Walk, first: RunPosition, range: Range): RunPosition | undefined {
  const { search, run, preferences, preference } = walk;
  const { words } = search.arena;
  const { roomFactor, scoreFactor, base } = range;
  if (first < 0) return -1;
  let offset = first & (LARGEST_BLOCK - 1);
  for (let block = first >>> LARGEST_BLOCK_LOG; block < run.starts.length; block += 1) {
    const start = run.starts[block] ?? 0;
    const end = (start + (run.lengths[block] ?? 0)) * SLOT;
    for (let slot = (start + offset) * SLOT; slot < end; slot += SLOT) {
      const room = words[slot] ?? 0;
      if (room >= range.below) return block * LARGEST_BLOCK + slot / SLOT - start;
      const scoreAndClass = words[slot + SCORE_AND_CLASS] ?? 0;
      if (preferences[scoreAndClass & 0xffff] !== preference) continue;
      const key = base + room * roomFactor + (scoreAndClass >>> 16) * scoreFactor;
      if (!isHopeful(search.best, preference, key)) return undefined;
      if (isLeftOut(search, words[slot + HOST] ?? 0)) continue;
      if (!offerPlace(search.best, words[slot + PLACE] ?? 0, { grade: preference, key })) return undefined;
    }
    offset = 0;
  }
  return -1;
}

function isLeftOut(search: Search, host: number): boolean {
  return host === search.exceptHost || (search.exceptHosts !== undefined && hasBit(search.exceptHosts, host));
}
