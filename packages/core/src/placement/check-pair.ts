// SPDX-License-Identifier: Apache-2.0

import { roomToGrow } from "../capacity/grow.ts";
import type { Pool, Room } from "../capacity/pool.ts";
import { formatRoom } from "../capacity/room.ts";
import { checkMigration } from "../compatibility/check-migration.ts";
import { checkPlatform } from "../compatibility/check-platform.ts";
import type { Pair } from "../compatibility/pair.ts";
import type { Verdict } from "../compatibility/verdict.ts";
import type { Usage } from "../device/device-use.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { DeviceRef, PlaceRef } from "../inventory/place.ts";
import { explainNoRoom } from "./explain-room.ts";
import { roomForSource, unitsOf } from "./room-for-source.ts";

/** One pair with everything that was found about it. */
export interface PairAnswer {
  readonly source: MigrationProfile;
  readonly destination: MigrationProfile;
  /** Of the device pair: R1-R9 and R11. */
  readonly verdict: Verdict;
  /** Of the platform: R10. */
  readonly platform: Verdict;
  /** Undefined where it is no question: two profile documents have no pools, an existing device has its room. */
  readonly room: Room | undefined;
  /** The same for a person, with the law of the pool. */
  readonly roomText: string;
}

/**
 * Where a destination stands: the pools of its host, and the type or the existing device that is asked for, with who
 * uses it where that was looked at.
 */
export type PairDestination = { readonly pools: readonly Pool[] } & (
  PlaceRef | (DeviceRef & { readonly usage?: Usage })
);

/** Both verdicts of one pair, and the room at the destination where one is named. */
export function checkPair(pair: Pair, destination?: PairDestination): PairAnswer {
  return {
    source: pair.source,
    destination: pair.destination,
    verdict: checkMigration(pair),
    platform: checkPlatform({ pairs: [pair] }),
    ...(destination === undefined
      ? { room: undefined, roomText: "not asked: profile files say nothing about room" }
      : findRoom(destination, pair.source)),
  };
}

/** Room is a question of its own: "not now" is not "never". */
function findRoom(to: PairDestination, source: MigrationProfile): Pick<PairAnswer, "room" | "roomText"> {
  const { pools } = to;
  const count = unitsOf(source);
  if ("device" in to) return roomOfDevice(to, count);
  const pool = pools.find((candidate) => candidate.parents.includes(to.parent));
  if (pool === undefined) return { room: { atLeast: 0, atMost: Infinity }, roomText: "not known: no pool was found" };
  const room = roomForSource(source, { pool, parent: to.parent, type: to.type });
  const units = count === 1 ? "" : ` x ${count}`;
  const fit = room.atMost < 1 ? explainNoRoom(pool, to.type) : `${formatRoom(room)} more ${to.type}${units} fit`;
  return { room, roomText: `${to.host}:${to.parent}: ${fit}; ${lawText(pool)}` };
}

/**
 * An existing device has its room already; to grow to the source's units it may need more. While somebody uses it, it has
 * none.
 */
function roomOfDevice(
  { pools, device: id, usage }: PairDestination & DeviceRef & { readonly usage?: Usage },
  count: number,
): Pick<PairAnswer, "room" | "roomText"> {
  if (usage?.kind === "used") return { room: { atLeast: 0, atMost: 0 }, roomText: `the device exists; ${usage.text}` };
  const unused = usage?.text ?? "whether a VM uses it is not read here";
  const pool = pools.find((candidate) => candidate.occupants.some((occupant) => occupant.id === id));
  const units = pool?.occupants.find((occupant) => occupant.id === id)?.count ?? 1;
  if (pool === undefined || count <= units) return { room: undefined, roomText: `the device exists; ${unused}` };
  const grow = roomToGrow(pool, { id, to: count });
  if (grow.kind === "fits") {
    return { room: undefined, roomText: `the device exists with ${units} units and can grow to ${count}; ${unused}` };
  }
  if (grow.kind === "short")
    return {
      room: { atLeast: 0, atMost: 0 },
      roomText: `it cannot grow from ${units} to ${count} units now: ${grow.why}`,
    };
  return {
    room: { atLeast: 0, atMost: 1 },
    roomText: `whether it can grow from ${units} to ${count} units is not known: ${grow.why}`,
  };
}

function lawText(pool: Pool): string {
  if (pool.law.kind === "unknown") return `the law of the pool is not known: ${pool.law.why}`;
  const origin = pool.origin.kind === "declared" ? `declared by pack ${pool.origin.pack}` : pool.origin.kind;
  return `law ${pool.law.kind}, ${origin}`;
}
