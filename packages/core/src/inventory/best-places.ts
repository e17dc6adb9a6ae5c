// SPDX-License-Identifier: Apache-2.0

import { comparePlaceIds, type PlaceId, type PlaceTable } from "./place-table.ts";

/** The best places met so far, at most `limit`: a heap with the worst of them on top, in parallel columns. */
export interface BestPlaces {
  readonly places: PlaceTable;
  readonly limit: number;
  count: number;
  /** Preference, then sort key; smaller is better. */
  readonly grades: number[];
  readonly keys: number[];
  readonly ids: PlaceId[];
}

/** Nothing met yet. */
export function createBestPlaces(places: PlaceTable, limit: number): BestPlaces {
  return { places, limit, count: 0, grades: [], keys: [], ids: [] };
}

/** Whether any place of this grade and key could still be among the best. */
export function isHopeful(best: BestPlaces, grade: number, key: number): boolean {
  if (best.count < best.limit) return true;
  const worst = best.grades[0] ?? 0;
  return grade === worst ? key <= (best.keys[0] ?? 0) : grade < worst;
}

/** Takes a place in if it is among the best so far, and says so. */
export function offerPlace(
  best: BestPlaces,
  id: PlaceId,
  rank: { readonly grade: number; readonly key: number },
): boolean {
  if (best.count < best.limit) {
    best.count += 1;
    siftUp(best, best.count - 1, { id, ...rank });
    return true;
  }
  if (best.limit === 0 || compareRanks(best, 0, { id, ...rank }) <= 0) return false;
  siftDown(best, best.count, { id, ...rank });
  return true;
}

/** Empties the heap: its places, best first. */
export function drainBest(best: BestPlaces): readonly PlaceId[] {
  const sorted = new Array<PlaceId>(best.count);
  while (best.count > 0) {
    best.count -= 1;
    sorted[best.count] = best.ids[0] ?? 0;
    const last = {
      id: best.ids[best.count] ?? 0,
      grade: best.grades[best.count] ?? 0,
      key: best.keys[best.count] ?? 0,
    };
    if (best.count > 0) siftDown(best, best.count, last);
  }
  return sorted;
}

interface Ranked {
  readonly id: PlaceId;
  readonly grade: number;
  readonly key: number;
}

/** Negative where the entry at `index` is better. */
function compareRanks(best: BestPlaces, index: number, other: Ranked): number {
  const byGrade = (best.grades[index] ?? 0) - other.grade;
  if (byGrade !== 0) return byGrade;
  const byKey = (best.keys[index] ?? 0) - other.key;
  return byKey === 0 ? comparePlaceIds(best.places, best.ids[index] ?? 0, other.id) : byKey;
}

function write(best: BestPlaces, index: number, entry: Ranked): void {
  best.grades[index] = entry.grade;
  best.keys[index] = entry.key;
  best.ids[index] = entry.id;
}

function copy(best: BestPlaces, from: number, to: number): void {
  best.grades[to] = best.grades[from] ?? 0;
  best.keys[to] = best.keys[from] ?? 0;
  best.ids[to] = best.ids[from] ?? 0;
}

function siftUp(best: BestPlaces, from: number, entry: Ranked): void {
  let index = from;
  while (index > 0) {
    const above = (index - 1) >>> 1;
    if (compareRanks(best, above, entry) >= 0) break;
    copy(best, above, index);
    index = above;
  }
  write(best, index, entry);
}

/** Puts an entry in at the top of a heap of `count` and lets it sink below everything worse. */
function siftDown(best: BestPlaces, count: number, entry: Ranked): void {
  let index = 0;
  for (;;) {
    let below = index * 2 + 1;
    if (below >= count) break;
    if (below + 1 < count && compareRanks(best, below + 1, at(best, below)) > 0) below += 1;
    if (compareRanks(best, below, entry) <= 0) break;
    copy(best, below, index);
    index = below;
  }
  write(best, index, entry);
}

function at(best: BestPlaces, index: number): Ranked {
  return { id: best.ids[index] ?? 0, grade: best.grades[index] ?? 0, key: best.keys[index] ?? 0 };
}
