// SPDX-License-Identifier: Apache-2.0

import type { Ask } from "./ask.ts";
import { room } from "./interval.ts";
import type { Pool, PoolLaw, Room } from "./pool.ts";

type UnitsLaw = Extract<PoolLaw, { kind: "units" }>;

/**
 * How many more devices the free units allow (vfio-ap APQNs, vfio-ccw subchannels). Units have an identity: asked for by
 * name, all of them are free and one device fits, or none does; a device that asks for none is limited by none. An occupant whose units are not known leaves only an
 * upper end.
 */
export function unitsRoom(pool: Pool, law: UnitsLaw, ask: Ask): Room {
  const free = freeUnits(pool, law);
  if (ask.units?.length === 0) return { atLeast: Infinity, atMost: Infinity };
  const fits =
    ask.units === undefined ? Math.floor(free.length / ask.count) : unitsMissing(pool, law, ask).length === 0 ? 1 : 0;
  const isCertain = pool.occupants.every((occupant) => occupant.units !== undefined);
  return room(isCertain ? fits : 0, fits);
}

/** The units that one device asks for by name and cannot have: held by another device, or not of this pool. Sorted. */
export function unitsMissing(pool: Pool, law: UnitsLaw, ask: Ask): readonly string[] {
  const free = new Set(freeUnits(pool, law));
  return [...new Set(ask.units ?? [])].filter((unit) => !free.has(unit)).sort();
}

/** The units that no occupant is known to hold, sorted. */
export function freeUnits(pool: Pool, law: UnitsLaw): readonly string[] {
  const held = new Set(pool.occupants.flatMap((occupant) => occupant.units ?? []));
  return [...new Set(law.units)].filter((unit) => !held.has(unit)).sort();
}
