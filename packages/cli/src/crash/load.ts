// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ServerLink } from "../connect/server-link.ts";
import { SOURCE, SOURCE_UNITS, sourceDevice } from "./crash-fleet.ts";

/** What clients were told and have to be able to rely on. */
export interface Acknowledged {
  /** Ids of claims that were granted. */
  readonly granted: Set<string>;
  /** Those whose release was acknowledged. */
  readonly released: Set<string>;
  refused: number;
}

/** What a server says that is dead, comes up or cannot reach its store: the request is sent again, with its key. */
const PASSING: ReadonlySet<string> = new Set([
  "server_unreachable",
  "server_answer_malformed",
  "store_unavailable",
  "claim_contended",
  "not_ready",
  "internal",
]);
const PAUSE_MS = 50;
/** Claims that one client holds at most. */
const HELD_MAX = 3;

/** How a client lives. */
export interface ClientParts {
  readonly told: Acknowledged;
  readonly chance: () => number;
  readonly signal: AbortSignal;
}

/** One client that claims and releases until it is told to stop, and takes note of every answer. */
export async function runClient(server: ServerLink, { told, chance, signal }: ClientParts): Promise<void> {
  const held: string[] = [];
  while (!signal.aborted) {
    const isFull = held.length >= HELD_MAX || (held.length > 0 && chance() < 0.4);
    if (isFull) {
      const [id = ""] = held.splice(Math.floor(chance() * held.length), 1);
      if (await insist(() => server.control.releaseClaim(id), signal)) told.released.add(id);
      continue;
    }
    const device = sourceDevice(Math.floor(chance() * SOURCE_UNITS.length));
    const key = randomUUID();
    const body = { for: { host: SOURCE, device }, make: true } as const;
    const answer = await insist(() => server.control.claim(body, { idempotencyKey: key }), signal);
    if (answer?.kind === "granted") {
      told.granted.add(answer.claim.id);
      held.push(answer.claim.id);
    } else if (answer !== undefined) {
      told.refused += 1;
      await sleep(PAUSE_MS);
    }
  }
}

/** Asks until there is an answer; undefined: it was time to stop. Any error that does not pass is thrown. */
export async function insist<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BerthError) || !PASSING.has(error.code)) throw error;
      await sleep(PAUSE_MS);
    }
  }
  return undefined;
}
