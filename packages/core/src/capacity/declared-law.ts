// SPDX-License-Identifier: Apache-2.0

import { amountOf, findType } from "./ask.ts";
import { ownOf } from "./consumption.ts";
import { usedOf } from "./counters-law.ts";
import { sumOf } from "./interval.ts";
import { FRAMEBUFFER, sizeOf } from "./one-size-law.ts";
import { SLOTS_MAX } from "./slots-law.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Pool, PoolLaw, Room } from "./pool.ts";

/** The law that a pack states, with its numbers from the pack or the readings of the pool; `units` are the host's. */
export function declaredLaw(pool: Pool, statement: PoolStatement, units: readonly string[]): PoolLaw {
  switch (statement.law) {
    case "counters":
      return { kind: "counters", total: counterTotals(pool, statement) };
    case "one-size":
      return oneSizeLaw(pool, statement);
    case "slots": {
      const slots = ownOf(statement.totals, "slots");
      const isUsable = slots !== undefined && Number.isSafeInteger(slots) && slots >= 1 && slots <= SLOTS_MAX;
      return isUsable ? { kind: "slots", slots } : unknownLaw(statement, "placement slots, but not how many there are");
    }
    case "units":
      return units.length > 0
        ? { kind: "units", units }
        : unknownLaw(statement, "named units, but the host shows none");
    case "unbounded":
      return { kind: "unbounded" };
  }
}

/**
 * One size at a time: the total is stated, or it is the largest framebuffer x max_instance of the pool's types. For a GPU instance
 * that product says nothing, since max_instance counts devices of the whole GPU.
 */
function oneSizeLaw(pool: Pool, statement: PoolStatement): PoolLaw {
  const stated = ownOf(statement.totals, FRAMEBUFFER);
  if (stated !== undefined) return { kind: "one-size", totalMib: stated };
  if (pool.owner.kind === "gpu-instance") {
    return unknownLaw(statement, "one framebuffer size at a time, but not how much a GPU instance has");
  }
  const products = pool.types.flatMap(({ type, maxInstances }) => {
    const size = sizeOf(pool, type);
    return size === undefined || maxInstances === undefined ? [] : [size * maxInstances];
  });
  if (products.length === 0)
    return unknownLaw(statement, "one framebuffer size at a time, but no type says framebuffer and max_instance");
  return { kind: "one-size", totalMib: Math.max(...products) };
}

/**
 * Totals of the counters: stated, or what the host's words prove. `available_instances` of n says that n devices fit by
 * every counter, which is a lower end for each, and that n + 1 do not fit by at least one. Which one is known only where
 * all the others surely had room for n + 1; there it is an upper end too.
 */
function counterTotals(pool: Pool, statement: PoolStatement): Readonly<Record<string, Room>> {
  const names = new Set(Object.keys(statement.totals ?? {}));
  for (const { consumption } of pool.types)
    for (const name of Object.keys(consumption?.counters ?? {})) names.add(name);
  const lower = new Map<string, number>();
  for (const name of names) lower.set(name, freeAtLeast(pool, statement, name));
  const totals = [...names].sort().map((name): [string, Room] => {
    const stated = ownOf(statement.totals, name);
    if (stated !== undefined) return [name, { atLeast: stated, atMost: stated }];
    const used = usedOf(pool, pool.occupants, name);
    return [
      name,
      { atLeast: (lower.get(name) ?? 0) + used.atLeast, atMost: freeAtMost(pool, name, lower) + used.atMost },
    ];
  });
  return Object.fromEntries(totals);
}

function freeAtLeast(pool: Pool, statement: PoolStatement, counter: string): number {
  const stated = ownOf(statement.totals, counter);
  if (stated !== undefined) return Math.max(0, stated - usedOf(pool, pool.occupants, counter).atMost);
  const proved = pool.offers.map(({ type, available = 0 }) => finite(available) * (amountOf(pool, type, counter) ?? 0));
  return Math.max(0, ...proved);
}

function freeAtMost(pool: Pool, counter: string, lower: ReadonlyMap<string, number>): number {
  // A parent that holds a number of devices at most may stop at that, whatever the counters have.
  if (pool.perParent !== undefined) return Infinity;
  const ends = pool.offers.flatMap(({ type, available }) => {
    const amounts = Object.entries(findType(pool, type)?.consumption?.counters ?? {});
    const amount = amountOf(pool, type, counter) ?? 0;
    if (available === undefined || amount <= 0 || isAtMaximum(pool, type, available)) return [];
    const isTheOnlyLimit = amounts.every(
      ([name, each]) => name === counter || (lower.get(name) ?? 0) >= (available + 1) * each,
    );
    return isTheOnlyLimit ? [(available + 1) * amount - 1] : [];
  });
  return Math.min(Infinity, ...ends);
}

/** Whether `max_instance` alone explains that no more of a type are offered. */
function isAtMaximum(pool: Pool, type: string, available: number): boolean {
  const most = findType(pool, type)?.maxInstances;
  const same = pool.occupants.filter((occupant) => occupant.type === type);
  return most !== undefined && available + sumOf(same.map((occupant) => occupant.count)) >= most;
}

function finite(available: number): number {
  return Number.isFinite(available) ? available : 0;
}

function unknownLaw(statement: PoolStatement, what: string): PoolLaw {
  return { kind: "unknown", why: `pack ${statement.pack} states ${what}` };
}
