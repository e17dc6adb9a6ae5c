// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "../device/group-by.ts";
import type { Remedy, Verdict } from "../compatibility/verdict.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { NearMiss, Outcome, Refused } from "./answer.ts";
import { comparePlaces } from "./rank.ts";
import { roomInPool } from "./room-for-source.ts";

/** How far each kind of "no" is from a yes, before its remedies are counted. */
const DISTANCE: Readonly<Record<Outcome, number>> = { "not-now": 1, "not-as-it-stands": 10, unknown: 20, never: 1000 };

/** What a cold move costs: it is no berth for a live move, so it stands behind what makes one. */
const COLD_COST = 8;

/**
 * Refused places that something would mend, the cheapest first: making room, then changing the host, then finding out
 * what is not known. A place where something stands in the way that nothing mends is not among them: neither a reason
 * nor a missing fact without a remedy, nor room of which nobody can say whether it is there.
 */
export function findNearMisses(refused: readonly Refused[], source: MigrationProfile): readonly NearMiss[] {
  const mendable = refused.flatMap((place) => mendOf(place) ?? []);
  const byHost = groupBy(mendable, ({ place }) => place.place.host);
  return mendable
    .map((mend) => ({
      refused: mend.place,
      remedies: mend.remedies,
      opens: countOpened(mend, byHost.get(mend.place.place.host) ?? [], source),
    }))
    .toSorted((a, b) => costOf(a) - costOf(b) || b.opens - a.opens || comparePlaces(a.refused, b.refused));
}

/** A refused place with all that would have to be done. */
interface Mend {
  readonly place: Refused;
  readonly remedies: readonly Remedy[];
  /** The remedies as text, to compare them. */
  readonly keys: readonly string[];
}

/** Undefined where something cannot be mended, or nothing need be. */
function mendOf(place: Refused): Mend | undefined {
  if (place.outcome === "never") return undefined;
  const wanted = [
    ...wantedBy(place.verdict),
    // What is only unknown about the platform keeps nothing out: beside a reason it need not be mended.
    ...(place.platform.kind === "incompatible" ? place.platform.reasons.map(({ remedy }) => remedy) : []),
  ];
  if (place.room.atLeast < 1) wanted.push(place.room.atMost < 1 ? place.roomRemedy : undefined);
  const mended = wanted.filter((remedy) => remedy !== undefined);
  if (mended.length < wanted.length || mended.length === 0) return undefined;
  const seen = new Map(mended.map((remedy) => [JSON.stringify(remedy), remedy]));
  return { place, remedies: [...seen.values()], keys: [...seen.keys()] };
}

function wantedBy(verdict: Verdict): (Remedy | undefined)[] {
  if (verdict.kind === "compatible") return [];
  const missing = verdict.missing.map(({ remedy }) => remedy);
  return verdict.kind === "undetermined" ? missing : [...verdict.reasons.map(({ remedy }) => remedy), ...missing];
}

/** How many devices like the source would fit on that host once these remedies are carried out there. */
function countOpened(done: Mend, onHost: readonly Mend[], source: MigrationProfile): number {
  const keys = new Set(done.keys);
  const opened = onHost.filter((mend) => mend.keys.every((key) => keys.has(key))).map((mend) => mend.place);
  // Parents that share one pool give away one budget: sixteen VFs of a GPU with room for four open four places.
  const byPool = groupBy(opened, ({ place }) => place.pool ?? place);
  let devices = 0;
  for (const places of byPool.values()) {
    const each = places.reduce((sum, { room }) => sum + atLeastOne(room.atLeast), 0);
    const types = new Map(places.map(({ place }) => [place.type, place]));
    const together = Math.max(...[...types.values()].map((place) => atLeastOne(roomInPool(source, place).atLeast)));
    devices += Math.min(each, together);
  }
  return devices;
}

/** Room after the remedies: what is proved today, and one where the remedy itself makes room. */
function atLeastOne(room: number): number {
  return Number.isFinite(room) ? Math.max(1, room) : 1;
}

function costOf({ refused, remedies }: NearMiss): number {
  const costs = remedies.map((remedy) =>
    remedy.kind === "free" ? remedy.count : remedy.kind === "move-cold" ? COLD_COST : 1,
  );
  return costs.reduce((sum, cost) => sum + cost, DISTANCE[refused.outcome]);
}
