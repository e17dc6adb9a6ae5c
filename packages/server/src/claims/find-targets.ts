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
const BATCH_OF_CLAIM = 1;
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
    const batch = findBatch(context, wish, { exceptHosts, limit });
    for (const target of batch.targets) {
      if (tried.has(target.host)) continue;
      tried.add(target.host);
      yield target;
    }
    if (batch.isLast()) return;
  }
}

interface BatchQuery {
  readonly exceptHosts: readonly string[];
  readonly limit: number;
}

interface FoundBatch {
  /** A host may come more than once; the first time counts. */
  readonly targets: Iterable<ClaimTarget>;
  /** Whether there is nothing beyond, asked when all of them were tried. */
  readonly isLast: () => boolean;
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
  return { targets, isLast: () => candidates.length < limit };
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
    return { targets, isLast: () => candidates.length < limit };
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
  const found = {
    revision: view.generation.revision,
    ids,
    areAlike: numaNode === undefined ? isSameButNode : isSameClass,
  };
  const isMoved = (): boolean => view.generation.revision !== found.revision;
  return { targets: targetsOf(context, found), isLast: () => ids.length < limit && !isMoved() };
}

type AreAlike = (columns: ClassColumns, a: ClassId, b: ClassId) => boolean;

/** What a search of the index found, and when. */
interface FoundPlaces {
  readonly revision: number;
  readonly ids: readonly PlaceId[];
  readonly areAlike: AreAlike;
}

/**
 * The hosts of places in their order, each with its own places. Equal places are put in the order of how busy this process
 * is with their hosts: work that waits there, and a ledger that the view does not show yet, so that the places are not what
 * they seem. Ends early when the view has moved on between two tries: then the numbers are those of other places.
 */
function* targetsOf(context: ClaimContext, { revision, ids, areAlike }: FoundPlaces): Generator<ClaimTarget, void> {
  const { lanes, newest } = context;
  const { view } = context.replica;
  const { hosts, hostNames } = view.index.places;
  const nameOf = (id: PlaceId): string => hostNames.texts[hosts[id] ?? 0] ?? "";
  const make = (id: PlaceId): ClaimTarget => {
    const own = ids.filter((other) => hosts[other] === hosts[id]);
    return targetOf(context, nameOf(id), [own.map((other) => view.placeAt(other))]);
  };
  for (let from = 0; from < ids.length;) {
    const end = findEnd(view.index, { ids, from, areAlike });
    const busy: { readonly id: PlaceId; readonly count: number }[] = [];
    for (const id of ids.slice(from, end)) {
      const host = nameOf(id);
      const count = lanes.countWaiting(host) + Number(newest.has(keyOf("ledger", host)));
      if (count > 0) busy.push({ id, count });
      else yield make(id);
      if (view.generation.revision !== revision) return;
    }
    for (const { id } of busy.toSorted((a, b) => a.count - b.count)) {
      yield make(id);
      if (view.generation.revision !== revision) return;
    }
    from = end;
  }
}

interface Run {
  readonly ids: readonly PlaceId[];
  readonly from: number;
  readonly areAlike: AreAlike;
}

/** Where the run of places ends that are equal to the first in everything that they are ranked by. */
function findEnd({ places, columns }: FleetView["index"], { ids, from, areAlike }: Run): number {
  const { classes, roomAtLeast, scores } = places;
  const first = ids[from] ?? 0;
  for (let end = from + 1; end < ids.length; end += 1) {
    const id = ids[end] ?? 0;
    const isEqual = roomAtLeast[id] === roomAtLeast[first] && scores[id] === scores[first];
    if (!isEqual || !areAlike(columns, classes[id] ?? NO_CLASS, classes[first] ?? NO_CLASS)) return end;
  }
  return ids.length;
}

function isSameClass(_columns: ClassColumns, a: ClassId, b: ClassId): boolean {
  return a === b;
}

/** Nodes divide classes, and where none is asked for nothing is ranked by them. */
function isSameButNode({ stems, majors, minors, itemsLow, itemsHigh }: ClassColumns, a: ClassId, b: ClassId): boolean {
  if (a === b) return true;
  return (
    stems[a] === stems[b] &&
    majors[a] === majors[b] &&
    minors[a] === minors[b] &&
    itemsLow[a] === itemsLow[b] &&
    itemsHigh[a] === itemsHigh[b]
  );
}

function targetOf(
  { replica: { view } }: ClaimContext,
  host: string,
  best?: readonly (readonly Place[])[],
): ClaimTarget {
  return { host, searched: view.findHost(host), ...(best === undefined ? {} : { best }) };
}
