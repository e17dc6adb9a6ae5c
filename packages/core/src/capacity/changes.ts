// SPDX-License-Identifier: Apache-2.0

import type { Occupant, Pool } from "./pool.ts";

/** Units that came or went at one parent since the pool was read. */
export interface Change {
  readonly type: string;
  readonly parent: string;
  readonly units: number;
  /** 1 where a whole device came or went, 0 where an existing one grew or shrank. */
  readonly devices: number;
}

/** How a pool differs from what the host showed. */
export interface Changes {
  readonly added: readonly Change[];
  readonly removed: readonly Change[];
  /** False where the pool was changed and does not say what the host had shown. */
  readonly isKnown: boolean;
}

const NO_CHANGES: Changes = { added: [], removed: [], isKnown: true };

const UNKNOWN_CHANGES: Changes = { ...NO_CHANGES, isKnown: false };

/** Of pools that were asked about: a pool never changes, and each of its types asks for the same. */
const FOUND = new WeakMap<Pool, Changes>();

/** What came and went since the offers of a pool were read, by device id: a device that only grew is not a new one. */
export function changesOf(pool: Pool): Changes {
  if (!pool.changed) return NO_CHANGES;
  if (pool.seen === undefined) return UNKNOWN_CHANGES;
  const found = FOUND.get(pool) ?? findChanges(pool, pool.seen);
  FOUND.set(pool, found);
  return found;
}

function findChanges(pool: Pool, seen: readonly Occupant[]): Changes {
  const before = new Map(seen.map((occupant) => [occupant.id, occupant]));
  const after = new Map(pool.occupants.map((occupant) => [occupant.id, occupant]));
  const added: Change[] = [];
  const removed: Change[] = [];
  for (const occupant of pool.occupants) {
    const was = before.get(occupant.id);
    if (was === undefined || !isSamePlace(was, occupant)) added.push(changeOf(occupant));
    else if (occupant.count > was.count)
      added.push({ ...changeOf(occupant), units: occupant.count - was.count, devices: 0 });
  }
  for (const was of seen) {
    const now = after.get(was.id);
    if (now === undefined || !isSamePlace(was, now)) removed.push(changeOf(was));
    else if (was.count > now.count) removed.push({ ...changeOf(was), units: was.count - now.count, devices: 0 });
  }
  return { added, removed, isKnown: true };
}

/** The pool with other occupants: sorted by id, what the host showed kept, and `changed` told by comparing with it. */
export function withOccupants(pool: Pool, occupants: readonly Occupant[]): Pool {
  if (pool.changed && pool.seen === undefined) return { ...pool, occupants: sortOccupants(occupants) };
  const seen = pool.seen ?? pool.occupants;
  const next: Pool = { ...pool, occupants: sortOccupants(occupants), seen, changed: true };
  const { added, removed } = changesOf(next);
  return added.length > 0 || removed.length > 0 ? next : { ...next, changed: false };
}

/** Occupants in ascending order of their ids. */
export function sortOccupants(occupants: readonly Occupant[]): readonly Occupant[] {
  return [...occupants].sort((left, right) => (left.id < right.id ? -1 : left.id > right.id ? 1 : 0));
}

function isSamePlace(left: Occupant, right: Occupant): boolean {
  return (
    left.type === right.type &&
    left.parent === right.parent &&
    isSameSlot(left, right) &&
    left.uncertain === right.uncertain &&
    left.units?.join() === right.units?.join()
  );
}

/** A slot that is told later was the device's slot all along. */
function isSameSlot(left: Occupant, right: Occupant): boolean {
  return left.slot === undefined || right.slot === undefined || left.slot === right.slot;
}

function changeOf(occupant: Occupant): Change {
  return { type: occupant.type, parent: occupant.parent, units: occupant.count, devices: 1 };
}
