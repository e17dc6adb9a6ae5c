// SPDX-License-Identifier: Apache-2.0

import type { ClaimBook } from "../claims/claim-book.ts";
import type { ProbeBook } from "../probes/probe-book.ts";
import type { Replica } from "../replica/replica.ts";
import type { Alarm } from "../store/alarm.ts";

/** What the desk asks of a replica. */
export type DeskReplica = Pick<
  Replica,
  | "name"
  | "store"
  | "catalogue"
  | "cursor"
  | "findHost"
  | "findClaim"
  | "findReported"
  | "listAgents"
  | "listClaims"
  | "listProbes"
  | "reached"
  | "onDesired"
  | "isPresent"
>;

/** What an agent desk is made of: the world's clock, chance and timers come with it, so that a fleet can be simulated. */
export interface DeskParts {
  readonly replica: DeskReplica;
  readonly claims: Pick<ClaimBook, "hear" | "raiseFence" | "repairsDrift">;
  readonly probes: Pick<ProbeBook, "hear">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A fresh id, sortable by time of making: of audit entries. */
  readonly newId: () => string;
  /** 32 fresh random bytes as base64url. */
  readonly newSecret: () => string;
  /** SHA-256 of the certificate of the server's authority; absent: no TLS. */
  readonly pin?: string;
  readonly alarm: Alarm;
}

/** Longest wait for the replica to show what was just written, milliseconds; what was written counts all the same. */
const CATCH_UP_MS = 10_000;

/** Waits until the replica shows a revision. Resolves also where that takes too long: whoever decides reads again. */
export async function catchUp(
  { replica, alarm }: Pick<DeskParts, "replica" | "alarm">,
  revision: number,
): Promise<void> {
  if (replica.cursor.revision >= revision) return;
  const patience = new AbortController();
  const cancel = alarm(CATCH_UP_MS, () => patience.abort());
  try {
    await replica.reached(revision, patience.signal);
  } catch (error) {
    if (!patience.signal.aborted) throw error;
  } finally {
    cancel();
  }
}
