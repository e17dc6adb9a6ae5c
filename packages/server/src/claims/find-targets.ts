// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { findBest } from "@berth/core/inventory/find-best";
import { compileSource } from "@berth/core/inventory/migration-index";
import type { Place } from "@berth/core/inventory/place";
import type { PlaceId } from "@berth/core/inventory/place-table";
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
  return { targets: targetsOf(context, ids), isLast: ids.length < limit };
}

/** The hosts of places in their order, idle ones first among equals, each with its own places. */
function* targetsOf(context: ClaimContext, ids: readonly PlaceId[]): Generator<ClaimTarget, void> {
  const { view } = context.replica;
  // Numbers are given to other places when the view changes, which it may between two tries.
  const places = ids.map((id) => view.placeAt(id));
  for (const at of spreadEquals(context, ids)) {
    const host = places[at]?.host ?? "";
    yield targetOf(context, host, [places.filter((place) => place.host === host)]);
  }
}

/**
 * Puts equal places in the order of how busy this process is with their hosts: work that waits there, and a ledger that the
 * view does not show yet, so that the places are not what they seem. Answers positions in the list.
 */
function* spreadEquals(
  { replica: { view }, lanes, newest }: ClaimContext,
  ids: readonly PlaceId[],
): Generator<number, void> {
  const { classes, roomAtLeast, scores, hosts, hostNames } = view.index.places;
  const ranks = ids.map((id) => [classes[id], roomAtLeast[id], scores[id]] as const);
  const names = ids.map((id) => hostNames.texts[hosts[id] ?? 0] ?? "");
  const isEqual = (a: number, b: number): boolean => ranks[a]?.every((part, at) => part === ranks[b]?.[at]) === true;
  const countBusy = (at: number): number =>
    lanes.countWaiting(names[at] ?? "") + Number(newest.has(keyOf("ledger", names[at] ?? "")));
  for (let from = 0; from < ids.length;) {
    let to = from + 1;
    const busy: { readonly at: number; readonly count: number }[] = [];
    for (let at = from; at === from || (at < ids.length && isEqual(from, at)); at += 1) {
      const count = countBusy(at);
      if (count === 0) yield at;
      else busy.push({ at, count });
      to = at + 1;
    }
    for (const { at } of busy.toSorted((a, b) => a.count - b.count)) yield at;
    from = to;
  }
}

function targetOf(
  { replica: { view } }: ClaimContext,
  host: string,
  best?: readonly (readonly Place[])[],
): ClaimTarget {
  return { host, searched: view.findHost(host), ...(best === undefined ? {} : { best }) };
}
