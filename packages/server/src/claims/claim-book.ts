// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import type { ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody, CommitBody } from "@berth/core/protocol/api/control-requests";
import type { AgentEvent } from "@berth/core/provision/desired-state";
import type { EventAnswer } from "@berth/core/protocol/agent/agent-wire";
import type { Replica, Held } from "../replica/replica.ts";
import type { Orphans } from "./clear-orphan.ts";

/** What a claim book needs besides what it decides on: the world's clock and chance, so that a fleet can be simulated. */
export interface ClaimBookParts {
  readonly replica: Replica;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A fresh id, sortable by time of making: of claims and of audit entries. */
  readonly newId: () => string;
  /** A fresh random UUID, lower case. */
  readonly newUuid: () => string;
}

/** Who orders something, and under which key it may be said again. */
export interface Caller {
  /** As the audit names them. */
  readonly principal: string;
  /** The request's idempotency key with a digest of the request. */
  readonly idempotency?: { readonly key: string; readonly request: string };
}

/**
 * Claims: made, moved by what happens to them, and ended, each in one transaction that compares what was decided on.
 * Every method resolves when what it says is durable and this replica's view shows it.
 */
export interface ClaimBook {
  /**
   * Holds a place: on the host that is named, or on the best candidate that grants it. Decided again on fresh data as
   * often as it was stale. Throws BerthError: unknown_host, unknown_device, unknown_vm, vm_without_devices,
   * idempotency_mismatch, ledger_full, claim_contended, store_*.
   */
  claim(body: ClaimBody, caller: Caller): Promise<ClaimDecisionAnswer>;
  /** Has the devices of a held claim made. Throws BerthError: unknown_claim, claim_ended, claim_state. */
  confirm(id: string, caller: Caller): Promise<Held<Claim>>;
  /** Gives a place back. Throws BerthError: unknown_claim, claim_in_use. A claim that has ended stays as it is. */
  release(id: string, caller: Caller): Promise<Held<Claim>>;
  /**
   * Commits a move that has ended well: the claim becomes the VM's own place, and the place that it left is given back, in
   * one transaction. Throws BerthError: unknown_claim, swap_state, swap_mismatch.
   */
  commit(id: string, body: CommitBody, caller: Caller): Promise<Held<Claim>>;
  /**
   * Has devices taken away that the host's agent made for a claim which no longer holds them. Throws BerthError:
   * claim_state, unknown_device.
   */
  clearOrphans(orphans: Orphans, caller: Caller): Promise<Held<Claim>>;
  /** Has devices that have drifted made anew. Throws BerthError: unknown_claim, claim_state. */
  repair(id: string, caller: Caller): Promise<Held<Claim>>;
  /** Ends every claim of a host that an operator declares dead; answers their ids, sorted. */
  fence(host: string, caller: Caller): Promise<readonly string[]>;
  /** Takes in what the agent of a host says of its claims, each by itself, in their order. */
  hear(host: string, events: readonly AgentEvent[]): Promise<readonly EventAnswer[]>;
  /** Raises the fence of a host's ledger to at least this: its agent has admitted it. */
  raiseFence(host: string, fence: number): Promise<void>;
  /** Ends claims whose hold has run out; `guard` is compared in each transaction. Answers how many. */
  expire(guard: { readonly key: string; readonly revision: number } | undefined): Promise<number>;
  /** Claims of a host that its agent is to repair though they drifted. */
  repairsDrift(id: string): boolean;
}
