// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimReason } from "./claim.ts";
import type { ClaimEvent, ClaimState } from "./claim-state.ts";
import { holdsRoom, TRANSITIONS } from "./transitions.ts";

/** What is known when something happens to a claim. */
export interface EventFacts {
  readonly nowMs: number;
  /** Events of an agent: the fence of the claim as the agent was told it. */
  readonly fence?: number;
  /** `refused`: why the devices could not be made. `attached` while releasing: who uses them. */
  readonly reason?: ClaimReason;
}

/** Why an event is refused. */
export type EventRefusalCode =
  /** A VM uses the devices: give the place back after it has let go of them. */
  | "claim_in_use"
  /** The claim has ended: whoever still speaks of it has an orphan. */
  | "claim_ended"
  /** An agent speaks with another fence than the claim's: it has not seen the latest desired state. */
  | "claim_fence_stale"
  /** The hold has not run out yet. */
  | "claim_not_due"
  /** The event has no place in this state. */
  | "claim_state";

/** The claim afterwards, or why it stays as it is. A message told twice moves a claim to an equal one. */
export type Applied =
  | { readonly kind: "moved"; readonly claim: Claim }
  | { readonly kind: "refused"; readonly code: EventRefusalCode; readonly text: string };

/** Events that only the agent of the claim's host tells. */
const AGENT_EVENTS: ReadonlySet<ClaimEvent> = new Set(["provisioned", "refused", "attached", "detached", "cleared"]);

const HOST_FENCED: ClaimReason = {
  code: "host_fenced",
  text: "an operator declared the host fenced: whatever was left there is dead",
};
const DEVICE_IN_USE: ClaimReason = { code: "device_in_use", text: "a VM uses the devices" };
const NOT_MADE: ClaimReason = { code: "provision_failed", text: "the agent could not make the devices" };

/**
 * What becomes of a claim when something happens to it.
 *
 * Agents' events count only with the claim's own fence: every change of what an agent shall do with a claim that it may
 * have misunderstood gives it a new one. A claim that ended, or that an agent may still act upon, never changes by time.
 */
export function applyEvent(claim: Claim, event: ClaimEvent, facts: EventFacts): Applied {
  if (AGENT_EVENTS.has(event) && facts.fence !== claim.fence) {
    const told = facts.fence === undefined ? "no fence" : `fence ${facts.fence}`;
    return refuse("claim_fence_stale", `claim ${claim.id} has fence ${claim.fence}, and the agent speaks with ${told}`);
  }
  const to = TRANSITIONS[claim.state][event];
  if (to === undefined) return refuseState(claim, event);
  if (event === "expire" && claim.state === "held" && !isDue(claim, facts.nowMs)) {
    return refuse("claim_not_due", `claim ${claim.id} is held until ${claim.expiresAtMs ?? "further notice"}`);
  }
  return { kind: "moved", claim: moveTo(claim, to, { event, facts }) };
}

/** Whether the hold of a claim has run out. Only a claim that is held runs out. */
export function isDue(claim: Claim, nowMs: number): boolean {
  return claim.state === "held" && claim.expiresAtMs !== undefined && claim.expiresAtMs <= nowMs;
}

function moveTo(claim: Claim, to: ClaimState, how: { readonly event: ClaimEvent; readonly facts: EventFacts }): Claim {
  const { expiresAtMs, reason: _, repairsDrift, ...rest } = claim;
  const reason = reasonAfter(claim, to, how);
  const hasEnded = holdsRoom(claim.state) && !holdsRoom(to);
  return {
    ...rest,
    state: to,
    ...(to === "held" && expiresAtMs !== undefined ? { expiresAtMs } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(hasEnded ? { endedAtMs: how.facts.nowMs } : {}),
    ...(repairsDrift === true && to === "bound" && how.event !== "provisioned" ? { repairsDrift } : {}),
  };
}

/** An ended claim keeps its reason; a failing one is given one; a releasing one says what is in the way, while it is. */
function reasonAfter(
  claim: Claim,
  to: ClaimState,
  { event, facts }: { readonly event: ClaimEvent; readonly facts: EventFacts },
): ClaimReason | undefined {
  if (!holdsRoom(claim.state)) return claim.reason;
  if (to === "failed") return event === "fenced" ? HOST_FENCED : (facts.reason ?? NOT_MADE);
  if (to !== "releasing") return undefined;
  if (event === "attached") return facts.reason ?? DEVICE_IN_USE;
  return event === "detached" ? undefined : claim.reason;
}

function refuseState(claim: Claim, event: ClaimEvent): Applied {
  const { id, state } = claim;
  if (!holdsRoom(state)) return refuse("claim_ended", `claim ${id} is ${state}: ${event} comes too late`);
  if (state === "attached" && event === "release") {
    return refuse("claim_in_use", `claim ${id} is attached: a VM on ${claim.host} uses its devices`);
  }
  return refuse("claim_state", `claim ${id} is ${state}: ${event} has no place there`);
}

function refuse(code: EventRefusalCode, text: string): Applied {
  return { kind: "refused", code, text };
}
