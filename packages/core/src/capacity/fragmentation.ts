// SPDX-License-Identifier: Apache-2.0

import { amountHeld, askOf } from "./ask.ts";
import { sumOf } from "./interval.ts";
import { lawRoom } from "./law.ts";
import { FRAMEBUFFER, sizeOf } from "./one-size-law.ts";
import type { Pool, PoolLaw } from "./pool.ts";
import { freeSlots, placementOf, takenSlots } from "./slots-law.ts";

/** A type that would fit by amount and does not fit by place. */
export interface BlockedType {
  readonly type: string;
  readonly size: number;
  /** How many more would fit if only the free amount decided; never more than the empty pool holds. */
  readonly byAmount: number;
  /** How many more do fit. */
  readonly fits: number;
}

/** What is free in a pool and cannot be used, in MiB or in placement slots. */
export type Fragmentation =
  | {
      readonly kind: "measured";
      readonly unit: "MiB" | "slots";
      readonly freeTotal: number;
      /** The largest type that still fits; undefined where none does. Of equals the first by id. */
      readonly largestType?: { readonly type: string; readonly size: number };
      /** Free amount that no device of any type, nor any mix of them, could use now. */
      readonly stranded: number;
      /** Sorted by type id. */
      readonly blocked: readonly BlockedType[];
    }
  /** Fragmentation has no meaning under this law, or the places of some devices are not known. */
  | { readonly kind: "not-measured"; readonly why: string };

interface Sized {
  readonly type: string;
  readonly size: number;
  readonly byAmount: number;
  readonly fits: number;
}

/** Finds what a pool has free that cannot be used because of where, or of what size, its devices are. */
export function findFragmentation(pool: Pool): Fragmentation {
  const { law } = pool;
  if (pool.uncounted !== undefined) return { kind: "not-measured", why: pool.uncounted };
  if (law.kind === "one-size") return measureOneSize(pool, law);
  if (law.kind === "slots") return measureSlots(pool, law);
  if (law.kind === "unknown") return { kind: "not-measured", why: law.why };
  return { kind: "not-measured", why: `a pool with the law ${law.kind} cannot be fragmented` };
}

function measureOneSize(pool: Pool, law: Extract<PoolLaw, { kind: "one-size" }>): Fragmentation {
  const held = pool.occupants.map((occupant) => amountHeld(pool, occupant, FRAMEBUFFER));
  if (held.includes(undefined)) return { kind: "not-measured", why: "the size of a device in the pool is not known" };
  const freeTotal = Math.max(0, law.totalMib - sumOf(held.map((amount) => amount ?? 0)));
  const sized = sizeTypes(pool, freeTotal, (type) => sizeOf(pool, type));
  const usable = Math.max(0, ...sized.map(({ fits, size }) => fits * size));
  return measured(sized, { unit: "MiB", freeTotal, stranded: freeTotal - usable });
}

function measureSlots(pool: Pool, law: Extract<PoolLaw, { kind: "slots" }>): Fragmentation {
  if (pool.occupants.some((occupant) => takenSlots(pool, occupant) === undefined)) {
    return { kind: "not-measured", why: "the slot of a device in the pool is not known" };
  }
  const free = freeSlots(pool, law);
  const freeTotal = free.filter(Boolean).length;
  const sized = sizeTypes(pool, freeTotal, (type) => placementOf(pool, law, type)?.length);
  return measured(sized, { unit: "slots", freeTotal, stranded: freeTotal - coverable(pool, law, free) });
}

/** The most free slots that any mix of devices could cover, side by side. */
function coverable(pool: Pool, law: Extract<PoolLaw, { kind: "slots" }>, free: readonly boolean[]): number {
  const placements = pool.types.flatMap(({ type }) => placementOf(pool, law, type) ?? []);
  // best[end]: the most slots covered below `end`.
  const best = [0];
  for (let end = 1; end <= free.length; end += 1) {
    let most = best[end - 1] ?? 0;
    for (const { length, starts } of placements) {
      const start = end - length;
      if (!starts.includes(start) || free.slice(start, end).includes(false)) continue;
      most = Math.max(most, (best[start] ?? 0) + length);
    }
    best.push(most);
  }
  return best[free.length] ?? 0;
}

function sizeTypes(pool: Pool, freeTotal: number, sizeFor: (type: string) => number | undefined): readonly Sized[] {
  return pool.types.flatMap(({ type, maxInstances = Infinity }) => {
    const size = sizeFor(type);
    if (size === undefined) return [];
    const same = sumOf(pool.occupants.filter((occupant) => occupant.type === type).map((occupant) => occupant.count));
    const whenEmpty = lawRoom({ ...pool, occupants: [] }, askOf(pool, { type })).atMost;
    const byAmount = Math.max(0, Math.min(Math.floor(freeTotal / size), maxInstances - same, whenEmpty));
    return [{ type, size, byAmount, fits: lawRoom(pool, askOf(pool, { type })).atMost }];
  });
}

function measured(
  sized: readonly Sized[],
  amounts: { readonly unit: "MiB" | "slots"; readonly freeTotal: number; readonly stranded: number },
): Fragmentation {
  const fitting = sized.filter(({ fits }) => fits > 0);
  const largest = fitting.reduce<Sized | undefined>(
    (most, next) => (most === undefined || next.size > most.size ? next : most),
    undefined,
  );
  const blocked = sized.filter(({ fits, byAmount }) => fits < byAmount);
  return {
    kind: "measured",
    ...amounts,
    ...(largest === undefined ? {} : { largestType: { type: largest.type, size: largest.size } }),
    blocked,
  };
}
