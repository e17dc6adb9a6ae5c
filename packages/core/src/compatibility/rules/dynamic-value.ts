// SPDX-License-Identifier: Apache-2.0

/** Last path segments under which drivers exposed the number of units of one device (section 2.4; D6). */
const AGGREGATION_NAMES: ReadonlySet<string> = new Set(["aggregator", "aggregation", "aggregated_instances"]);

/** Whether an attribute, by the last part of its path, is one of the known names of an aggregation count. */
export function isAggregationName(attribute: string): boolean {
  return AGGREGATION_NAMES.has(attribute.split("/").at(-1) ?? "");
}

/** D7: equal as text after trimming; two integers are compared as integers, so that `0x10` is 16. */
export function hasEqualText(left: string, right: string): boolean {
  const [a, b] = [left.trim(), right.trim()];
  if (a === b) return true;
  const [x, y] = [parseInteger(a), parseInteger(b)];
  return x !== undefined && x === y;
}

/** Whether a text is the count that a device has by itself. */
export function isDefaultCount(text: string): boolean {
  return hasEqualText(text, "1");
}

/** Reads a decimal or `0x` integer exactly, without a bound below 4096 digits; undefined for any other text. */
function parseInteger(text: string): bigint | undefined {
  const match = /^(-?)(0x[0-9a-f]{1,4096}|\d{1,4096})$/i.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] ?? 0);
  return match[1] === "-" ? -magnitude : magnitude;
}
