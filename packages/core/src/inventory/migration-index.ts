// SPDX-License-Identifier: Apache-2.0

import type { Room } from "../capacity/pool.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { relieveBucket } from "./class-buckets.ts";
import { createClassColumns, internClass, requireClass, type ClassColumns, type ClassId } from "./class-columns.ts";
import { splitSource, type CompiledSource } from "./compiled-source.ts";
import type { ClassRules } from "./equivalence-class.ts";
import type { Judge } from "./judgement.ts";
import { internName } from "./ordered-names.ts";
import {
  createPlaceTable,
  NO_CLASS,
  parseRoomRow,
  takePlaceId,
  UNLIMITED_ROOM,
  writeRoomRow,
  type PlaceId,
  type PlaceTable,
} from "./place-table.ts";
import { createSlotArena, type SlotArena } from "./slot-arena.ts";
import { deletePlace, insertPlace } from "./sorted-run.ts";
import { createAnswerBook, numberStem, replaceBookJudge, type AnswerBook } from "./source-answers.ts";

/**
 * The places of a fleet, indexed for "which are the best for this source?" (`findBest`) and "why not elsewhere?"
 * (`explainElsewhere`). Classes of equal destinations are compared, not places. Changed in place.
 */
export interface MigrationIndex {
  readonly columns: ClassColumns;
  readonly places: PlaceTable;
  /** The slots of all buckets. */
  readonly arena: SlotArena;
  readonly book: AnswerBook;
}

/** What an index is made with. */
export interface IndexOptions {
  readonly judge: Judge;
  /** What the judge reads; by default every fact divides classes, and versions are read by R4 alone. */
  readonly rules?: ClassRules;
}

/** What is asked for on a host: a type on a parent, or a device that exists. */
export interface NewPlace {
  readonly host: string;
  /** Distinct on its host, such as `0000:00:11.0/nvidia-231`; the last key of every order. */
  readonly name: string;
  readonly class: ClassId;
  readonly room: Room;
  /** What taking the place costs others, from 0 to 65535, smaller is better; 0 where not given. */
  readonly score?: number;
}

/** What an index knows of a place. */
export interface IndexedPlace extends NewPlace {
  readonly id: PlaceId;
  readonly score: number;
}

/** An index without places. */
export function createMigrationIndex(options: IndexOptions): MigrationIndex {
  return {
    columns: createClassColumns(options.rules ?? {}),
    places: createPlaceTable(),
    arena: createSlotArena(),
    book: createAnswerBook(options.judge),
  };
}

/**
 * The class of a destination profile on a NUMA node. Costs the profile's canonical text, some ten microseconds: a caller
 * that adds many places of one profile asks once.
 */
export function addClass(
  index: MigrationIndex,
  member: { readonly profile: MigrationProfile; readonly numaNode?: number },
): ClassId {
  return internClass(index.columns, member);
}

/** Adds a place. Throws RangeError for a class that is not of this index, a room or a score that is none. */
export function addPlace(index: MigrationIndex, place: NewPlace): PlaceId {
  const { columns, places } = index;
  requireClass(columns, place.class);
  const row = parseRoomRow(place.room, place.score ?? 0);
  const id = takePlaceId(places);
  places.classes[id] = place.class;
  places.hosts[id] = internName(places.hostNames, place.host);
  places.names[id] = internName(places.placeNames, place.name);
  writeRoomRow(places, id, row);
  insertIntoBucket(index, id);
  columns.counts[place.class] = (columns.counts[place.class] ?? 0) + 1;
  relieveBucket(columns, place.class, index);
  return id;
}

/** Removes a place; its number may be given to another. Throws RangeError where there is none of that number. */
export function removePlace(index: MigrationIndex, id: PlaceId): void {
  const { columns, places } = index;
  const own = requirePlace(places, id);
  deleteFromBucket(index, id);
  columns.counts[own] = (columns.counts[own] ?? 1) - 1;
  places.classes[id] = NO_CLASS;
  places.vacant.push(id);
}

/** Changes the room of a place, and its score where one is given. Throws RangeError as `addPlace` and `removePlace` do. */
export function changePlace(
  index: MigrationIndex,
  id: PlaceId,
  change: { readonly room: Room; readonly score?: number },
): void {
  const { places } = index;
  requirePlace(places, id);
  const row = parseRoomRow(change.room, change.score ?? places.scores[id] ?? 0);
  if (row.atLeast === places.roomAtLeast[id] && row.score === places.scores[id]) {
    writeRoomRow(places, id, row);
    return;
  }
  deleteFromBucket(index, id);
  writeRoomRow(places, id, row);
  insertIntoBucket(index, id);
}

/** What the index knows of a place. Throws RangeError where there is none of that number. */
export function placeAt(index: MigrationIndex, id: PlaceId): IndexedPlace {
  const { places } = index;
  return {
    id,
    class: requirePlace(places, id),
    host: places.hostNames.texts[places.hosts[id] ?? 0] ?? "",
    name: places.placeNames.texts[places.names[id] ?? 0] ?? "",
    room: roomOf(places, id),
    score: places.scores[id] ?? 0,
  };
}

/** The number of a host that has or had a place here, for sets of hosts; undefined where it never had one. */
export function hostNumber(index: MigrationIndex, host: string): number | undefined {
  return index.places.hostNames.ordinals.get(host);
}

/** Takes a source apart, once for any number of questions. Costs its canonical text. */
export function compileSource(index: MigrationIndex, profile: MigrationProfile): CompiledSource {
  return splitSource(profile, index.columns.rules, (stem) => numberStem(index.book, stem));
}

/**
 * Judges anew from now on: a probe was remembered, or the policy changed. What the judge reads of a profile must be what
 * it was; other packs need a new index.
 */
export function replaceJudge(index: MigrationIndex, judge: Judge): void {
  replaceBookJudge(index.book, judge);
}

function insertIntoBucket({ arena, columns, places }: MigrationIndex, id: PlaceId): void {
  const own = places.classes[id] ?? NO_CLASS;
  const run = columns.buckets[own]?.run;
  if (run !== undefined) insertPlace(arena, run, { places, id, member: columns.members[own] ?? 0 });
}

function deleteFromBucket({ arena, columns, places }: MigrationIndex, id: PlaceId): void {
  const own = places.classes[id] ?? NO_CLASS;
  const run = columns.buckets[own]?.run;
  if (run !== undefined) deletePlace(arena, run, { places, id, member: columns.members[own] ?? 0 });
}

function requirePlace(places: PlaceTable, id: PlaceId): ClassId {
  const found = Number.isInteger(id) && id >= 0 && id < places.length ? places.classes[id] : undefined;
  if (found === undefined || found === NO_CLASS) throw new RangeError(`No place ${id} in the index`);
  return found;
}

function roomOf(places: PlaceTable, id: PlaceId): Room {
  return { atLeast: unbounded(places.roomAtLeast[id] ?? 0), atMost: unbounded(places.roomAtMost[id] ?? 0) };
}

function unbounded(room: number): number {
  return room === UNLIMITED_ROOM ? Number.POSITIVE_INFINITY : room;
}
