// SPDX-License-Identifier: Apache-2.0

import type { Room } from "../capacity/pool.ts";
import { formatRoom, roomFor } from "../capacity/room.ts";
import { take } from "../capacity/take.ts";
import { CONFIDENCES } from "../compatibility/verdict.ts";
import { valueOf } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Place } from "../inventory/place.ts";
import type { Candidate, Judged } from "./answer.ts";
import type { Strategy } from "./request.ts";
import { roomInPool, unitsOf } from "./room-for-source.ts";

/** What a ranking looks at beside the places themselves. */
export interface Ranking {
  readonly strategy: Strategy;
  readonly source: MigrationProfile;
  readonly numaNode?: number;
}

interface Keyed {
  readonly judged: Judged;
  /** Compared element by element, smaller first. */
  readonly key: readonly number[];
  readonly because: readonly string[];
}

/**
 * Puts places in order, best first: what is surest, then by strategy, then by host, parent and type name, so that the
 * same input always gives the same order.
 */
export function rankPlaces(places: readonly Judged[], ranking: Ranking): readonly Candidate[] {
  return places
    .map((judged) => keyOf(judged, ranking))
    .toSorted(compareKeyed)
    .map(({ judged, because }, index) => ({ ...judged, rank: index + 1, because }));
}

function keyOf(judged: Judged, ranking: Ranking): Keyed {
  const sure = surenessOf(judged);
  const damage = findDamage(judged.place, unitsOf(ranking.source));
  // A VF has room for one whatever its pool has left: how full a place is, its pool says.
  const pooled = roomInPool(ranking.source, judged.place);
  const left = finite(pooled.atLeast) - 1;
  const numa = numaOf(judged, ranking.numaNode);
  const keys: Record<Strategy, readonly number[]> = {
    fragmentation: [damage.blocked, damage.lost, left],
    pack: [left, damage.blocked, damage.lost],
    spread: [-left, damage.blocked, damage.lost],
    numa: [numa.distance, damage.blocked, damage.lost, left],
  };
  return {
    judged,
    key: [...sure.key, ...keys[ranking.strategy]],
    because: [...sure.because, damage.text, roomWords(judged, pooled), ...numa.because],
  };
}

function roomWords({ room, place }: Judged, pooled: Room): string {
  const parents = place.pool?.parents.length ?? 1;
  const shared = parents === 1 ? "" : `, ${formatRoom(pooled)} in the pool of ${parents} parents`;
  return `${formatRoom(room)} fit now${shared}`;
}

/** A platform that is known to work stands before one that is not known, a surer verdict before a weaker one. */
function surenessOf({ verdict, platform }: Judged): { key: readonly number[]; because: readonly string[] } {
  const confidence = verdict.kind === "compatible" ? verdict.confidence : "assumed";
  const because = platform.kind === "compatible" ? [] : ["platform not known"];
  return {
    key: [platform.kind === "compatible" ? 0 : 1, CONFIDENCES.indexOf(confidence)],
    because: [`confidence ${confidence}`, ...because],
  };
}

/** What a take costs the other types of its pool: how many have no room afterwards, and how many devices less fit. */
export interface Damage {
  readonly blocked: number;
  readonly lost: number;
  readonly text: string;
}

/** What taking this place for a device of so many units takes away from other types of its pool. */
export function findDamage({ pool, type, parent, host }: Place, units: number): Damage {
  const after =
    pool === undefined ? undefined : take(pool, { id: `${host}:${parent}/${type}`, type, parent, count: units });
  if (pool === undefined || after?.kind !== "taken") return { blocked: 0, lost: 0, text: "effect on others not known" };
  const blocked: string[] = [];
  let lost = 0;
  for (const other of pool.types) {
    if (other.type === type) continue;
    const before = finite(roomFor(pool, { type: other.type }).atLeast);
    const left = finite(roomFor(after.pool, { type: other.type }).atLeast);
    lost += Math.max(0, before - left);
    if (before >= 1 && left < 1) blocked.push(other.type);
  }
  const text = blocked.length === 0 ? "blocks no other type" : `blocks ${blocked.length} other types`;
  return { blocked: blocked.length, lost, text };
}

function finite(room: number): number {
  return Math.min(room, Number.MAX_SAFE_INTEGER);
}

function numaOf({ place }: Judged, wanted: number | undefined): { distance: number; because: readonly string[] } {
  const node = valueOf(place.numaNode);
  const because = node === undefined ? [] : [`NUMA node ${node}`];
  if (wanted === undefined) return { distance: 0, because };
  return { distance: node === undefined ? 1 : node === wanted ? 0 : 2, because };
}

function compareKeyed(a: Keyed, b: Keyed): number {
  for (const [index, value] of a.key.entries()) {
    const other = b.key[index] ?? 0;
    if (value !== other) return value - other;
  }
  return comparePlaces(a.judged, b.judged);
}

/** Host, then parent, then type, by code unit. */
export function comparePlaces(a: Judged, b: Judged): number {
  return (
    compareText(a.place.host, b.place.host) ||
    compareText(a.place.parent, b.place.parent) ||
    compareText(a.place.type, b.place.type)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
