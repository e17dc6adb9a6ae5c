// SPDX-License-Identifier: Apache-2.0

import type { Room } from "../capacity/pool.ts";
import { createOrderedNames, type OrderedNames } from "./ordered-names.ts";
import { widenUint32 } from "./typed-column.ts";

/** Number of a place in an index; numbers of removed places are used again. */
export type PlaceId = number;

/** Room from here up counts as unlimited: it orders equally and satisfies every request. */
export const UNLIMITED_ROOM: number = 2 ** 24 - 1;
/** Scores are integers below this; one room is this many sort keys wide. */
export const SCORES: number = 2 ** 16;
/** In the class column: nothing is here. */
export const NO_CLASS: number = 2 ** 31 - 1;

/** The places of a fleet as columns, by place number. */
export interface PlaceTable {
  /** Numbers handed out so far, removed ones included. */
  length: number;
  readonly vacant: PlaceId[];
  classes: Uint32Array;
  hosts: Uint32Array;
  names: Uint32Array;
  /** How many devices surely fit, and how many might. */
  roomAtLeast: Uint32Array;
  roomAtMost: Uint32Array;
  scores: Uint32Array;
  readonly hostNames: OrderedNames;
  readonly placeNames: OrderedNames;
}

/** A table without places. */
export function createPlaceTable(): PlaceTable {
  const nothing = (): Uint32Array => new Uint32Array(0);
  return {
    length: 0,
    vacant: [],
    classes: nothing(),
    hosts: nothing(),
    names: nothing(),
    roomAtLeast: nothing(),
    roomAtMost: nothing(),
    scores: nothing(),
    hostNames: createOrderedNames(),
    placeNames: createOrderedNames(),
  };
}

/** Takes a vacant number, or a new one; its columns hold whatever was there before. */
export function takePlaceId(table: PlaceTable): PlaceId {
  const vacant = table.vacant.pop();
  if (vacant !== undefined) return vacant;
  const id = table.length;
  table.length += 1;
  if (id >= table.classes.length) {
    table.classes = widenUint32(table.classes, id + 1);
    table.hosts = widenUint32(table.hosts, id + 1);
    table.names = widenUint32(table.names, id + 1);
    table.roomAtLeast = widenUint32(table.roomAtLeast, id + 1);
    table.roomAtMost = widenUint32(table.roomAtMost, id + 1);
    table.scores = widenUint32(table.scores, id + 1);
  }
  return id;
}

/** What may change about a place, as columns hold it. */
export interface RoomRow {
  readonly atLeast: number;
  readonly atMost: number;
  readonly score: number;
}

/** Throws RangeError for a room or a score that is none. */
export function parseRoomRow(room: Room, score: number): RoomRow {
  const atLeast = boundedRoom(room.atLeast);
  const atMost = boundedRoom(room.atMost);
  if (atLeast > atMost) throw new RangeError(`Room must have its lower end first, got ${atLeast} to ${atMost}`);
  if (Number.isInteger(score) && score >= 0 && score < SCORES) return { atLeast, atMost, score };
  throw new RangeError(`Score must be an integer from 0 to ${SCORES - 1}, got ${score}`);
}

/** Writes what may change about a place. */
export function writeRoomRow(table: PlaceTable, id: PlaceId, row: RoomRow): void {
  table.roomAtLeast[id] = row.atLeast;
  table.roomAtMost[id] = row.atMost;
  table.scores[id] = row.score;
}

function boundedRoom(room: number): number {
  if (room >= UNLIMITED_ROOM) return UNLIMITED_ROOM;
  if (Number.isInteger(room) && room >= 0) return room;
  throw new RangeError(`Room must be a count or Infinity, got ${room}`);
}

/** The sort key of a place within its class: room, then score, both ascending. Below 2^40. */
export function orderKey(table: PlaceTable, id: PlaceId): number {
  return (table.roomAtLeast[id] ?? 0) * SCORES + (table.scores[id] ?? 0);
}

/** Negative where `a` comes before `b` among places of equal key: by host name, then place name, then number. */
export function comparePlaceIds(table: PlaceTable, a: PlaceId, b: PlaceId): number {
  const hostRanks = table.hostNames.ranks;
  const byHost = (hostRanks[table.hosts[a] ?? 0] ?? 0) - (hostRanks[table.hosts[b] ?? 0] ?? 0);
  if (byHost !== 0) return byHost;
  const nameRanks = table.placeNames.ranks;
  const byName = (nameRanks[table.names[a] ?? 0] ?? 0) - (nameRanks[table.names[b] ?? 0] ?? 0);
  return byName === 0 ? a - b : byName;
}
