// SPDX-License-Identifier: Apache-2.0

import { askOf } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { withOccupants } from "./changes.ts";
import type { Occupant, Pool, Taken, TakeRequest } from "./pool.ts";
import { findRoom } from "./room.ts";
import { explainShort, explainUnknown } from "./short.ts";
import { canSitAt, planSlot, takenSlots } from "./slots-law.ts";
import { freeUnits } from "./units-law.ts";

/**
 * Takes the room of one device, aggregated from `count` units.
 *
 * Taken: the pool afterwards and the occupant with the parent, the slot and the units that were chosen: of several
 * parents the first in order that has room. Short: everything that is missing, by counter name or, for what is no
 * counter, `available_instances`, `devices`, `max_instance`, `max_aggregation`, `slots`, `units`, `parents`, `ids`. Unknown: room cannot be proved.
 * Throws RangeError where the count is not a whole number of at least 1.
 */
export function take(pool: Pool, request: TakeRequest): Taken {
  const ask = askOf(pool, request);
  if (pool.occupants.some((occupant) => occupant.id === request.id)) {
    return { kind: "short", missing: { ids: 1 }, why: `${request.id} is in this pool already` };
  }
  const room = findRoom(pool, ask);
  if (room.atMost < 1) return explainShort(pool, ask);
  const refusal = request.slot === undefined ? undefined : checkSlot(pool, request.type, request.slot);
  if (refusal !== undefined) return refusal;
  const parent = ask.parents.find((candidate) => findRoom(pool, { ...ask, parents: [candidate] }).atLeast >= 1);
  if (parent === undefined) return { kind: "unknown", why: explainUnknown(pool) };
  const occupant = occupantOf(pool, request, { ...ask, parents: [parent] });
  return { kind: "taken", pool: withOccupants(pool, [...pool.occupants, occupant]), occupant };
}

/** The pool without one occupant; undefined where no occupant has that id. Undoes a take. */
export function giveBack(pool: Pool, occupantId: string): Pool | undefined {
  const kept = pool.occupants.filter((occupant) => occupant.id !== occupantId);
  return kept.length === pool.occupants.length ? undefined : withOccupants(pool, kept);
}

/** A slots pool: what stands in the way of one named slot, or undefined. */
function checkSlot(pool: Pool, type: string, slot: number): Taken | undefined {
  const { law } = pool;
  if (law.kind !== "slots") return undefined;
  if (!canSitAt(pool, law, { type, slot })) {
    return { kind: "short", missing: { slots: 1 }, why: `${type} cannot sit at slot ${slot}` };
  }
  return knowsSlots(pool) ? undefined : { kind: "unknown", why: explainUnknown(pool) };
}

/** Whether a slot that looks free is certainly free: every device has its slot, and the host's numbers say the same. */
function knowsSlots(pool: Pool): boolean {
  return (
    pool.disagreement === undefined &&
    pool.uncounted === undefined &&
    pool.occupants.every((occupant) => takenSlots(pool, occupant) !== undefined)
  );
}

function occupantOf(pool: Pool, request: TakeRequest, ask: Ask): Occupant {
  const { law } = pool;
  const planned = law.kind === "slots" && knowsSlots(pool) ? planSlot(pool, law, ask.type) : undefined;
  const slot = request.slot ?? planned;
  const units = ask.units ?? (law.kind === "units" ? freeUnits(pool, law).slice(0, ask.count) : undefined);
  return {
    id: request.id,
    type: ask.type,
    count: ask.count,
    parent: ask.parents[0] ?? "",
    ...(slot === undefined ? {} : { slot }),
    ...(units === undefined ? {} : { units: [...new Set(units)].sort() }),
  };
}
