// SPDX-License-Identifier: Apache-2.0

import { createBestPlaces, drainBest, isHopeful, offerPlace, type BestPlaces } from "./best-places.ts";
import { hasBit, type Bitset } from "./bitset.ts";
import { zoneOf, type ClassColumns, type ClassId } from "./class-columns.ts";
import { PATTERN_NEWER, viewFrom, type CompiledSource, type StemView } from "./compiled-source.ts";
import type { MigrationIndex } from "./migration-index.ts";
import { SCORES, UNLIMITED_ROOM, type PlaceId } from "./place-table.ts";
import { findFirst, highestKeyBelow, nextPosition, slotAt } from "./sorted-runs.ts";
import { answersAbout, outcomeOfPattern, type Gate } from "./source-answers.ts";

/** `pack`: least room first; `spread`: most room first; `score`: lowest score first, then least room. */
export const PLACE_ORDERS = ["pack", "spread", "score"] as const;
export type PlaceOrder = (typeof PLACE_ORDERS)[number];

/** Which places are asked for. */
export interface BestQuery {
  readonly source: CompiledSource;
  /** Devices that must surely fit. */
  readonly atLeastFree: number;
  /** Most places wanted. */
  readonly limit: number;
  readonly order: PlaceOrder;
  /** Places on this node first, then those of unknown node. */
  readonly nearNumaNode?: number;
  /** A host that is not to be used, as the source's own. */
  readonly exceptHost?: string;
  /** Other hosts that are not to be used, by host number (`hostNumber`). */
  readonly exceptHosts?: Bitset;
  /** Only places of these classes. */
  readonly onlyClasses?: Bitset;
}

/**
 * The best places that are compatible and have room, best first: by grade of the yes, by NUMA node, by the order asked
 * for, then by host name and place name. The answer is that of an exhaustive search over all places.
 *
 * Classes are filtered by columns, then the sorted runs of those that remain are merged: each is left at its first place
 * that cannot be among the best any more. The cost is that of the compatible classes, not of their places.
 */
export function findBest(index: MigrationIndex, query: BestQuery): readonly PlaceId[] {
  const search = openSearch(index, query);
  const { columns, book } = index;
  const answers = answersAbout(book, columns, query.source);
  for (const gate of answers.gates.values()) searchStem(search, gate);
  for (const id of answers.singleYes) {
    const judgement = book.judgements[answers.single.get(id) ?? -1];
    if (judgement?.kind === "compatible") searchClass(search, id, judgement.grade);
  }
  return drainBest(search.best);
}

interface Search {
  readonly index: MigrationIndex;
  readonly columns: ClassColumns;
  readonly query: BestQuery;
  readonly best: BestPlaces;
  /** Lowest sort key with enough room. */
  readonly lowest: number;
  readonly exceptHost: number;
  readonly zone: number;
}

function openSearch(index: MigrationIndex, query: BestQuery): Search {
  if (!(query.atLeastFree >= 0)) throw new RangeError(`Room asked for must be a count, got ${query.atLeastFree}`);
  if (!(query.limit >= 0)) throw new RangeError(`Limit must be a count, got ${query.limit}`);
  const hosts = index.places.hostNames.ordinals;
  return {
    index,
    columns: index.columns,
    query,
    best: createBestPlaces(index.places, Math.floor(query.limit)),
    lowest: Math.min(Math.ceil(query.atLeastFree), UNLIMITED_ROOM) * SCORES,
    exceptHost: query.exceptHost === undefined ? -1 : (hosts.get(query.exceptHost) ?? -1),
    zone: zoneOf(query.nearNumaNode),
  };
}

/**
 * R4 and R5 must hold for a plain pair to be compatible: the same major, no older minor, all items. What passes is
 * judged by its pattern, because packs and policies may still refuse it.
 */
function searchStem(search: Search, gate: Gate): void {
  const view = viewFrom(gate.stem, search.query.source);
  if (view.lacking !== 0) return;
  if (!view.versioned) {
    for (const family of gate.stem.families.values()) searchFamily(search, gate, { view, family });
    return;
  }
  const family = gate.stem.families.get(view.major);
  if (family !== undefined) searchFamily(search, gate, { view, family });
}

function searchFamily(
  search: Search,
  gate: Gate,
  { view, family }: { readonly view: StemView; readonly family: readonly ClassId[] },
): void {
  const { columns } = search;
  const { minors, itemsLow, itemsHigh } = columns;
  const { low, high, minor, versioned } = view;
  for (const id of family) {
    const own = minors[id] ?? 0;
    if (versioned && own < minor) continue;
    if ((low & ~(itemsLow[id] ?? 0)) !== 0 || (high & ~(itemsHigh[id] ?? 0)) !== 0) continue;
    const pattern = versioned && own > minor ? PATTERN_NEWER : 0;
    const asked = { book: search.index.book, columns, source: search.query.source, id };
    const judgement = search.index.book.judgements[outcomeOfPattern(gate, pattern, asked)];
    if (judgement?.kind === "compatible") searchClass(search, id, judgement.grade);
  }
}

function searchClass(search: Search, id: ClassId, grade: number): void {
  const { query, columns, index } = search;
  if ((index.runs.lengths[id] ?? 0) === 0) return;
  if (query.onlyClasses !== undefined && !hasBit(query.onlyClasses, id)) return;
  const preference = grade * 3 + zoneDistance(search.zone, columns.zones[id] ?? 0);
  if (query.order === "pack") mergeAscending(search, id, preference);
  else if (query.order === "spread") mergeRoomiestFirst(search, id, preference);
  else mergeByScore(search, id, preference);
}

function zoneDistance(wanted: number, found: number): number {
  if (wanted === 0 || wanted === found) return 0;
  return found === 0 ? 1 : 2;
}

function mergeAscending(search: Search, id: ClassId, grade: number): void {
  const { runs } = search.index;
  let position = findFirst(runs, id, search.lowest);
  while (position >= 0) {
    const slot = slotAt(runs, id, position);
    const key = runs.arena.keys[slot] ?? 0;
    if (!isHopeful(search.best, grade, key)) return;
    if (!offerSlot(search, slot, { grade, key })) return;
    position = nextPosition(runs, id, position);
  }
}

/** Levels of equal room from the highest down; within a level in the run's own order. */
function mergeRoomiestFirst(search: Search, id: ClassId, grade: number): void {
  const { runs } = search.index;
  let bound = Number.POSITIVE_INFINITY;
  for (;;) {
    const highest = highestKeyBelow(runs, id, bound);
    if (highest < search.lowest) return;
    const room = Math.floor(highest / SCORES);
    bound = room * SCORES;
    const rank = (key: number): number => (UNLIMITED_ROOM - room) * SCORES + (key - bound);
    if (!isHopeful(search.best, grade, rank(bound))) return;
    mergeLevel(search, id, { grade, room, rank });
  }
}

/** Every level is entered, because a roomier one may hold a lower score. */
function mergeByScore(search: Search, id: ClassId, grade: number): void {
  const { runs } = search.index;
  let position = findFirst(runs, id, search.lowest);
  while (position >= 0) {
    const room = Math.floor((runs.arena.keys[slotAt(runs, id, position)] ?? 0) / SCORES);
    const rank = (key: number): number => (key - room * SCORES) * (UNLIMITED_ROOM + 1) + room;
    mergeLevel(search, id, { grade, room, rank });
    position = findFirst(runs, id, (room + 1) * SCORES);
  }
}

interface Level {
  readonly grade: number;
  readonly room: number;
  /** The sort key of the order asked for, from a run's key; ascending within a level. */
  readonly rank: (key: number) => number;
}

function mergeLevel(search: Search, id: ClassId, { grade, room, rank }: Level): void {
  const { runs } = search.index;
  const end = (room + 1) * SCORES;
  let position = findFirst(runs, id, room * SCORES);
  while (position >= 0) {
    const slot = slotAt(runs, id, position);
    const key = runs.arena.keys[slot] ?? 0;
    if (key >= end || !isHopeful(search.best, grade, rank(key))) return;
    if (!offerSlot(search, slot, { grade, key: rank(key) })) return;
    position = nextPosition(runs, id, position);
  }
}

/** Whether places behind this one may still be among the best: a host that is left out says nothing about them. */
function offerSlot(search: Search, slot: number, rank: { readonly grade: number; readonly key: number }): boolean {
  const { places, runs } = search.index;
  const id = runs.arena.places[slot] ?? 0;
  const host = places.hosts[id] ?? 0;
  if (host === search.exceptHost) return true;
  const { exceptHosts } = search.query;
  if (exceptHosts !== undefined && hasBit(exceptHosts, host)) return true;
  return offerPlace(search.best, id, rank);
}
