// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseLine, stripNewline } from "./attribute-text.ts";

const DECIMAL = /^(?:0|[1-9][0-9]*)$/;
const KERNEL_UINT = /^\+?(?:0x([0-9a-f]+)|0([0-7]*)|([1-9][0-9]*))$/i;
const UINT_MAX = 0xffff_ffff;

/**
 * Reads a non-negative decimal number as the kernel prints it with `%u`: no sign, no space, no leading zero.
 * Throws SyntaxError, and RangeError above 2^53 - 1.
 */
export function parseDecimal(raw: string, name: string): number {
  const text = parseLine(raw, name);
  if (!DECIMAL.test(text)) {
    throw new SyntaxError(`Cannot parse ${name}: expected a decimal number, got ${quoteText(text)}`);
  }
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`Cannot parse ${name}: expected at most ${Number.MAX_SAFE_INTEGER}, got ${quoteText(text)}`);
}

/**
 * Reads a 32-bit number as a driver's `kstrtouint(.., 0, ..)` does (kernel: lib/kstrtox.c): an optional `+`, then `0x`
 * and hexadecimal digits, `0` and octal digits, or decimal digits; no space. `012` is ten.
 * Throws SyntaxError (the kernel's EINVAL), and RangeError above 2^32 - 1 (its ERANGE).
 */
export function parseKernelUint(raw: string, name: string): number {
  const text = parseLine(raw, name);
  const match = KERNEL_UINT.exec(text);
  if (match === null) {
    throw new SyntaxError(
      `Cannot parse ${name}: expected a number, 0x for hexadecimal or 0 for octal, got ${quoteText(text)}`,
    );
  }
  const [, hex, octal, decimal] = match;
  const value = Number(decimal ?? (hex === undefined ? `0o0${octal}` : `0x${hex}`));
  if (value <= UINT_MAX) return value;
  throw new RangeError(`Cannot parse ${name}: expected at most ${UINT_MAX}, got ${quoteText(text)}`);
}

/**
 * Reads `numa_node`: the node's number; undefined for `-1`, which says that the device has none.
 * Throws SyntaxError or RangeError.
 */
export function parseNumaNode(raw: string): number | undefined {
  return parseLine(raw, "numa_node") === "-1" ? undefined : parseDecimal(raw, "numa_node");
}

/** Writes a 32-bit number in decimal with a trailing LF. Throws RangeError for anything else. */
export function formatKernelUint(value: number): string {
  if (Number.isInteger(value) && value >= 0 && value <= UINT_MAX) return `${value}\n`;
  throw new RangeError(`Cannot write number: expected an integer from 0 to ${UINT_MAX}, got ${value}`);
}

/**
 * Reads a hexadecimal id of exactly `digits` digits, with or without `0x`, such as `0x10de`; the answer is lower case
 * without `0x`. Throws SyntaxError.
 */
export function parseHexId(raw: string, digits: number, name: string): string {
  const text = stripNewline(raw);
  const id = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text)?.[1];
  if (id !== undefined && id.length === digits) return id.toLowerCase();
  throw new SyntaxError(`Cannot parse ${name}: expected ${digits} hexadecimal digits, got ${quoteText(text)}`);
}
