// SPDX-License-Identifier: Apache-2.0

import { askOf } from "./ask.ts";
import type { Ask, RoomRequest } from "./ask.ts";
import { withOccupants } from "./changes.ts";
import { occupantsOfOtherSize } from "./one-size-law.ts";
import type { Occupant, Pool } from "./pool.ts";
import { findRoom } from "./room.ts";
import { explainUnknown } from "./short.ts";
import { placementOf, takenSlots } from "./slots-law.ts";

/** What would have to go so that one more device fits. Lists are sorted; `occupants` are device ids. */
export type Blockers =
  /** Nothing: it fits now. */
  | { readonly kind: "none" }
  /** So many devices of one type. */
  | { readonly kind: "free"; readonly count: number; readonly type: string; readonly occupants: readonly string[] }
  /** These devices of other sizes, or of several types, all of them. */
  | { readonly kind: "empty"; readonly types: readonly string[]; readonly occupants: readonly string[] }
  /** No device is in the way: even the empty pool would not do. */
  | { readonly kind: "impossible"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/** Beyond this many devices a set is not thinned out any further, to bound the work on absurd hosts. */
const THINNED_MAX = 64;

/**
 * Finds the fewest devices whose end would make room for one more of a type. Of equally small sets one of the type asked
 * for comes first, then the first by type and device id. Throws RangeError where the count is not at least 1.
 */
export function findBlockers(pool: Pool, request: RoomRequest): Blockers {
  const ask = askOf(pool, request);
  const room = findRoom(pool, ask);
  if (room.atLeast >= 1) return { kind: "none" };
  if (room.atMost >= 1) return { kind: "unknown", why: explainUnknown(pool) };
  const sets = candidateGroups(pool, ask).flatMap((group) => smallestPrefix(pool, ask, group) ?? []);
  const best = sets.map(sortedSet).sort((left, right) => compareSets(left, right, ask.type))[0];
  if (best !== undefined) return describe(pool, ask, best);
  if (findRoom(withOccupants(pool, []), ask).atMost >= 1) return { kind: "unknown", why: explainUnknown(pool) };
  return { kind: "impossible", why: `even the empty pool has no room for ${ask.type} x ${ask.count}` };
}

/** Lists of devices worth trying, the most helpful ones of each first. */
function candidateGroups(pool: Pool, ask: Ask): readonly (readonly Occupant[])[] {
  const all = [...pool.occupants].sort((left, right) => compareUse(left, right, ask));
  const byType = new Map<string, Occupant[]>();
  for (const occupant of all) byType.set(occupant.type, [...(byType.get(occupant.type) ?? []), occupant]);
  return [...byType.values(), ...slotGroups(pool, ask), occupantsOfOtherSize(pool, ask.type), all];
}

/** Slots pools: for every start of the type, the devices that overlap it. */
function slotGroups(pool: Pool, ask: Ask): readonly (readonly Occupant[])[] {
  const { law } = pool;
  const placement = law.kind === "slots" ? placementOf(pool, law, ask.type) : undefined;
  return (placement?.starts ?? []).map((start) =>
    pool.occupants.filter((occupant) =>
      takenSlots(pool, occupant)?.some((slot) => slot >= start && slot < start + (placement?.length ?? 0)),
    ),
  );
}

/** The shortest beginning of a list whose end makes room, without those of it that need not go; as a list of sets. */
function smallestPrefix(
  pool: Pool,
  ask: Ask,
  group: readonly Occupant[],
): readonly (readonly Occupant[])[] | undefined {
  if (!makesRoom(pool, ask, group)) return undefined;
  // Removing more never leaves less room, so the shortest prefix is found by halving.
  let [low, high] = [1, group.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (makesRoom(pool, ask, group.slice(0, middle))) high = middle;
    else low = middle + 1;
  }
  let kept = group.slice(0, high);
  for (const occupant of kept.length > THINNED_MAX ? [] : kept) {
    const fewer = kept.filter((other) => other !== occupant);
    if (makesRoom(pool, ask, fewer)) kept = fewer;
  }
  return [kept];
}

function makesRoom(pool: Pool, ask: Ask, removed: readonly Occupant[]): boolean {
  if (removed.length === 0) return false;
  const gone = new Set(removed);
  const left = withOccupants(
    pool,
    pool.occupants.filter((occupant) => !gone.has(occupant)),
  );
  return findRoom(left, ask).atLeast >= 1;
}

function describe(pool: Pool, ask: Ask, set: readonly Occupant[]): Blockers {
  const occupants = set.map((occupant) => occupant.id);
  const types = [...new Set(set.map((occupant) => occupant.type))].sort();
  const [type] = types;
  const changesSize = pool.law.kind === "one-size" && occupantsOfOtherSize(pool, ask.type).length > 0;
  if (types.length > 1 || type === undefined || changesSize) return { kind: "empty", types, occupants };
  return { kind: "free", count: occupants.length, type, occupants };
}

/** Devices at the parents asked for first, then those of most units, then by id. */
function compareUse(left: Occupant, right: Occupant, ask: Ask): number {
  const place = Number(ask.parents.includes(right.parent)) - Number(ask.parents.includes(left.parent));
  return place || right.count - left.count || compareText(left.id, right.id);
}

function compareSets(left: readonly Occupant[], right: readonly Occupant[], type: string): number {
  const others = (set: readonly Occupant[]): number => set.filter((occupant) => occupant.type !== type).length;
  const names = (set: readonly Occupant[]): string =>
    set.map((occupant) => `${occupant.type} ${occupant.id}`).join("\n");
  return left.length - right.length || others(left) - others(right) || compareText(names(left), names(right));
}

function sortedSet(set: readonly Occupant[]): readonly Occupant[] {
  return [...set].sort((left, right) => compareText(left.id, right.id));
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
