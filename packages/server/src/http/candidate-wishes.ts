// SPDX-License-Identifier: Apache-2.0

import type { Candidate } from "@berth/core/placement/answer";
import type { CandidatesRequest } from "@berth/core/protocol/api/requests";
import { valueOf } from "@berth/core/device/evidence";
import { searchCandidates, type CandidateSearch } from "../inventory/candidate-search.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import { unknownHost } from "./served.ts";

/** Refuses names of hosts that are not there. Throws BerthError `unknown_host`. */
export function requireNamedHosts(view: FleetView, request: CandidatesRequest): void {
  const lists = { hosts: request.hosts, exceptHosts: request.exceptHosts };
  for (const [place, names] of Object.entries(lists)) {
    for (const [at, name] of (names ?? []).entries()) requireThere(view, name, `/${place}/${at}`);
  }
  for (const name of Object.keys(request.weights ?? {})) requireThere(view, name, `/weights/${name}`);
}

function requireThere(view: FleetView, name: string, place: string): void {
  if (view.findHost(name) === undefined) throw unknownHost(name, place);
}

/**
 * The hosts that a request wants, by name, rack and labels, all of which must fit; undefined: all. A rack or label that is
 * not known is none.
 */
export function findWantedHosts(view: FleetView, request: CandidatesRequest): readonly string[] | undefined {
  const { hosts, racks } = request;
  const labels = Object.entries(request.labels ?? {});
  if (racks === undefined && labels.length === 0) return hosts;
  return (hosts ?? view.hostNames).filter((name) => {
    const rack = findFact(view, name, "rack");
    const isInRack = racks === undefined || (rack !== undefined && racks.includes(rack));
    return isInRack && labels.every(([label, value]) => findFact(view, name, `label.${label}`) === value);
  });
}

function findFact(view: FleetView, host: string, fact: string): string | undefined {
  const facts = view.findHost(host)?.host.snapshot.facts;
  const reading = facts !== undefined && Object.hasOwn(facts, fact) ? facts[fact] : undefined;
  return reading === undefined ? undefined : valueOf(reading);
}

/** The weight of a host: 0 unless said. */
export function weightOf(weights: CandidatesRequest["weights"], host: string): number {
  return weights !== undefined && Object.hasOwn(weights, host) ? (weights[host] ?? 0) : 0;
}

/** Finds the best candidates: those on hosts of the highest weight first, in the strategy's order within each weight. */
export function searchByWeight(
  view: FleetView,
  search: CandidateSearch,
  weights: NonNullable<CandidatesRequest["weights"]>,
): readonly Candidate[] {
  const byWeight = Map.groupBy(Object.keys(weights), (host) => weightOf(weights, host));
  const levels = [...new Set([0, ...byWeight.keys()])].toSorted((a, b) => b - a);
  const weighted = new Set(levels.flatMap((weight) => (weight === 0 ? [] : (byWeight.get(weight) ?? []))));
  const found: Candidate[] = [];
  for (const weight of levels) {
    const limit = search.limit - found.length;
    if (limit === 0) break;
    const only = new Set(search.onlyHosts ?? view.hostNames);
    const onlyHosts =
      weight === 0
        ? [...only].filter((host) => !weighted.has(host))
        : (byWeight.get(weight) ?? []).filter((host) => only.has(host));
    const said = weight === 0 ? [] : [`the weight of the host is ${weight}`];
    for (const candidate of searchCandidates(view, { ...search, onlyHosts, limit }).candidates) {
      found.push({ ...candidate, rank: found.length + 1, because: [...said, ...candidate.because] });
    }
  }
  return found;
}
