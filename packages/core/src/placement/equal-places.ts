// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "../capacity/pool.ts";
import { valueOf } from "../device/evidence.ts";
import type { Judged } from "./answer.ts";
import { unitsOf } from "./room-for-source.ts";
import type { Need } from "./pair-devices.ts";

/** Which places of a host, and which devices of a VM, are the same to a search. */
export interface Equals {
  /** Class of a place, by its key (`placeKey`): places of one class differ by nothing but their parent's name. */
  readonly classOfPlace: ReadonlyMap<string, number>;
  /** Class of each device, by its position. */
  readonly classOfDevice: readonly number[];
}

/** Names a place on its host. */
export function placeKey({ place }: Judged): string {
  return JSON.stringify([place.parent, place.type]);
}

/**
 * Finds what need not be permuted. Two parents are equal where they share a pool, say and hold the same, and offer every
 * device of the VM the same; two devices where every place is the same to both and they take the same.
 */
export function findEquals(needs: readonly Need[]): Equals {
  const parents = new Map<string, string[]>();
  const pools = new Map<Pool, number>();
  const places = new Map<string, Judged>();
  for (const [index, need] of needs.entries()) {
    for (const judged of need.places) {
      places.set(placeKey(judged), judged);
      const offers = parents.get(judged.place.parent) ?? [describeParent(judged, pools)];
      offers.push(JSON.stringify([index, judged.place.type, signatureOf(judged)]));
      parents.set(judged.place.parent, offers);
    }
  }
  const signatures = new Map(
    [...parents].map(([id, [own = "", ...offers]]) => [id, [own, ...offers.toSorted()].join("\n")]),
  );
  const classes = new Map<string, number>();
  const classOfPlace = new Map<string, number>();
  for (const [key, { place }] of places) {
    const signature = JSON.stringify([signatures.get(place.parent), place.type]);
    const known = classes.get(signature) ?? classes.size;
    classes.set(signature, known);
    classOfPlace.set(key, known);
  }
  return { classOfPlace, classOfDevice: findDeviceClasses(needs) };
}

/** What a parent shows of itself and holds: everything that a take looks at beside the pool. */
function describeParent({ place }: Judged, pools: Map<Pool, number>): string {
  const { pool, parent } = place;
  if (pool === undefined) return JSON.stringify([parent]);
  const index = pools.get(pool) ?? pools.size;
  pools.set(pool, index);
  const offers = pool.offers
    .filter((offer) => offer.parent === parent)
    .map(({ type, available, maxAggregation }) => [type, available, maxAggregation]);
  const held = pool.occupants
    .filter((occupant) => occupant.parent === parent)
    .map(({ type, count, slot, units, uncertain }) => [type, count, slot, units, uncertain]);
  const seen = (pool.seen ?? []).filter((occupant) => occupant.parent === parent).length;
  return JSON.stringify([index, offers, held, seen, valueOf(place.numaNode)]);
}

/** What a search sees of a judged place. */
function signatureOf({ verdict, platform, room }: Judged): readonly unknown[] {
  return [verdict.kind === "compatible" ? verdict.confidence : verdict.kind, platform.kind, room.atLeast, room.atMost];
}

function findDeviceClasses(needs: readonly Need[]): readonly number[] {
  const classes = new Map<string, number>();
  return needs.map((need, index) => {
    const { source, places, numaNode } = need;
    // Named queues are a device's own: it is like no other.
    const own = source.ap === undefined ? "" : index;
    const seen = places.map((judged) => [placeKey(judged), ...signatureOf(judged)]);
    const signature = JSON.stringify([
      own,
      unitsOf(source),
      numaNode,
      seen.map((item) => JSON.stringify(item)).toSorted(),
    ]);
    const known = classes.get(signature) ?? classes.size;
    classes.set(signature, known);
    return known;
  });
}
