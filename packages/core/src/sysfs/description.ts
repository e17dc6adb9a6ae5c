// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseAttributeText } from "./attribute-text.ts";

const PAIR = /^([^=:]*[^=:\s])\s*[=:]\s*(.*)$/s;
const MEBIBYTES = /^([0-9]{1,12}) ?([MGT])(?:i?B)?$/;
const MEBIBYTES_PER_UNIT: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 * 1024 };

/**
 * Reads the pairs of a type's `description`: NVIDIA's `num_heads=4, framebuffer=2048M` and the lines of GVT-g,
 * `low_gm_size: 64MB`. Keys are as written. A description is free text: parts without `=` or `:` hold no pair and are
 * left out. Throws SyntaxError where one key has two values.
 */
export function parseDescription(raw: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of parseAttributeText(raw).split(/[,\n]/)) {
    const [, key, value] = PAIR.exec(part.trim()) ?? [];
    if (key === undefined || value === undefined) continue;
    if ((pairs.get(key) ?? value) !== value) {
      throw new SyntaxError(`Cannot parse description: expected one value of ${quoteText(key)}, got ${quoteText(raw)}`);
    }
    pairs.set(key, value);
  }
  return pairs;
}

/**
 * Reads a size with its unit, such as `2048M`, `64MB`, `1G`, in MiB. Drivers mean powers of two with every spelling.
 * Throws SyntaxError, for a number without a unit too.
 */
export function parseMebibytes(text: string): number {
  const [, digits, unit] = MEBIBYTES.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new SyntaxError(`Cannot parse size: expected a number and M, G or T, got ${quoteText(text)}`);
  }
  const size = Number(digits) * (MEBIBYTES_PER_UNIT[unit] ?? Number.NaN);
  if (Number.isSafeInteger(size)) return size;
  throw new RangeError(`Cannot parse size: expected at most ${Number.MAX_SAFE_INTEGER} MiB, got ${quoteText(text)}`);
}
