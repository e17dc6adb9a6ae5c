// SPDX-License-Identifier: Apache-2.0

import { quoteText } from "../device/quoted-text.ts";
import type { MigrationFeatures } from "../device/vfio-device.ts";
import { parseAttributeText, parseLine } from "./attribute-text.ts";

/** The words of `migration/state` (kernel: drivers/vfio/debugfs.c). */
export const MIGRATION_STATES = [
  "ERROR",
  "STOP",
  "RUNNING",
  "STOP_COPY",
  "RESUMING",
  "RUNNING_P2P",
  "PRE_COPY",
  "PRE_COPY_P2P",
] as const;

/** State of a device's migration, in the kernel's own word. */
export type MigrationState = (typeof MIGRATION_STATES)[number];

/** The words of `migration/features` that this reader knows. */
const FEATURES = ["stop-copy", "p2p", "pre-copy", "dirty-tracking"] as const;

/**
 * Reads `/sys/kernel/debug/vfio/<device>/migration/features`, one word a line (kernel: drivers/vfio/debugfs.c).
 * Empty text is a driver that declares nothing. A word that is not known is passed over where `stop-copy` is named, so
 * that a newer kernel can be read; without it the text is not taken for a "no". Throws SyntaxError.
 */
export function parseMigrationFeatures(raw: string): MigrationFeatures {
  const text = parseAttributeText(raw);
  const words = text === "" ? [] : text.split("\n");
  const known = new Set<string>(FEATURES);
  const isReadable = words.every(
    (word) => known.has(word) || (words.includes("stop-copy") && /^[a-z0-9-]+$/.test(word)),
  );
  if (!isReadable) {
    throw new SyntaxError(`Cannot parse migration features: expected ${FEATURES.join(", ")}, got ${quoteText(text)}`);
  }
  return {
    stopCopy: words.includes("stop-copy"),
    p2p: words.includes("p2p"),
    preCopy: words.includes("pre-copy"),
    dirtyTracking: words.includes("dirty-tracking"),
  };
}

/**
 * Reads `/sys/kernel/debug/vfio/<device>/migration/state`. Throws SyntaxError, for the kernel's `Invalid` too.
 */
export function parseMigrationState(raw: string): MigrationState {
  const text = parseLine(raw, "migration state");
  const state = MIGRATION_STATES.find((candidate) => candidate === text);
  if (state !== undefined) return state;
  throw new SyntaxError(
    `Cannot parse migration state: expected one of ${MIGRATION_STATES.join(", ")}, got ${quoteText(text)}`,
  );
}
