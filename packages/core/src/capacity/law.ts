// SPDX-License-Identifier: Apache-2.0

import { findType } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { countersRoom } from "./counters-law.ts";
import { narrower, sumOf, UNKNOWN_ROOM } from "./interval.ts";
import { oneSizeRoom } from "./one-size-law.ts";
import type { Pool, Room } from "./pool.ts";
import { slotsRoom } from "./slots-law.ts";
import { unitsRoom } from "./units-law.ts";

/** How many more devices the pool's budget allows by its law alone, whatever the host said and whichever parent takes them. */
export function lawRoom(pool: Pool, ask: Ask): Room {
  return narrower(budgetRoom(pool, ask), { atLeast: Infinity, atMost: instancesLeft(pool, ask) });
}

/**
 * How many more devices the driver's own `max_instance` of the type allows; Infinity where it names none. Where one size
 * rules a pool, all its devices count against it: types of one size share the same places. With an unknown owner
 * the pool may span several physical devices, and the number says nothing.
 */
export function instancesLeft(pool: Pool, ask: Ask): number {
  const most = findType(pool, ask.type)?.maxInstances;
  if (most === undefined || pool.owner.kind === "unknown") return Infinity;
  const counted = pool.occupants.filter((occupant) => pool.law.kind === "one-size" || occupant.type === ask.type);
  return Math.max(0, Math.floor((most - sumOf(counted.map((occupant) => occupant.count))) / ask.count));
}

/** How many more devices one parent can hold whatever the pool says; Infinity where only the pool limits. */
export function devicesLeft(pool: Pool, parent: string, ask: Ask): number {
  if (pool.perParent === undefined || ask.purpose === "grow" || isPhysicalFunction(pool, parent)) return Infinity;
  return Math.max(0, pool.perParent - pool.occupants.filter((occupant) => occupant.parent === parent).length);
}

/** Whether a parent is the physical function that owns the pool. */
function isPhysicalFunction({ owner }: Pool, parent: string): boolean {
  return (owner.kind === "physical-function" || owner.kind === "gpu-instance") && owner.id === parent;
}

function budgetRoom(pool: Pool, ask: Ask): Room {
  const { law } = pool;
  switch (law.kind) {
    case "counters":
      return countersRoom(pool, law, ask);
    case "one-size":
      return oneSizeRoom(pool, law, ask);
    case "slots":
      return slotsRoom(pool, law, ask);
    case "units":
      return unitsRoom(pool, law, ask);
    case "unbounded":
      return { atLeast: Infinity, atMost: Infinity };
    case "unknown":
      return UNKNOWN_ROOM;
  }
}
