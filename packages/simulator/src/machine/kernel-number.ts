// SPDX-License-Identifier: Apache-2.0

/** A number as the kernel reads it, or the errno it answers. */
export type KernelNumber = bigint | "EINVAL" | "ERANGE";

/**
 * Reads an unsigned number as kstrtoul() with base 0 does (lib/kstrtox.c): `10`, `0x0a` and the octal `012`, one leading
 * plus, one trailing newline, nothing else around it. The text ends at a NUL, as C strings do.
 */
export function parseKernelUnsigned(text: string, bits: 32 | 64): KernelNumber {
  const end = text.indexOf("\0");
  const string = (end < 0 ? text : text.slice(0, end)).replace(/^\+/, "");
  const match = /^(?:0x(?<hex>[0-9a-f]+)|(?<octal>0[0-7]*)|(?<decimal>[1-9][0-9]*))(?<rest>[^]*)$/i.exec(string);
  if (match === null) return "EINVAL";
  const { hex, octal, decimal, rest } = match.groups ?? {};
  const value =
    hex !== undefined ? BigInt(`0x${hex}`) : octal !== undefined ? BigInt(`0o${octal}`) : BigInt(decimal ?? 0);
  if (value >= 1n << BigInt(bits)) return "ERANGE";
  return rest === "" || rest === "\n" ? value : "EINVAL";
}
