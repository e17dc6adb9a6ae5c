// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { findBest } from "@berth/core/inventory/find-best";
import { compileSource } from "@berth/core/inventory/migration-index";
import type { Place } from "@berth/core/inventory/place";
import { NO_CLASS, type PlaceId } from "@berth/core/inventory/place-table";
import type { ClassColumns, ClassId } from "@berth/core/inventory/class-columns";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { PlaceOrder } from "@berth/core/inventory/bucket-search";
import type { Strategy } from "@berth/core/placement/request";
import { keyOf } from "../documents/keys.ts";
import { findLeftOut, isColumnar, searchCandidates } from "../inventory/candidate-search.ts";
import { searchVmCandidates } from "../inventory/vm-search.ts";
import type { ClaimContext } from "./claim-context.ts";
import type { ClaimWish } from "./claim-wish.ts";
import type { ClaimTarget } from "./decide-on-host.ts";

/** Places that the first search asks for, and for each claim under way: so that claims find hosts of their own. */
const FIRST_BATCH = 16;
const BATCH_OF_CLAIM = 2;
/** How much more each further search asks for. */
const GROWTH = 4;

const ORDERS: Readonly<Record<Strategy, PlaceOrder>> = {
  fragmentation: "score",
  numa: "score",
  pack: "pack",
  spread: "spread",
};

/**
 * The hosts to try, best first, searched anew whenever those found are used up. Of places that are equal in everything
 * that they are ranked by, those come first on whose hosts this process is not busy; else the order is that of
 * `searchCandidates` and `searchVmCandidates`.
 */
export function* findTargets(context: ClaimContext, wish: ClaimWish): Generator<ClaimTarget, void> {
  if (wish.to !== undefined) {
    yield targetOf(context, wish.to);
    return;
  }
  const tried = new Set<string>([...wish.exceptHosts, ...(wish.wanted.host === undefined ? [] : [wish.wanted.host])]);
  for (let limit = FIRST_BATCH + context.underWay.claims * BATCH_OF_CLAIM; ; limit *= GROWTH) {
    const exceptHosts = [...tried, ...context.replica.view.cordons];
    const { targets, isLast } = findBatch(context, wish, { exceptHosts, limit });
    // Made one by one: mostly the first one grants it.
    for (const target of targets) {
      if (tried.has(target.host)) continue;
      tried.add(target.host);
      yield target;
    }
    if (isLast) return;
  }
}

interface BatchQuery {
  readonly exceptHosts: readonly string[];
  readonly limit: number;
}

interface FoundBatch {
  /** A host may come more than once; the first time counts. */
  readonly targets: Iterable<ClaimTarget>;
  readonly isLast: boolean;
}

function findBatch(context: ClaimContext, wish: ClaimWish, query: BatchQuery): FoundBatch {
  const { claimant, sources } = wish.wanted;
  const [source] = sources;
  if (claimant.kind === "vm") return findVmBatch(context, wish, { ...query, vm: claimant });
  return findPlaces(context, wish, { ...query, source });
}

function findVmBatch(
  { replica: { view } }: ClaimContext,
  { strategy }: ClaimWish,
  query: BatchQuery & { readonly vm: { readonly host: string; readonly vm: string } },
): FoundBatch {
  const { vm, exceptHosts, limit } = query;
  const { candidates } = searchVmCandidates(view, { host: vm.host, vm: vm.vm, strategy, exceptHosts, limit });
  const targets = candidates.map(({ host, assignments }) => {
    const best = assignments.map(({ judged }) => [judged.place]);
    return { host, best, searched: view.findHost(host) };
  });
  return { targets, isLast: candidates.length < limit };
}

function findPlaces(
  context: ClaimContext,
  wish: ClaimWish,
  { source, exceptHosts, limit }: BatchQuery & { readonly source: MigrationProfile },
): FoundBatch {
  const { view } = context.replica;
  const { strategy, numaNode } = wish;
  const near = numaNode === undefined ? {} : { numaNode };
  if (!isColumnar(view, source)) {
    const { candidates } = searchCandidates(view, { source, strategy, exceptHosts, limit, ...near });
    const byHost = Map.groupBy(
      candidates.map(({ place }) => place),
      ({ host }) => host,
    );
    const targets = [...byHost].map(([host, best]) => targetOf(context, host, [best]));
    return { targets, isLast: candidates.length < limit };
  }
  // What was found is decided in full below: here it is enough to know which.
  const ids = findBest(view.index, {
    source: compileSource(view.index, source),
    order: ORDERS[strategy],
    atLeastFree: 1,
    limit,
    exceptHosts: findLeftOut(view, { exceptHosts }),
    ...(numaNode === undefined ? {} : { nearNumaNode: numaNode }),
  });
  return { targets: targetsOf(context, ids, near), isLast: ids.length < limit };
}

/**
 * The hosts of places in their order, idle ones first among equals, each with its own places. What was found is noted at
 * once, and put in order as it is asked for: mostly the first host grants the claim, and between two tries the view moves on.
 */
function targetsOf(
  context: ClaimContext,
  ids: readonly PlaceId[],
  near: { readonly numaNode?: number },
): Iterable<ClaimTarget> {
  const { view } = context.replica;
  const places = ids.map((id) => view.placeAt(id));
  const searched = places.map(({ host }) => view.findHost(host));
  const areAlike = near.numaNode === undefined ? isSameButNode : isSameClass;
  const ends = endsOfEquals(view.index, ids, areAlike);
  const names = places.map(({ host }) => host);
  return (function* () {
    for (const at of spreadEquals(context, names, ends)) {
      const host = names[at] ?? "";
      yield { host, best: [places.filter((place) => place.host === host)], searched: searched[at] };
    }
  })();
}

type AreAlike = (columns: ClassColumns, a: ClassId, b: ClassId) => boolean;

/** Where each run of places ends that are equal in everything that they are ranked by. */
function endsOfEquals(
  { places: { classes, roomAtLeast, scores }, columns }: FleetView["index"],
  ids: readonly PlaceId[],
  areAlike: AreAlike,
): readonly number[] {
  const isEqual = (a: PlaceId, b: PlaceId): boolean =>
    roomAtLeast[a] === roomAtLeast[b] &&
    scores[a] === scores[b] &&
    areAlike(columns, classes[a] ?? NO_CLASS, classes[b] ?? NO_CLASS);
  return [...ids.keys()]
    .map((at) => at + 1)
    .filter((end) => end === ids.length || !isEqual(ids[end - 1] ?? 0, ids[end] ?? 0));
}

function isSameClass(_columns: ClassColumns, a: ClassId, b: ClassId): boolean {
  return a === b;
}

/** Nodes divide classes, and where none is asked for nothing is ranked by them. */
function isSameButNode({ stems, majors, minors, itemsLow, itemsHigh }: ClassColumns, a: ClassId, b: ClassId): boolean {
  if (a === b) return true;
  return [stems, majors, minors, itemsLow, itemsHigh].every((column) => column[a] === column[b]);
}

/**
 * Puts equal places in the order of how busy this process is with their hosts: work that waits there, and a ledger that the
 * view does not show yet, so that the places are not what they seem. Answers positions.
 */
function* spreadEquals(
  { lanes, newest }: ClaimContext,
  names: readonly string[],
  ends: readonly number[],
): Generator<number, void> {
  let from = 0;
  for (const end of ends) {
    const busy: { readonly at: number; readonly count: number }[] = [];
    for (let at = from; at < end; at += 1) {
      const host = names[at] ?? "";
      const count = lanes.countWaiting(host) + Number(newest.has(keyOf("ledger", host)));
      if (count === 0) yield at;
      else busy.push({ at, count });
    }
    for (const { at } of busy.toSorted((a, b) => a.count - b.count)) yield at;
    from = end;
  }
}

function targetOf(
  { replica: { view } }: ClaimContext,
  host: string,
  best?: readonly (readonly Place[])[],
): ClaimTarget {
  return { host, searched: view.findHost(host), ...(best === undefined ? {} : { best }) };
}
