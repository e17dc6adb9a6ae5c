// SPDX-License-Identifier: Apache-2.0

import { askOf } from "./ask.ts";
import type { Ask, RoomRequest } from "./ask.ts";
import { changesOf } from "./changes.ts";
import { narrower, NO_ROOM, room, sumOf } from "./interval.ts";
import { devicesLeft, instancesLeft, lawRoom } from "./law.ts";
import type { Pool, PoolLaw, Room } from "./pool.ts";
import { wordAt } from "./word.ts";

export type { RoomRequest } from "./ask.ts";

/**
 * How many more devices of a type fit, each aggregated from `count` units, in one parent or in the whole pool.
 *
 * The law computes it and the host's own word bounds it. Where the two differed when the pool was read, both must
 * promise a device before it is promised here, and a word that is higher than the law is the upper end; so it is where
 * devices may sit in the pool that it does not count. Without a law
 * the words stand alone: exact while nothing has changed in a pool of one parent, and after a take 0 to what they were
 * for every other type. Throws RangeError where the count is not a whole number of at least 1.
 */
export function roomFor(pool: Pool, request: RoomRequest): Room {
  return findRoom(pool, askOf(pool, request));
}

/** What `roomFor` computes, for a request with its defaults filled in. */
export function findRoom(pool: Pool, ask: Ask): Room {
  const changes = changesOf(pool);
  const words = ask.parents.map((parent) => {
    const devices = devicesLeft(pool, parent, ask);
    return narrower(wordAt(pool, parent, { ask, changes }), { atLeast: devices, atMost: devices });
  });
  if (words.length === 0) return NO_ROOM;
  const byWord = sumOf(words.map((word) => word.atMost));
  if (pool.law.kind === "unbounded") return room(sumOf(words.map((word) => word.atLeast)), byWord);
  const law = lawRoom(pool, ask);
  // Several parents may draw on one budget, so what they promise is not added up without a law.
  const promised = Math.max(...words.map((word) => word.atLeast));
  if (pool.law.kind === "unknown") return room(promised, Math.min(byWord, instancesLeft(pool, ask)));
  const { disagreement, uncounted } = pool;
  // The host counts devices of a units pool, which says nothing about the units that they need.
  if (pool.law.kind === "units")
    return narrower(law, { atLeast: uncounted === undefined ? byWord : 0, atMost: byWord });
  if (disagreement === undefined && uncounted === undefined)
    return room(Math.max(promised, Math.min(law.atLeast, byWord)), Math.min(law.atMost, byWord));
  return room(Math.min(promised, law.atLeast), disagreement?.above === true ? byWord : Math.min(law.atMost, byWord));
}

/**
 * Writes room for people: `4`, `0 to 3`, `at least 2`, `unlimited`, `unknown`. With the pool's law given, room under an
 * unknown one reads `unknown (at most 6)`.
 */
export function formatRoom(value: Room, law?: PoolLaw): string {
  const { atLeast, atMost } = value;
  if (atLeast === Infinity) return "unlimited";
  if (atLeast === atMost) return String(atLeast);
  if (atMost === Infinity) return atLeast === 0 ? "unknown" : `at least ${atLeast}`;
  if (law?.kind === "unknown" && atLeast === 0) return `unknown (at most ${atMost})`;
  return `${atLeast} to ${atMost}`;
}
