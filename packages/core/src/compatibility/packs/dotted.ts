// SPDX-License-Identifier: Apache-2.0

/** A dotted numeric version such as `550.144.02`, or one integer: its numbers in order. */
export type Dotted = readonly number[];

/** Longest number that is still exact. */
const DIGITS = 15;

/** Reads a dotted numeric version, a decimal integer or a `0x` hexadecimal one; undefined for any other text. */
export function parseDotted(text: string): Dotted | undefined {
  const trimmed = text.trim();
  if (/^0x[0-9a-f]{1,12}$/i.test(trimmed)) return [Number.parseInt(trimmed.slice(2), 16)];
  if (!/^\d+(\.\d+)*$/.test(trimmed)) return undefined;
  const parts = trimmed.split(".");
  return parts.some((part) => part.length > DIGITS) ? undefined : parts.map(Number);
}

/** Reads the numeric head of a kernel release: `6.12.107+deb13-amd64` is 6.12.107; undefined where there is none. */
export function parseKernelRelease(text: string): Dotted | undefined {
  const head = /^\d+(\.\d+)+(?![\d.])/.exec(text.trim());
  return head === null ? undefined : parseDotted(head[0]);
}

/** Compares number by number; a missing number counts as 0, so 6.7 equals 6.7.0. Negative, zero or positive. */
export function compareDotted(left: Dotted, right: Dotted): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a version lies in the half-open range from `atLeast` to `below`, each bound optional. */
export function isWithin(version: Dotted, atLeast: Dotted | undefined, below: Dotted | undefined): boolean {
  if (atLeast !== undefined && compareDotted(version, atLeast) < 0) return false;
  return below === undefined || compareDotted(version, below) < 0;
}
