// SPDX-License-Identifier: Apache-2.0

import type { Occupant, Pool, PoolType } from "./pool.ts";

/** What room is asked for: devices of one type, each of `count` aggregated units. */
export interface RoomRequest {
  readonly type: string;
  /** One parent of the pool. Undefined: the whole pool. */
  readonly parent?: string;
  /** Units of each device, 1 where undefined. */
  readonly count?: number;
  /** The named units that one device wants, in a units pool. Undefined: any free ones, as many as `count`. */
  readonly units?: readonly string[];
}

/** A request with its defaults filled in. */
export interface Ask {
  readonly type: string;
  /** Parents of the pool that may take the device; empty where the parent asked for is not one of the pool. */
  readonly parents: readonly string[];
  readonly count: number;
  readonly units?: readonly string[];
  /** `grow`: more units of a device that exists, so limits on the number of devices do not apply. */
  readonly purpose: "create" | "grow";
}

/** Fills in the defaults of a request. Throws RangeError where the count is not a whole number of at least 1. */
export function askOf(pool: Pool, request: RoomRequest): Ask {
  const { type, parent, count = 1, units } = request;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Count out of range: expected a whole number of at least 1, got ${count}`);
  }
  const parents = parent === undefined ? pool.parents : pool.parents.filter((candidate) => candidate === parent);
  return { type, parents, count, purpose: "create", ...(units === undefined ? {} : { units }) };
}

/** What a pool says about one of its types. */
export function findType(pool: Pool, type: string): PoolType | undefined {
  return pool.types.find((candidate) => candidate.type === type);
}

/**
 * How much of one counter a single unit of a type takes; undefined where what the type takes is not known. A type whose
 * consumption is known takes none of a counter that it does not name.
 */
export function amountOf(pool: Pool, type: string, counter: string): number | undefined {
  const counters = findType(pool, type)?.consumption?.counters;
  if (counters === undefined) return undefined;
  return Object.hasOwn(counters, counter) ? counters[counter] : 0;
}

/** How much of one counter an occupant takes with all its units; undefined where that is not known. */
export function amountHeld(pool: Pool, occupant: Occupant, counter: string): number | undefined {
  const amount = occupant.uncertain === undefined ? amountOf(pool, occupant.type, counter) : undefined;
  return amount === undefined ? undefined : amount * occupant.count;
}
