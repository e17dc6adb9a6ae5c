// SPDX-License-Identifier: Apache-2.0

import { findBlockers } from "../capacity/free-up.ts";
import type { Pool } from "../capacity/pool.ts";
import { formatRoom } from "../capacity/room.ts";
import { checkMigration } from "../compatibility/check-migration.ts";
import { checkPlatform } from "../compatibility/check-platform.ts";
import { findNature } from "../compatibility/nature.ts";
import { NO_MEMORY, type Memory, type Pair } from "../compatibility/pair.ts";
import type { Remedy, Verdict } from "../compatibility/verdict.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Fleet } from "../inventory/fleet.ts";
import type { Place } from "../inventory/place.ts";
import type { Judged, Outcome, Refused } from "./answer.ts";
import { explainNoRoom } from "./explain-room.ts";
import { roomForSource, unitsOf } from "./room-for-source.ts";

/** What every place is judged against. */
export interface Question {
  readonly source: MigrationProfile;
  readonly fleet: Fleet;
  readonly memory?: Memory;
  /** The device is one of several of its VM, and moves with them: its platform must have what several need (P2P). */
  readonly isOneOfSeveral?: true;
}

/** Finds both verdicts and the room of one place. */
export function judgePlace(question: Question, place: Place): Judged {
  const { source, fleet } = question;
  const pair: Pair = {
    source,
    destination: place.profile,
    policy: fleet.policy,
    packs: fleet.packs,
    memory: question.memory ?? NO_MEMORY,
  };
  const several = question.isOneOfSeveral === true;
  const { verdict, platform } = several ? judgeOneOfSeveral(pair) : judgePair(pair);
  const room = roomForSource(source, place);
  const judged = { place, verdict, platform, room };
  if (room.atMost >= 1 || outcomeOf(judged) === "never") return judged;
  const roomRemedy = findRoomRemedy(place, unitsOf(source));
  return roomRemedy === undefined ? judged : { ...judged, roomRemedy };
}

/** Finds the verdict of one device and that of its platform. Both are made of the pair alone. */
export function judgePair(pair: Pair): Pick<Judged, "verdict" | "platform"> {
  return { verdict: checkMigration(pair), platform: checkPlatform({ pairs: [pair] }) };
}

/** What several devices need is asked of each end for itself: a pair beside its like is judged as one of them. */
function judgeOneOfSeveral(pair: Pair): Pick<Judged, "verdict" | "platform"> {
  return { verdict: checkMigration(pair), platform: checkPlatform({ pairs: [pair, pair] }) };
}

function findRoomRemedy(place: Place, count: number): Remedy | undefined {
  const { pool } = place;
  if (pool === undefined) return undefined;
  const blockers = findBlockers(pool, { type: place.type, parent: place.parent, count });
  if (blockers.kind !== "free" && blockers.kind !== "empty") return undefined;
  const on = `${place.host}:${findHolder(pool, place.parent, blockers.occupants)}`;
  if (blockers.kind === "free") return { kind: "free", count: blockers.count, type: blockers.type, on };
  return { kind: "empty", on, types: blockers.types };
}

/** Where devices sit: the place's own parent, the one other parent that holds them, or the owner of the pool. */
function findHolder(pool: Pool, parent: string, occupants: readonly string[]): string {
  const ids = new Set(occupants);
  const parents = new Set(pool.occupants.filter(({ id }) => ids.has(id)).map((occupant) => occupant.parent));
  const [first, ...others] = parents;
  if (first === undefined || parents.has(parent)) return parent;
  if (others.length === 0) return first;
  return pool.owner.kind === "unknown" ? [...parents].toSorted().join(" ") : pool.owner.id;
}

/** The refusal of a judged place, or undefined where nothing stands in its way. */
export function refusalOf(judged: Judged): Refused | undefined {
  const outcome = outcomeOf(judged);
  if (outcome === undefined) return undefined;
  const [first, ...rest] = new Set(obstaclesOf(judged));
  if (first === undefined) throw new Error(`A place is refused (${outcome}) without a code`);
  return { ...judged, outcome, codes: [first, ...rest], why: whyOf(judged) };
}

/** What stands in the way, most telling first; what is only unknown about the platform keeps nothing out and comes last. */
function obstaclesOf({ verdict, platform, room }: Judged): readonly string[] {
  const roomCodes = room.atMost < 1 ? ["no_room"] : room.atLeast < 1 ? ["room_unknown"] : [];
  if (verdict.kind === "incompatible") return [...codesOf(verdict), ...codesOf(platform), ...roomCodes];
  if (platform.kind === "incompatible") return [...codesOf(platform), ...codesOf(verdict), ...roomCodes];
  return [...codesOf(verdict), ...roomCodes, ...codesOf(platform)];
}

function outcomeOf({ verdict, platform, room }: Pick<Judged, "verdict" | "platform" | "room">): Outcome | undefined {
  if (verdict.kind === "incompatible") return natureOf(verdict);
  if (platform.kind === "incompatible") return natureOf(platform);
  if (verdict.kind === "undetermined") return "unknown";
  if (room.atMost < 1) return "not-now";
  if (room.atLeast < 1) return "unknown";
  return undefined;
}

function natureOf(verdict: Verdict): Outcome {
  return findNature(verdict) ?? "never";
}

function codesOf(verdict: Verdict): readonly string[] {
  if (verdict.kind === "compatible") return [];
  const missing = verdict.missing.map(({ code }) => code);
  return verdict.kind === "undetermined" ? missing : [...verdict.reasons.map(({ code }) => code), ...missing];
}

function whyOf({ verdict, platform, room, place }: Judged): string {
  if (verdict.kind === "incompatible") return textsOf(verdict.reasons);
  if (platform.kind === "incompatible") return textsOf(platform.reasons);
  if (verdict.kind === "undetermined") return textsOf(verdict.missing);
  if (room.atMost < 1) return explainNoRoom(place.pool, place.type);
  const known = Number.isFinite(room.atMost) ? ` (${formatRoom(room)})` : "";
  return `how many more ${place.type} fit is not known${known}`;
}

function textsOf(items: readonly { readonly rule: string; readonly text: string }[]): string {
  return items.map((item) => `${item.rule}: ${item.text}`).join("; ");
}
