// SPDX-License-Identifier: Apache-2.0

import { amountHeld, amountOf, findType } from "./ask.ts";
import type { Ask } from "./ask.ts";
import { narrower, room, sumOf, UNKNOWN_ROOM } from "./interval.ts";
import type { Occupant, Pool, PoolLaw, Room } from "./pool.ts";

type CountersLaw = Extract<PoolLaw, { kind: "counters" }>;

/** How many more devices the counters of a pool leave room for: as many as the scarcest one. */
export function countersRoom(pool: Pool, law: CountersLaw, ask: Ask): Room {
  const consumption = findType(pool, ask.type)?.consumption;
  if (consumption === undefined) return UNKNOWN_ROOM;
  let fits: Room = { atLeast: Infinity, atMost: Infinity };
  for (const [counter, amount] of Object.entries(consumption.counters)) {
    if (amount <= 0) continue;
    const free = freeOf(pool, law, counter);
    const each = amount * ask.count;
    fits = narrower(fits, room(Math.floor(free.atLeast / each), Math.floor(free.atMost / each)));
  }
  return fits;
}

/** Every counter that certainly falls short of one device, with how much is missing. */
export function countersMissing(pool: Pool, law: CountersLaw, ask: Ask): ReadonlyMap<string, number> {
  const missing = new Map<string, number>();
  for (const counter of Object.keys(findType(pool, ask.type)?.consumption?.counters ?? {})) {
    const short = (amountOf(pool, ask.type, counter) ?? 0) * ask.count - freeOf(pool, law, counter).atMost;
    if (short > 0) missing.set(counter, short);
  }
  return missing;
}

/** What is free of one counter. A counter without a total in the law is not known at all. */
export function freeOf(pool: Pool, law: CountersLaw, counter: string): Room {
  const total = (Object.hasOwn(law.total, counter) ? law.total[counter] : undefined) ?? UNKNOWN_ROOM;
  const used = usedOf(pool, pool.occupants, counter);
  return room(total.atLeast - used.atMost, total.atMost - used.atLeast);
}

/** What the occupants use of one counter: without an upper end where an occupant's part is not known. */
export function usedOf(pool: Pool, occupants: readonly Occupant[], counter: string): Room {
  const held = occupants.map((occupant) => amountHeld(pool, occupant, counter));
  const atLeast = sumOf(held.map((amount) => amount ?? 0));
  return { atLeast, atMost: held.includes(undefined) ? Infinity : atLeast };
}
