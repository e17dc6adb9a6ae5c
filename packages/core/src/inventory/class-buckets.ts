// SPDX-License-Identifier: Apache-2.0

import type { ClassColumns, ClassId } from "./class-columns.ts";
import type { PlaceTable } from "./place-table.ts";
import type { SlotArena } from "./slot-arena.ts";
import { createSortedRun, fillRun, placesOf, type SortedRun } from "./sorted-run.ts";
import { widenUint32 } from "./typed-column.ts";

/**
 * Classes whose places share one sorted run. Many small classes in one run cost a search one walk past slots of other
 * classes instead of one lookup each; so that the walk stays short, a bucket with too many places is split, and a class
 * that is large by itself ends up in a bucket of its own.
 */
export interface Bucket {
  /** By member number. */
  classes: ClassId[];
  /** What a search compares, three words a member: minor version, and the item bits. */
  rows: Uint32Array;
  lowestMinor: number;
  highestMinor: number;
  readonly run: SortedRun;
}

/** Words of a row. */
export const ROW = 3;

/** The classes of one stem and major version. */
export interface Family {
  readonly buckets: Bucket[];
}

/** What a walk may have to pass: places of a bucket that has more than one class. */
export const MOST_PLACES = 4096;
/** Classes of one bucket; a member number has 16 bits. */
const MOST_MEMBERS = 4096;

/** A family without classes. */
export function createFamily(): Family {
  return { buckets: [] };
}

/** Adds a class, whose columns are written, to a bucket of near minor versions that has space, or to a new one. */
export function addMember(columns: ClassColumns, family: Family, id: ClassId): void {
  const minor = columns.minors[id] ?? 0;
  const near = family.buckets.findLast((bucket) => bucket.lowestMinor <= minor && hasSpace(bucket));
  const bucket = near ?? family.buckets.find(hasSpace) ?? createBucket(family);
  joinBucket(columns, bucket, id);
}

function hasSpace(bucket: Bucket): boolean {
  return bucket.run.count <= MOST_PLACES && bucket.classes.length < MOST_MEMBERS;
}

function createBucket(family: Family): Bucket {
  const bucket = {
    classes: [],
    rows: new Uint32Array(0),
    lowestMinor: Number.POSITIVE_INFINITY,
    highestMinor: 0,
    run: createSortedRun(),
  };
  family.buckets.push(bucket);
  return bucket;
}

function joinBucket(columns: ClassColumns, bucket: Bucket, id: ClassId): void {
  const member = bucket.classes.length;
  const minor = columns.minors[id] ?? 0;
  bucket.classes.push(id);
  bucket.rows = widenUint32(bucket.rows, (member + 1) * ROW);
  bucket.rows[member * ROW] = minor;
  bucket.rows[member * ROW + 1] = columns.itemsLow[id] ?? 0;
  bucket.rows[member * ROW + 2] = columns.itemsHigh[id] ?? 0;
  bucket.lowestMinor = Math.min(bucket.lowestMinor, minor);
  bucket.highestMinor = Math.max(bucket.highestMinor, minor);
  columns.buckets[id] = bucket;
  columns.members[id] = member;
}

/** Splits a bucket that has too many places, unless they are all of one class by itself. */
export function relieveBucket(
  columns: ClassColumns,
  id: ClassId,
  moving: { readonly arena: SlotArena; readonly places: PlaceTable },
): void {
  const bucket = columns.buckets[id];
  if (bucket === undefined || bucket.run.count <= MOST_PLACES || bucket.classes.length < 2) return;
  const { arena, places } = moving;
  const ids = placesOf(arena, bucket.run);
  const classes = bucket.classes.toSorted((a, b) => (columns.minors[a] ?? 0) - (columns.minors[b] ?? 0) || a - b);
  const cut = findCut(classes.map((one) => columns.counts[one] ?? 0));
  const other = createBucket(familyOf(columns, id));
  bucket.classes = [];
  bucket.lowestMinor = Number.POSITIVE_INFINITY;
  bucket.highestMinor = 0;
  for (const [at, one] of classes.entries()) joinBucket(columns, at < cut ? bucket : other, one);
  for (const half of [bucket, other]) {
    const own = ids.filter((place) => columns.buckets[places.classes[place] ?? 0] === half);
    fillRun(arena, half.run, {
      places,
      ids: own,
      memberOf: (place) => columns.members[places.classes[place] ?? 0] ?? 0,
    });
  }
}

function familyOf(columns: ClassColumns, id: ClassId): Family {
  const family = columns.allStems[columns.stems[id] ?? -1]?.families.get(columns.majors[id] ?? 0);
  if (family === undefined) throw new Error(`Class ${id} has no family`);
  return family;
}

/** How many of the classes come before the cut that parts their places most evenly; between 1 and all but one. */
function findCut(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let best = 1;
  let least = Number.POSITIVE_INFINITY;
  let before = 0;
  for (let cut = 1; cut < counts.length; cut += 1) {
    before += counts[cut - 1] ?? 0;
    const imbalance = Math.abs(total - 2 * before);
    if (imbalance < least) {
      least = imbalance;
      best = cut;
    }
  }
  return best;
}
