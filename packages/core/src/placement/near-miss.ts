// SPDX-License-Identifier: Apache-2.0

import type { Remedy, Verdict } from "../compatibility/verdict.ts";
import type { NearMiss, Outcome, Refused } from "./answer.ts";
import { comparePlaces } from "./rank.ts";

/** How far each kind of "no" is from a yes, before its remedies are counted. */
const DISTANCE: Readonly<Record<Outcome, number>> = { "not-now": 1, "not-as-it-stands": 10, unknown: 20, never: 1000 };

/**
 * Refused places that something would mend, the cheapest first: making room, then changing the host, then finding out
 * what is not known. A place with a reason that nothing mends is not among them.
 */
export function findNearMisses(refused: readonly Refused[]): readonly NearMiss[] {
  return refused
    .flatMap((place) => nearMissOf(place, refused))
    .toSorted((a, b) => costOf(a) - costOf(b) || b.opens - a.opens || comparePlaces(a.refused, b.refused));
}

function nearMissOf(place: Refused, all: readonly Refused[]): readonly NearMiss[] {
  const remedies = remediesOf(place);
  if (remedies === undefined || remedies.length === 0) return [];
  return [{ refused: place, remedies, opens: countOpened(place, remedies, all) }];
}

/** All that would have to be done; undefined where something cannot be mended. */
function remediesOf(place: Refused): readonly Remedy[] | undefined {
  if (place.outcome === "never") return undefined;
  const wanted = [
    ...wantedBy(place.verdict),
    ...wantedBy(place.platform.kind === "incompatible" ? place.platform : undefined),
  ];
  if (place.room.atMost < 1) wanted.push(place.roomRemedy);
  const mended = wanted.filter((remedy) => remedy !== undefined);
  if (mended.length < wanted.length) return undefined;
  const seen = new Map(mended.map((remedy) => [JSON.stringify(remedy), remedy]));
  return [...seen.values()];
}

function wantedBy(verdict: Verdict | undefined): (Remedy | undefined)[] {
  if (verdict?.kind === "incompatible") return verdict.reasons.map((reason) => reason.remedy);
  if (verdict?.kind === "undetermined") return verdict.missing.map((missing) => missing.remedy);
  return [];
}

/** How many devices like the source would fit on that host once these remedies are carried out there. */
function countOpened(place: Refused, remedies: readonly Remedy[], all: readonly Refused[]): number {
  const done = new Set(remedies.map((remedy) => JSON.stringify(remedy)));
  let opened = 0;
  for (const other of all) {
    if (other.place.host !== place.place.host) continue;
    const needed = remediesOf(other);
    if (needed === undefined || needed.some((remedy) => !done.has(JSON.stringify(remedy)))) continue;
    opened += Math.max(1, Number.isFinite(other.room.atLeast) ? other.room.atLeast : 1);
  }
  return opened;
}

function costOf({ refused, remedies }: NearMiss): number {
  const freed = remedies.reduce((sum, remedy) => sum + (remedy.kind === "free" ? remedy.count : 1), 0);
  return DISTANCE[refused.outcome] + freed;
}
