// SPDX-License-Identifier: Apache-2.0

import type { Ask } from "./ask.ts";
import type { Change, Changes } from "./changes.ts";
import { findOffer } from "./find-offer.ts";
import { NO_ROOM, room, sumOf, UNKNOWN_ROOM } from "./interval.ts";
import type { Offer, Pool, Room } from "./pool.ts";

/**
 * What one parent's own word (`available_instances`) still proves of a type, after what came and went since it was read.
 *
 * Nothing came or went: exactly its number. Devices of the very type at the very parent were added: that many fewer. Other
 * types or other parents were added: at least nothing, and no more than before. Devices went: the upper end is gone,
 * for nobody said how much each of them had kept from this type.
 */
export function wordAt(pool: Pool, parent: string, at: { readonly ask: Ask; readonly changes: Changes }): Room {
  const { ask, changes } = at;
  const offer = findOffer(pool.offers, { parent, type: ask.type });
  if (offer === undefined) return NO_ROOM;
  if (ask.count > 1 && offer.maxAggregation !== undefined && ask.count > offer.maxAggregation) return NO_ROOM;
  if (offer.available === undefined || !changes.isKnown) return UNKNOWN_ROOM;
  // A units pool counts devices in available_instances and units in its law; elsewhere both count aggregated units.
  const countsDevices = pool.law.kind === "units";
  const each = countsDevices ? 1 : ask.count;
  const [added, othersAdded] = splitChanges(changes.added, ask.type, parent);
  const [removed, othersRemoved] = splitChanges(changes.removed, ask.type, parent);
  const left = offer.available - sumOf(added.map(({ devices, units }) => (countsDevices ? devices : units)));
  if (pool.law.kind === "unbounded") {
    const exact = Math.floor((left + sumOf(removed.map(({ units }) => units))) / each);
    return room(exact, exact);
  }
  const upper = removed.length + othersRemoved.length > 0 ? Infinity : Math.floor(left / each);
  const isAggregated = ask.count > 1 || ask.purpose === "grow";
  if (othersAdded.length > 0 || (isAggregated && !canAggregate(pool, offer))) return room(0, upper);
  // A device that went makes room for one device again, however many units it had: a VF holds one of any size.
  return room(Math.floor((left + sumOf(removed.map(({ devices }) => devices))) / each), upper);
}

/** Changes of one type at one parent, and all others. */
function splitChanges(
  changes: readonly Change[],
  type: string,
  parent: string,
): readonly [readonly Change[], readonly Change[]] {
  if (changes.length === 0) return [changes, changes];
  const isSame = (change: Change): boolean => change.type === type && change.parent === parent;
  return [changes.filter(isSame), changes.filter((change) => !isSame(change))];
}

/** Whether a number of single units also promises one device of several: by a law that adds units up, or the driver's word. */
function canAggregate(pool: Pool, offer: Offer): boolean {
  if (pool.law.kind === "slots") return false;
  return pool.law.kind !== "unknown" || offer.maxAggregation !== undefined;
}
