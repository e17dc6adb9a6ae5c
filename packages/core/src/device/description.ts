// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

const PAIR = /^\s*([A-Za-z_][\w .-]*?)\s*[=:]\s*(.*?)\s*$/;
const MEBIBYTES = /^([0-9]{1,12}) ?([MGT])(?:i?B)?$/;
const MEBIBYTES_PER_UNIT: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 };

/**
 * Reads the `key=value, key=value` or `key: value` lines of a type's `description` into its pairs.
 *
 * The text is free: parts without `=` or `:` are prose and are left out. A key that is given twice with different values
 * says nothing and is left out too. Never throws.
 */
export function parseDescription(raw: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  const contradicted = new Set<string>();
  for (const part of raw.split(/[,\n]/)) {
    const match = PAIR.exec(part);
    if (match === null) continue;
    const [, key = "", value = ""] = match;
    if (pairs.has(key) && pairs.get(key) !== value) contradicted.add(key);
    pairs.set(key, value);
  }
  for (const key of contradicted) pairs.delete(key);
  return pairs;
}

/**
 * Reads an amount of memory in MiB: `2048M` (NVIDIA), `64MB` (i915 GVT-g), `2G`. Drivers mean powers of two with every
 * spelling. Throws SyntaxError, for a number without a unit too, and RangeError for more than can be counted.
 */
export function parseMebibytes(text: string): number {
  const [, digits, unit] = MEBIBYTES.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new SyntaxError(`Cannot parse amount of memory: expected a number and M, G or T, got ${quoteText(text)}`);
  }
  const amount = Number(digits) * (MEBIBYTES_PER_UNIT[unit] ?? Number.NaN);
  if (Number.isSafeInteger(amount)) return amount;
  throw new RangeError(`Cannot parse amount of memory: expected a countable one, got ${quoteText(text)}`);
}
