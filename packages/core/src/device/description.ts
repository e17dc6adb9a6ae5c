// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

const PAIR = /^\s*([A-Za-z_][\w .-]*?)\s*[=:]\s*(.*?)\s*$/;
const MEBIBYTES = /^(\d{1,12})\s*(M|MB|MiB|G|GB|GiB)$/i;

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
 * Reads an amount of memory in MiB: `2048M` (NVIDIA), `64MB` (i915 GVT-g), `2G`. Drivers mean powers of two by M and MB.
 * Throws SyntaxError; a text without a unit is refused.
 */
export function parseMebibytes(text: string): number {
  const match = MEBIBYTES.exec(text);
  if (match === null) {
    throw new SyntaxError(`Cannot parse amount of memory: expected a number with M or G, got ${quoteText(text)}`);
  }
  const amount = Number(match[1]);
  return match[2]?.toUpperCase().startsWith("G") ? amount * 1024 : amount;
}
