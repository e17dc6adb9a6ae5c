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
export interface Ranking<T extends Judged = Judged> {
  readonly strategy: Strategy;
  readonly source: MigrationProfile;
  readonly numaNode?: number;
  /** What `measurePlace` finds of a place for this source, for callers that keep it; absent: it is found anew. */
  readonly measure?: (judged: T) => PlaceMeasure;
}

/** What a ranking compares of a place by itself. */
export interface PlaceMeasure {
  readonly damage: Damage;
  /** Room of the whole pool: a VF has room for one whatever its pool has left, and how full a place is, its pool says. */
  readonly pooled: Room;
  /** Both in words, and the NUMA node where it is known. */
  readonly words: readonly string[];
}

/** Measures a place for a source: what a take costs others, and what its pool has left. `room` is that of its parent. */
export function measurePlace(source: MigrationProfile, { place, room }: Pick<Judged, "place" | "room">): PlaceMeasure {
  const damage = findDamage(place, unitsOf(source));
  const pooled = roomInPool(source, place);
  const node = valueOf(place.numaNode);
  const numa = node === undefined ? [] : [`NUMA node ${node}`];
  return { damage, pooled, words: [damage.text, roomWords({ place, room }, pooled), ...numa] };
}

interface Keyed<T extends Judged> {
  readonly judged: T;
  /** Compared element by element, smaller first. */
  readonly key: readonly number[];
  readonly because: readonly string[];
}

/**
 * Puts places in order, best first: what is surest, then by strategy, then by host, parent and type name, so that the
 * same input always gives the same order.
 */
export function rankPlaces<T extends Judged>(
  places: readonly T[],
  ranking: Ranking<T>,
): readonly (T & Pick<Candidate, "rank" | "because">)[] {
  return places
    .map((judged) => keyOf(judged, ranking))
    .toSorted(compareKeyed)
    .map(({ judged, because }, index) => ({ ...judged, rank: index + 1, because }));
}

function keyOf<T extends Judged>(judged: T, ranking: Ranking<T>): Keyed<T> {
  const sure = surenessOf(judged);
  const { damage, pooled, words } = ranking.measure?.(judged) ?? measurePlace(ranking.source, judged);
  const left = finite(pooled.atLeast) - 1;
  return {
    judged,
    key: [...sure.key, ...strategyKey({ damage, left, place: judged.place }, ranking)],
    because: [...sure.because, ...words],
  };
}

function strategyKey(
  { damage, left, place }: { readonly damage: Damage; readonly left: number; readonly place: Place },
  { strategy, numaNode }: Pick<Ranking, "strategy" | "numaNode">,
): readonly number[] {
  switch (strategy) {
    case "fragmentation":
      return [damage.blocked, damage.lost, left];
    case "pack":
      return [left, damage.blocked, damage.lost];
    case "spread":
      return [-left, damage.blocked, damage.lost];
    case "numa":
      return [numaDistance(place, numaNode), damage.blocked, damage.lost, left];
  }
}

function roomWords({ room, place }: Pick<Judged, "place" | "room">, pooled: Room): string {
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

function numaDistance(place: Place, wanted: number | undefined): number {
  if (wanted === undefined) return 0;
  const node = valueOf(place.numaNode);
  return node === undefined ? 1 : node === wanted ? 0 : 2;
}

function compareKeyed(a: Keyed<Judged>, b: Keyed<Judged>): number {
  for (let index = 0; index < a.key.length; index += 1) {
    const [value, other] = [a.key[index] ?? 0, b.key[index] ?? 0];
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
