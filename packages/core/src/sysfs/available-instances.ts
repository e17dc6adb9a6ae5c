// SPDX-License-Identifier: Apache-2.0

import { parseLine } from "./attribute-text.ts";
import { parseDecimal } from "./numbers.ts";

/**
 * Reads `available_instances`: how many more devices of a type its parent can create.
 * `-1`, floated on the list for "no limit", is read as Infinity. Throws SyntaxError or RangeError.
 */
export function parseAvailableInstances(raw: string): number {
  if (parseLine(raw, "available_instances") === "-1") return Infinity;
  return parseDecimal(raw, "available_instances");
}

/** Writes `available_instances` with a trailing LF, Infinity as `-1`. Throws RangeError for what is no count. */
export function formatAvailableInstances(count: number): string {
  if (count === Infinity) return "-1\n";
  if (Number.isSafeInteger(count) && count >= 0) return `${count}\n`;
  throw new RangeError(`Cannot write available_instances: expected a count, got ${count}`);
}
