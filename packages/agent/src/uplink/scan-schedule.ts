// SPDX-License-Identifier: Apache-2.0

/** When a host is looked at; times are the agent's clock, in milliseconds. */
export interface ScanTimes {
  /** The next look that happens whatever is heard. */
  readonly rescanAtMs: number;
  /** When the first hint came that no look has followed yet. */
  readonly hintedAtMs?: number;
  /** When the last look ended. */
  readonly scannedAtMs: number;
}

/** Stated rescan period: what sends no event, such as room that another driver takes, is seen after so long. */
export const RESCAN_MS = 30_000;

/** Events come in flocks: a hint waits so long for the rest of its own. */
export const HINT_SETTLE_MS = 200;

/** However many hints come, there is one look in this time. */
export const HINT_GAP_MS = 1_000;

/** When the next look is due. Later hints do not put it off. */
export function scanDueAt({ rescanAtMs, hintedAtMs, scannedAtMs }: ScanTimes): number {
  if (hintedAtMs === undefined) return rescanAtMs;
  return Math.min(rescanAtMs, Math.max(hintedAtMs + HINT_SETTLE_MS, scannedAtMs + HINT_GAP_MS));
}

/** A hint came. */
export function withHint(times: ScanTimes, nowMs: number): ScanTimes {
  return times.hintedAtMs === undefined ? { ...times, hintedAtMs: nowMs } : times;
}

/** The next look that happens anyhow, a tenth earlier or later by chance: hosts do not stay in step. */
export function nextRescanAt(nowMs: number, rescanMs: number, random: () => number): number {
  return nowMs + rescanMs * (0.9 + 0.2 * random());
}
