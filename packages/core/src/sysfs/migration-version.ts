// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import { parseLine } from "./attribute-text.ts";

/**
 * Reads `migration_version` (section 3.1): one line of ASCII, at most 4096 characters, opaque. It is never compared or
 * taken apart: only the driver at the destination may judge it (R8). Throws SyntaxError, for a blank text too.
 */
export function parseMigrationVersion(raw: string): string {
  const version = parseLine(raw, "migration_version");
  if (version.trim() !== "") return version;
  throw new SyntaxError(`Cannot parse migration_version: expected a text, got ${quoteText(version)}`);
}

/** Writes `migration_version` with a trailing LF. Throws SyntaxError for what could not be read back. */
export function formatMigrationVersion(version: string): string {
  const text = `${version}\n`;
  parseMigrationVersion(text);
  return text;
}
