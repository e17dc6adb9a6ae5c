// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimReason } from "@berth/core/claim/claim";
import type { AgentClaimEvent, AgentEvent, AgentNotice } from "@berth/core/provision/desired-state";
import { nameErrno } from "../provision/errno-name.ts";
import type { Failure, Outcome } from "../provision/outcome.ts";

/** What there is to say of one claim, in the order in which it is said. */
export interface Said {
  readonly events: readonly AgentEvent[];
  readonly notices: readonly AgentNotice[];
}

export const NOTHING_SAID: Said = { events: [], notices: [] };

/** Says that something happened to a claim. */
export function sayEvent({ id, fence }: Claim, event: AgentClaimEvent, reason?: ClaimReason): AgentEvent {
  return { claim: id, event, fence, ...(reason === undefined ? {} : { reason }) };
}

/** Says only what is in the way of a claim. */
export function sayNotice(claim: string, reason: ClaimReason): Said {
  return { events: [], notices: [{ claim, reason }] };
}

/** Writes a failure of a step as the reason of a claim: with the step, the attribute and the kernel's errno. */
export function explainFailure({ code, text, path, errno, why }: Failure): ClaimReason {
  const at = path === undefined ? "" : ` at ${path}`;
  const how = errno === undefined ? "" : ` (${errno})`;
  return { code, text: `${text} failed${how}${at}: ${why}` };
}

/** What could not be taken back, as the reason that is shown with a claim. */
export function explainStuck(outcome: Extract<Outcome, { readonly kind: "stuck" }>): ClaimReason {
  const stuck = outcome.undos.find((undo) => undo.kind === "stuck");
  const told = explainFailure(stuck?.kind === "stuck" ? stuck.failure : outcome.failure);
  return { code: "undo_stuck", text: `a device cannot be taken back: ${told.text}` };
}

/**
 * What went wrong outside the host's devices: a claim that names impossible places, a state directory that cannot be
 * written. Rethrows what is neither, which is a bug.
 */
export function explainTrouble(error: unknown): ClaimReason {
  if (error instanceof RangeError || error instanceof SyntaxError) {
    return { code: "claim_unfollowable", text: error.message };
  }
  return { code: "state_unwritable", text: `the agent's state directory fails with ${nameErrno(error)}` };
}
