// SPDX-License-Identifier: Apache-2.0

import type { FailureKind } from "./server-failure.ts";

/** Where an agent stands among its servers. */
export interface ServerRound {
  /** The server to turn to. */
  readonly at: number;
  /** Failures in a row. */
  readonly failures: number;
  /** How long to wait before. */
  readonly delayMs: number;
}

/** The servers there are, and chance, a number from 0 to below 1. */
export interface RoundOptions {
  readonly servers: number;
  readonly random: () => number;
}

/** Longest pause between two tries. */
export const RETRY_MAX_MS = 30_000;

/** Pause of an agent that was told that it is not welcome. */
export const UNWELCOME_RETRY_MS = 60_000;

/** A session in which a report was taken has forgiven what failed before it, and so has one that lasted so long. */
export const STEADY_MS = 30_000;

const RETRY_FIRST_MS = 500;

/** The first turn. */
export const FIRST_ROUND: ServerRound = { at: 0, failures: 0, delayMs: 0 };

/**
 * Where to turn after a failure. Every server is tried once without a pause; then the pauses grow up to 30 s, each cut by
 * chance to no less than half, so that ten thousand agents do not come back in step. Who is unwelcome comes back after
 * about 60 s.
 */
export function planRetry(round: ServerRound, kind: FailureKind, { servers, random }: RoundOptions): ServerRound {
  const part = 0.5 + random() / 2;
  const next = (round.at + 1) % servers;
  const failures = round.failures + 1;
  if (kind === "unwelcome") return { at: next, failures, delayMs: UNWELCOME_RETRY_MS * part };
  const free = kind === "rejoin" ? 1 : servers - 1;
  const doublings = Math.min(failures - free - 1, 16);
  const pause = failures <= free ? 0 : Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** doublings);
  return { at: kind === "rejoin" ? round.at : next, failures, delayMs: pause * part };
}
