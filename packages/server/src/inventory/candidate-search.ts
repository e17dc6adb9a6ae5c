// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { bitsetOf, type Bitset } from "@berth/core/inventory/bitset";
import type { PlaceOrder } from "@berth/core/inventory/bucket-search";
import { findBest, type BestQuery } from "@berth/core/inventory/find-best";
import type { CompiledSource } from "@berth/core/inventory/compiled-source";
import { compileSource } from "@berth/core/inventory/migration-index";
import type { PlaceId } from "@berth/core/inventory/place-table";
import type { Candidate, Judged } from "@berth/core/placement/answer";
import { judgePlace, refusalOf } from "@berth/core/placement/judge";
import { rankPlaces } from "@berth/core/placement/rank";
import type { Strategy } from "@berth/core/placement/request";
import { roomForSource, unitsOf } from "@berth/core/placement/room-for-source";
import type { FleetView } from "./fleet-view.ts";

/** Where may a device like this go? */
export interface CandidateSearch {
  readonly source: MigrationProfile;
  readonly strategy: Strategy;
  /** Wanted NUMA node; used by the strategy `numa` alone. */
  readonly numaNode?: number;
  /** Only these hosts; undefined: all. */
  readonly onlyHosts?: readonly string[];
  /** Hosts that are not to be used, the source's own and cordoned ones among them. */
  readonly exceptHosts: readonly string[];
  /** Most candidates wanted. */
  readonly limit: number;
}

/** What a search found. */
export interface FoundCandidates {
  /** Best first; the same as the first ones of `findCandidates` over the same fleet. */
  readonly candidates: readonly Candidate[];
  /** `index`: only the winners were looked at; `places`: every compatible place was. */
  readonly by: "index" | "places";
}

/** How the index orders what a ranking orders by pool room and damage. */
const ORDERS: Readonly<Record<Strategy, PlaceOrder>> = {
  fragmentation: "score",
  numa: "score",
  pack: "pack",
  spread: "spread",
};

/**
 * Finds the best candidates. The index answers for devices of one unit; for aggregated devices, for named queues, and
 * where its columns cannot hold what is compared, every compatible place is ranked. Both give the same answer.
 */
export function searchCandidates(view: FleetView, search: CandidateSearch): FoundCandidates {
  const found = isColumnar(view, search.source) ? searchIndex(view, search) : undefined;
  if (found !== undefined) return { candidates: found, by: "index" };
  return { candidates: searchPlaces(view, search), by: "places" };
}

/** Whether the room and damage in the columns are those that this source would find. */
export function isColumnar(view: FleetView, source: MigrationProfile): boolean {
  return view.isExact && unitsOf(source) === 1 && source.ap === undefined;
}

/** Undefined where a winner turns out to be none: then the index was wrong, and the places themselves decide. */
function searchIndex(view: FleetView, search: CandidateSearch): readonly Candidate[] | undefined {
  const ids = findWinners(view, search, compileSource(view.index, search.source));
  const judged = ids.map((id) => judgeOne(view, search.source, id));
  return judged.every((one) => refusalOf(one) === undefined) ? rankPlaces(judged, search) : undefined;
}

/** Numbers of the best places by the columns of the index, for a source that `isColumnar`. */
export function findWinners(view: FleetView, search: CandidateSearch, source: CompiledSource): readonly PlaceId[] {
  return findBest(view.index, { ...queryOf(view, search, source), atLeastFree: 1, limit: search.limit });
}

/** Ranks all compatible places by the verdict of one of their class, and judges the best of them by themselves. */
function searchPlaces(view: FleetView, search: CandidateSearch): readonly Candidate[] {
  const free = listCompatible(view, search).filter((judged) => judged.room.atLeast >= 1);
  const best = rankPlaces(free, search).slice(0, search.limit);
  const judged = best.map(({ place }) =>
    judgePlace({ source: search.source, fleet: view.frame, memory: view.memory }, place),
  );
  return rankPlaces(judged, search);
}

/** Every place that both verdicts let pass, with its own room and the verdicts of the first place of its class. */
export function listCompatible(view: FleetView, search: CandidateSearch): readonly Judged[] {
  const { source } = search;
  const compiled = compileSource(view.index, source);
  const everything = { ...queryOf(view, search, compiled), atLeastFree: 0, limit: view.index.places.length };
  const byClass = new Map<number, Judged>();
  return findBest(view.index, everything).map((id) => {
    const own = view.index.places.classes[id] ?? 0;
    const first = byClass.get(own) ?? judgeOne(view, source, id);
    byClass.set(own, first);
    const place = view.placeAt(id);
    const { verdict, platform } = first;
    return { place, verdict, platform, room: roomForSource(source, place) };
  });
}

/** Judges the place behind a number of the index in full. */
export function judgeOne(view: FleetView, source: MigrationProfile, id: PlaceId): Judged {
  return judgePlace({ source, fleet: view.frame, memory: view.memory }, view.placeAt(id));
}

function queryOf(
  view: FleetView,
  search: CandidateSearch,
  source: CompiledSource,
): Omit<BestQuery, "atLeastFree" | "limit"> {
  const { strategy, numaNode, exceptHosts, onlyHosts } = search;
  const [own, ...others] = exceptHosts;
  const isOne = own !== undefined && others.length === 0 && onlyHosts === undefined;
  return {
    source,
    order: ORDERS[strategy],
    ...(isOne ? { exceptHost: own } : { exceptHosts: findLeftOut(view, search) }),
    ...(strategy === "numa" && numaNode !== undefined ? { nearNumaNode: numaNode } : {}),
  };
}

/** Numbers of the hosts that a search leaves out. */
export function findLeftOut(view: FleetView, search: Pick<CandidateSearch, "onlyHosts" | "exceptHosts">): Bitset {
  const { ordinals } = view.index.places.hostNames;
  const left = search.exceptHosts.flatMap((name) => ordinals.get(name) ?? []);
  if (search.onlyHosts === undefined) return bitsetOf(left);
  const only = new Set(search.onlyHosts);
  return bitsetOf([...left, ...[...ordinals].flatMap(([name, number]) => (only.has(name) ? [] : [number]))]);
}
