// SPDX-License-Identifier: Apache-2.0

import { parseDescription, parseMebibytes } from "../device/description.ts";
import { valueOf } from "../device/evidence.ts";
import type { MdevType } from "../device/mdev-type.ts";
import { FRAMEBUFFER } from "./one-size-law.ts";
import type { PoolStatement } from "./pool-statement.ts";
import type { Consumption, PoolType } from "./pool.ts";

/** What a parent and a pack together say about one type. */
export function poolTypeOf(type: MdevType, statement: PoolStatement | undefined): PoolType {
  const pairs = parseDescription(valueOf(type.description) ?? "");
  const consumption = consumptionOf(type.id, statement, pairs);
  const maxInstances = amountIn(pairs.get("max_instance"));
  return {
    type: type.id,
    ...(consumption === undefined ? {} : { consumption }),
    ...(maxInstances === undefined || maxInstances < 1 ? {} : { maxInstances }),
  };
}

/**
 * What one unit of a type takes: by the pack where it names the type, else out of the type's description by the keys that
 * the pack names; without a pack the `framebuffer` of the description. Undefined where a named counter is not found: a part
 * of what a device takes proves nothing.
 */
export function consumptionOf(
  type: string,
  statement: PoolStatement | undefined,
  pairs: ReadonlyMap<string, string>,
): Consumption | undefined {
  switch (statement?.law) {
    case "unbounded":
    case "units":
      return { counters: {} };
    case "slots": {
      const slots = ownOf(statement.placements, type);
      return slots === undefined ? undefined : { counters: {}, slots };
    }
    default:
      return countersOf(type, statement, pairs);
  }
}

/** The key of the description that holds the framebuffer size. */
export function framebufferKey(statement: PoolStatement | undefined): string {
  return ownOf(statement?.describedBy, FRAMEBUFFER) ?? FRAMEBUFFER;
}

function countersOf(
  type: string,
  statement: PoolStatement | undefined,
  pairs: ReadonlyMap<string, string>,
): Consumption | undefined {
  const stated = ownOf(statement?.consumption, type);
  if (stated !== undefined) return Object.values(stated).every(isAmount) ? { counters: stated } : undefined;
  const isCounters = statement?.law === "counters";
  const keys = isCounters
    ? Object.entries(statement.describedBy ?? {})
    : [[FRAMEBUFFER, framebufferKey(statement)] as const];
  if (keys.length === 0) return undefined;
  const amounts: [string, number][] = [];
  for (const [counter, key] of keys) {
    const amount = amountIn(pairs.get(key));
    if (amount === undefined) return undefined;
    amounts.push([counter, amount]);
  }
  return { counters: Object.fromEntries(amounts) };
}

/** An amount in a description: a plain number (GVT's `fence: 4`) or memory, in MiB. Undefined where it is neither. */
function amountIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  try {
    return parseMebibytes(text);
  } catch {
    // A description is free text: what is no amount says nothing, and the type's consumption stays unknown.
    return undefined;
  }
}

function isAmount(amount: number): boolean {
  return Number.isSafeInteger(amount) && amount >= 0;
}

/** The own property of a record by a name of foreign origin. */
export function ownOf<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
