// SPDX-License-Identifier: Apache-2.0

import type { Remedy } from "@berth/core/compatibility/verdict";
import {
  ELSEWHERE_KINDS,
  explainElsewhere,
  type ElsewhereCount,
  type ElsewhereKind,
} from "@berth/core/inventory/explain-elsewhere";
import { compileSource } from "@berth/core/inventory/migration-index";
import type { Place, PlaceRef } from "@berth/core/inventory/place";
import type { Judged } from "@berth/core/placement/answer";
import { judgePlace, refusalOf } from "@berth/core/placement/judge";
import { findNearMisses } from "@berth/core/placement/near-miss";
import { findLeftOut, isColumnar, listCompatible, type CandidateSearch } from "./candidate-search.ts";
import type { FleetView } from "./fleet-view.ts";

/** What becomes of so many places, and what would mend one of them. */
export interface OutcomeCount {
  readonly kind: ElsewhereKind;
  /** Code of the first obstacle; empty for candidates. */
  readonly code: string;
  readonly places: number;
  /** Hosts whose nearest place comes to this. */
  readonly hosts: number;
  /** The first such place by host, parent and type. */
  readonly example: PlaceRef;
  /** Why the example is no candidate; empty for candidates. */
  readonly why: string;
  /** What would make the example a candidate; empty where nothing that is known of would. */
  readonly remedies: readonly Remedy[];
}

/** Outcomes of which an example is judged in full; the nearest come first. */
const EXPLAINED = 20;

/** What becomes of every place that a search looked at, counted, nearest outcome first. */
export function explainSearch(view: FleetView, search: CandidateSearch): readonly OutcomeCount[] {
  const isExact = isColumnar(view, search.source);
  const counts = explainElsewhere(view.index, {
    source: compileSource(view.index, search.source),
    atLeastFree: isExact ? 1 : 0,
    exceptHosts: findLeftOut(view, search),
  });
  const split = isExact ? counts.map((count) => ({ ...count, example: view.placeAt(count.example) })) : undefined;
  const rows = split ?? splitByRoom(view, search, counts);
  return rows.map((row, at) => (at < EXPLAINED ? explainRow(view, search, row) : plainRow(row)));
}

type Row = Omit<ElsewhereCount, "example"> & { readonly example: Place };

/** Counted without regard to room, compatible places are one row; here it becomes those with room, without, and unknown. */
function splitByRoom(view: FleetView, search: CandidateSearch, counts: readonly ElsewhereCount[]): readonly Row[] {
  const byKind = Map.groupBy(listCompatible(view, search), kindOfRoom);
  const served = new Set<string>();
  const rows = ELSEWHERE_KINDS.flatMap((kind): readonly Row[] => {
    const judged = byKind.get(kind) ?? [];
    const [first] = judged.map(({ place }) => place).toSorted(comparePlaces);
    if (first === undefined) return [];
    const hosts = new Set(judged.map(({ place }) => place.host).filter((host) => !served.has(host)));
    for (const host of hosts) served.add(host);
    const code = kind === "candidate" ? "" : kind === "not-now" ? "no_room" : "room_unknown";
    return [{ kind, code, places: judged.length, hosts: hosts.size, example: first }];
  });
  const others = counts.filter(({ kind }) => kind !== "candidate");
  return [...rows, ...others.map((count) => ({ ...count, example: view.placeAt(count.example) }))];
}

function kindOfRoom({ room }: Judged): ElsewhereKind {
  if (room.atLeast >= 1) return "candidate";
  return room.atMost < 1 ? "not-now" : "room-unknown";
}

function comparePlaces(a: Place, b: Place): number {
  const [left, right] = [a, b].map(({ host, parent, type }) => [host, parent, type].join("\u0000"));
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

function plainRow({ example, ...count }: Row): OutcomeCount {
  const { host, parent, type } = example;
  return { ...count, example: { host, parent, type }, why: "", remedies: [] };
}

function explainRow(view: FleetView, search: CandidateSearch, row: Row): OutcomeCount {
  const plain = plainRow(row);
  if (row.kind === "candidate") return plain;
  const { source } = search;
  const refused = refusalOf(judgePlace({ source, fleet: view.frame, memory: view.memory }, row.example));
  if (refused === undefined) return plain;
  const [near] = findNearMisses([refused], source);
  return { ...plain, why: refused.why, remedies: near?.remedies ?? [] };
}
