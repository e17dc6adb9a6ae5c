// SPDX-License-Identifier: Apache-2.0

import type { Pool } from "../capacity/pool.ts";
import { formatRoom, roomFor } from "../capacity/room.ts";
import { CONFIDENCES } from "../compatibility/verdict.ts";
import { valueOf } from "../device/evidence.ts";
import type { Judged } from "./answer.ts";
import type { Strategy } from "./request.ts";
import { roomInPool } from "./room-for-source.ts";
import type { Need } from "./pair-devices.ts";

/** A device in its place. */
export interface Seat {
  readonly need: Need;
  readonly judged: Judged;
}

/** How good a pairing is: compared element by element, smaller first. It does not depend on the order of the devices. */
export interface VmKey {
  readonly key: readonly number[];
  readonly because: readonly string[];
}

/**
 * The keys of a single device, for all devices of a VM together: the platform of the worst pair, the weakest verdict,
 * then by strategy what the pools lose, what is left in them, and the distances from the wanted NUMA nodes. `pools` leads
 * from each pool as it was to what is left of it. For one device it is the very order of `rankPlaces`.
 */
export function rankKeyOf(seats: readonly Seat[], pools: ReadonlyMap<Pool, Pool>, strategy: Strategy): VmKey {
  const sure = surenessOf(seats);
  const damage = damageOf(seats, pools);
  const left = roomLeft(seats);
  const distance = seats.reduce((sum, { need, judged }) => sum + numaDistance(judged, need.numaNode), 0);
  const keys: Record<Strategy, readonly number[]> = {
    fragmentation: [damage.blocked, damage.lost, left],
    pack: [left, damage.blocked, damage.lost],
    spread: [-left, damage.blocked, damage.lost],
    numa: [distance, damage.blocked, damage.lost, left],
  };
  const rooms = [...new Set(seats.map(({ judged }) => formatRoom(judged.room)))].join(" or ");
  const blocks =
    damage.blocked === 0
      ? "blocks no other type"
      : `blocks ${damage.blocked} other ${damage.blocked === 1 ? "type" : "types"}`;
  return {
    key: [...sure.key, ...keys[strategy]],
    because: [...sure.because, blocks, `${rooms} fit now at its places`],
  };
}

/** Compares two keys of one strategy. */
export function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}

function surenessOf(seats: readonly Seat[]): VmKey {
  const isKnown = seats.every(({ judged }) => judged.platform.kind === "compatible");
  const confidences = seats.map(({ judged }) =>
    judged.verdict.kind === "compatible" ? judged.verdict.confidence : "assumed",
  );
  const weakest = CONFIDENCES.findLast((confidence) => confidences.includes(confidence)) ?? "assumed";
  return {
    key: [isKnown ? 0 : 1, CONFIDENCES.indexOf(weakest)],
    because: [`confidence ${weakest}`, ...(isKnown ? [] : ["platform not known"])],
  };
}

/** What types that the VM does not take lose in the pools that it takes from. */
function damageOf(seats: readonly Seat[], pools: ReadonlyMap<Pool, Pool>): { blocked: number; lost: number } {
  let blocked = 0;
  let lost = 0;
  for (const [before, after] of pools) {
    const taken = new Set(
      seats.filter(({ judged }) => judged.place.pool === before).map(({ judged }) => judged.place.type),
    );
    for (const { type } of before.types) {
      if (taken.has(type)) continue;
      const had = finite(roomFor(before, { type }).atLeast);
      const has = finite(roomFor(after, { type }).atLeast);
      lost += Math.max(0, had - has);
      if (had >= 1 && has < 1) blocked += 1;
    }
  }
  return { blocked, lost };
}

/** For each device, how many like it fitted into its pool, less those that the VM takes there. */
function roomLeft(seats: readonly Seat[]): number {
  return seats.reduce((sum, { need, judged }) => {
    const { pool } = judged.place;
    const taken = seats.filter((other) => other.judged.place.pool === pool).length;
    return sum + finite(roomInPool(need.source, judged.place).atLeast) - taken;
  }, 0);
}

function finite(room: number): number {
  return Math.min(room, Number.MAX_SAFE_INTEGER);
}

function numaDistance({ place }: Judged, wanted: number | undefined): number {
  if (wanted === undefined) return 0;
  const node = valueOf(place.numaNode);
  return node === undefined ? 1 : node === wanted ? 0 : 2;
}
