// SPDX-License-Identifier: Apache-2.0

import type { Pool, Taken } from "../capacity/pool.ts";
import { take } from "../capacity/take.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Judged } from "./answer.ts";
import { findEquals, placeKey, type Equals } from "./equal-places.ts";
import type { Strategy } from "./request.ts";
import { unitsOf } from "./room-for-source.ts";
import { compareKeys, rankKeyOf, type VmKey } from "./vm-key.ts";

/**
 * Most takes that are tried on one host. Equal places and equal devices are not permuted, so that eight like devices on
 * eight like GPUs need a few thousand; only many unlike devices on many unlike pools come near it.
 */
export const MAX_TAKES = 5000;

/** One device of a VM and the places of one host that are free for it on its own, best first. */
export interface Need {
  readonly source: MigrationProfile;
  readonly places: readonly Judged[];
  readonly numaNode?: number;
}

/** A device's place in a pairing. */
export interface Chosen {
  readonly judged: Judged;
  readonly slot?: number;
}

/** The best way to seat all devices on one host, or what stood in the way where a search came farthest. */
export type Pairing =
  | { readonly kind: "paired"; readonly chosen: readonly Chosen[]; readonly rank: VmKey; readonly isComplete: boolean }
  | {
      readonly kind: "short";
      /** Position of the device that found no room, after all before it had theirs. */
      readonly at: number;
      readonly why: string;
      /** Whether some room could not be proved rather than being taken: then nobody knows that they do not fit. */
      readonly isUnknown: boolean;
      readonly isComplete: boolean;
    };

/**
 * Seats every device, all or none, each taking its room after the others through `take`. The search is exact, equal
 * places and equal devices aside, up to `MAX_TAKES`; among equally good pairings the first in the order of places stands.
 */
export function pairDevices(needs: readonly Need[], strategy: Strategy, maxTakes: number = MAX_TAKES): Pairing {
  const search: Search = {
    needs,
    strategy,
    equals: findEquals(needs),
    takesLeft: maxTakes,
    chosen: [],
    farthest: { at: 0, why: "no place is free" },
    isUnknown: false,
  };
  seatNext(search, new Map());
  const isComplete = search.takesLeft >= 0;
  if (search.best !== undefined) return { kind: "paired", ...search.best, isComplete };
  return { kind: "short", ...search.farthest, isUnknown: search.isUnknown, isComplete };
}

interface Search {
  readonly needs: readonly Need[];
  readonly strategy: Strategy;
  readonly equals: Equals;
  /** Below 0: the search was cut off. */
  takesLeft: number;
  readonly chosen: Chosen[];
  best?: { readonly chosen: readonly Chosen[]; readonly rank: VmKey };
  farthest: { readonly at: number; readonly why: string };
  isUnknown: boolean;
}

/** `pools` leads from each pool that was taken from to what is left of it. */
function seatNext(search: Search, pools: ReadonlyMap<Pool, Pool>): void {
  const at = search.chosen.length;
  const need = search.needs[at];
  if (need === undefined) {
    keepIfBetter(search, pools);
    return;
  }
  const tried = new Set<string>();
  const from = lowestClass(search, at);
  for (const judged of need.places) {
    const { pool } = judged.place;
    const placeClass = search.equals.classOfPlace.get(placeKey(judged)) ?? 0;
    if (pool === undefined || placeClass < from) continue;
    const like = JSON.stringify([placeClass, takenOn(search, judged)]);
    if (tried.has(like)) continue;
    tried.add(like);
    seatAt(search, { judged, pool }, pools);
    if (search.takesLeft < 0) return;
  }
}

/** Equal devices are seated in the order of the classes of their places: any other order is the same pairing. */
function lowestClass({ equals, chosen }: Search, at: number): number {
  const own = equals.classOfDevice[at];
  const before = equals.classOfDevice.lastIndexOf(own ?? -1, at - 1);
  const seat = at === 0 || before < 0 ? undefined : chosen[before];
  return seat === undefined ? 0 : (equals.classOfPlace.get(placeKey(seat.judged)) ?? 0);
}

/** What this search has taken on the parent of a place: parents that were equal differ by it. */
function takenOn({ chosen, needs }: Search, { place }: Judged): readonly string[] {
  return chosen
    .flatMap(({ judged, slot }, index) => {
      if (judged.place.parent !== place.parent) return [];
      const { source } = needs[index] ?? {};
      return JSON.stringify([judged.place.type, source === undefined ? 1 : unitsOf(source), slot]);
    })
    .toSorted();
}

interface Seating {
  readonly judged: Judged;
  readonly pool: Pool;
}

/** Takes the room and goes on; in a pool of slots once for every slot that is free. */
function seatAt(search: Search, seating: Seating, pools: ReadonlyMap<Pool, Pool>): void {
  const first = takeRoom(search, seating, { pools });
  if (first?.kind !== "taken") return;
  goOn(search, seating, { pools, taken: first });
  const { slot } = first.occupant;
  if (slot === undefined) return;
  const { judged, pool } = seating;
  const starts = pool.types.find(({ type }) => type === judged.place.type)?.consumption?.slots?.starts ?? [];
  for (const start of starts.filter((candidate) => candidate !== slot)) {
    const taken = takeRoom(search, seating, { pools, slot: start });
    if (taken?.kind === "taken") goOn(search, seating, { pools, taken });
    if (search.takesLeft < 0) return;
  }
}

function takeRoom(
  search: Search,
  { judged, pool }: Seating,
  { pools, slot }: { readonly pools: ReadonlyMap<Pool, Pool>; readonly slot?: number },
): Taken | undefined {
  search.takesLeft -= 1;
  const at = search.chosen.length;
  const source = search.needs[at]?.source;
  if (search.takesLeft < 0 || source === undefined) return undefined;
  const { parent, type } = judged.place;
  // No device of a host has such an id.
  const id = `device ${at} of the VM`;
  const wanted = { id, type, parent, count: unitsOf(source), ...(slot === undefined ? {} : { slot }) };
  const taken = take(pools.get(pool) ?? pool, wanted);
  if (taken.kind === "taken") return taken;
  if (taken.kind === "unknown") search.isUnknown = true;
  if (slot === undefined && (at > search.farthest.at || search.farthest.why === "no place is free")) {
    search.farthest = { at, why: `${parent}: ${taken.why}` };
  }
  return taken;
}

function goOn(
  search: Search,
  { judged, pool }: Seating,
  { pools, taken }: { readonly pools: ReadonlyMap<Pool, Pool>; readonly taken: Taken & { readonly kind: "taken" } },
): void {
  const { slot } = taken.occupant;
  search.chosen.push({ judged, ...(slot === undefined ? {} : { slot }) });
  seatNext(search, new Map([...pools, [pool, taken.pool]]));
  search.chosen.pop();
}

function keepIfBetter(search: Search, pools: ReadonlyMap<Pool, Pool>): void {
  const seats = search.chosen.flatMap(({ judged }, index) => {
    const need = search.needs[index];
    return need === undefined ? [] : { need, judged };
  });
  const rank = rankKeyOf(seats, pools, search.strategy);
  if (search.best !== undefined && compareKeys(rank.key, search.best.rank.key) >= 0) return;
  search.best = { chosen: [...search.chosen], rank };
}
