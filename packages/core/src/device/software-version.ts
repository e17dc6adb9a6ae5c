// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "./quoted-text.ts";

/** Version of a vendor driver's migration stream, `major.minor.bugfix` (seed 002; D10). */
export interface SoftwareVersion {
  readonly major: number;
  readonly minor: number;
  readonly bugfix: number;
}

const VERSION = /^(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?$/;

/**
 * Reads `major.minor` or `major.minor.bugfix`, decimal, no sign, no spaces; a missing bugfix is 0 (section 5.1).
 * Throws SyntaxError that quotes the text.
 */
export function parseSoftwareVersion(text: string): SoftwareVersion {
  const match = VERSION.exec(text);
  if (match === null) {
    throw new SyntaxError(`Cannot parse software_version: expected major.minor.bugfix, got ${quoteText(text)}`);
  }
  return { major: Number(match[1]), minor: Number(match[2]), bugfix: Number(match[3] ?? "0") };
}

/** Writes `major.minor.bugfix`. */
export function formatSoftwareVersion(version: SoftwareVersion): string {
  return `${version.major}.${version.minor}.${version.bugfix}`;
}
