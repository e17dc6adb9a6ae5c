// SPDX-License-Identifier: Apache-2.0

import { createBestPlaces, drainBest } from "./best-places.ts";
import { hasBit, type Bitset } from "./bitset.ts";
import { searchBucket, type PlaceOrder, type Search } from "./bucket-search.ts";
import { ROW, type Bucket } from "./class-buckets.ts";
import { zoneOf, type ClassId } from "./class-columns.ts";
import { PATTERN_NEWER, viewFrom, type CompiledSource, type StemView } from "./compiled-source.ts";
import type { Judgement } from "./judgement.ts";
import type { MigrationIndex } from "./migration-index.ts";
import { UNLIMITED_ROOM, type PlaceId } from "./place-table.ts";
import { answersAbout, answersOneByOne, outcomeOfPattern, type Asked, type Gate } from "./source-answers.ts";

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
 * Classes are filtered by columns; then the sorted runs of the buckets that hold what remains are merged, each left at
 * its first place that cannot be among the best any more. The cost is that of the classes of one stem and major version,
 * and of the best places, not of all places that would do.
 */
export function findBest(index: MigrationIndex, query: BestQuery): readonly PlaceId[] {
  const asked = { book: index.book, columns: index.columns, source: query.source };
  const search = openSearch(index, query);
  const answers = answersAbout(asked);
  for (const gate of answers.gates.values()) searchStem(search, { query, asked, gate });
  if (answers.singles.length > 0) {
    const { outcomes } = answersOneByOne(answers, asked);
    searchSingles(search, { query, asked, singles: answers.singles, outcomes });
  }
  return drainBest(search.best);
}

function openSearch(index: MigrationIndex, query: BestQuery): Search {
  if (!(query.atLeastFree >= 0)) throw new RangeError(`Room asked for must be a count, got ${query.atLeastFree}`);
  if (!(query.limit >= 0)) throw new RangeError(`Limit must be a count, got ${query.limit}`);
  const hosts = index.places.hostNames.ordinals;
  return {
    arena: index.arena,
    best: createBestPlaces(index.places, Math.floor(query.limit)),
    room: Math.min(Math.ceil(query.atLeastFree), UNLIMITED_ROOM),
    order: query.order,
    exceptHost: query.exceptHost === undefined ? -1 : (hosts.get(query.exceptHost) ?? -1),
    exceptHosts: query.exceptHosts,
  };
}

interface StemSearch {
  readonly query: BestQuery;
  readonly asked: Asked;
  readonly gate: Gate;
}

function searchStem(search: Search, stemSearch: StemSearch): void {
  const { gate, query } = stemSearch;
  const view = viewFrom(gate.stem, query.source);
  if (view.lacking !== 0) return;
  for (const [major, family] of gate.stem.families) {
    if (view.versioned && major !== view.major) continue;
    for (const bucket of family.buckets) {
      if (bucket.run.count === 0 || (view.versioned && bucket.highestMinor < view.minor)) continue;
      const preferences = preferMembers(bucket, view, stemSearch);
      if (preferences !== undefined) searchBucket(search, bucket, preferences);
    }
  }
}

/** Preferences by member number, zero where a class is refused; every search writes them anew. */
let scratch: Uint16Array = new Uint16Array(0);

/**
 * R4 and R5 must hold for a plain pair to be compatible: the same major, no older minor, all items. What passes is
 * judged by its pattern, because packs and policies may still refuse it. Undefined where no class is left.
 */
function preferMembers(bucket: Bucket, view: StemView, { query, asked, gate }: StemSearch): Uint16Array | undefined {
  const { rows, classes } = bucket;
  const { low, high, minor, versioned } = view;
  if (scratch.length < classes.length) scratch = new Uint16Array(classes.length * 2);
  const preferences = scratch;
  let isAny = false;
  for (let member = 0; member < classes.length; member += 1) {
    preferences[member] = 0;
    const row = member * ROW;
    const own = rows[row] ?? 0;
    if (versioned && own < minor) continue;
    if ((low & ~(rows[row + 1] ?? 0)) !== 0 || (high & ~(rows[row + 2] ?? 0)) !== 0) continue;
    const pattern = versioned && own > minor ? PATTERN_NEWER : 0;
    const known = gate.outcomes[pattern] ?? -1;
    const id = classes[member] ?? 0;
    const judgement = asked.book.judgements[known >= 0 ? known : outcomeOfPattern(gate, { pattern, id }, asked)];
    const preference = preferenceOf(judgement, id, { query, asked });
    preferences[member] = preference;
    isAny ||= preference > 0;
  }
  return isAny ? preferences : undefined;
}

/** One more than how far from the best a class stands, whatever its places' room; zero where it is refused. */
function preferenceOf(
  judgement: Judgement | undefined,
  id: ClassId,
  { query, asked }: { readonly query: BestQuery; readonly asked: Asked },
): number {
  if (judgement?.kind !== "compatible") return 0;
  if (query.onlyClasses !== undefined && !hasBit(query.onlyClasses, id)) return 0;
  if (query.nearNumaNode === undefined) return judgement.grade * 3 + 1;
  return judgement.grade * 3 + 1 + zoneDistance(zoneOf(query.nearNumaNode), asked.columns.zones[id] ?? 0);
}

function zoneDistance(wanted: number, found: number): number {
  if (wanted === found) return 0;
  return found === 0 ? 1 : 2;
}

function searchSingles(
  search: Search,
  singles: { query: BestQuery; asked: Asked; singles: readonly ClassId[]; outcomes: readonly number[] },
): void {
  const { asked } = singles;
  const byBucket = new Map<Bucket, Uint16Array>();
  for (const [at, id] of singles.singles.entries()) {
    const preference = preferenceOf(asked.book.judgements[singles.outcomes[at] ?? -1], id, singles);
    const bucket = asked.columns.buckets[id];
    if (preference === 0 || bucket === undefined) continue;
    const preferences = byBucket.get(bucket) ?? new Uint16Array(bucket.classes.length);
    preferences[asked.columns.members[id] ?? 0] = preference;
    byBucket.set(bucket, preferences);
  }
  for (const [bucket, preferences] of byBucket) searchBucket(search, bucket, preferences);
}
