// SPDX-License-Identifier: Apache-2.0

import type { ClaimEvent, ClaimState } from "./claim-state.ts";

/** Where each event leads from each state; undefined: the event is refused there. */
export type Transitions = Readonly<Record<ClaimState, Readonly<Record<ClaimEvent, ClaimState | undefined>>>>;

/**
 * The life of a claim, whole: every state with every event. A cell that names its own row is a message told twice, or
 * news that changes nothing: agents repeat themselves until they are answered.
 *
 * Only `held` expires: no agent has seen it. From `provisioning` on a host may hold the devices, and nothing but the
 * agent's word that nothing is left (`refused`, `cleared`) or an operator's that the host is dead (`fenced`) ends it.
 */
export const TRANSITIONS: Transitions = {
  held: {
    confirm: "provisioning",
    expire: "expired",
    provisioned: undefined,
    refused: undefined,
    attached: undefined,
    detached: undefined,
    release: "released",
    cleared: undefined,
    fenced: "failed",
  },
  provisioning: {
    confirm: "provisioning",
    expire: undefined,
    provisioned: "bound",
    refused: "failed",
    attached: undefined,
    detached: undefined,
    release: "releasing",
    cleared: undefined,
    fenced: "failed",
  },
  // A reboot takes the devices away, and the agent may fail to make them again: `refused` ends a bound claim too.
  bound: {
    confirm: "bound",
    expire: undefined,
    provisioned: "bound",
    refused: "failed",
    attached: "attached",
    detached: "bound",
    release: "releasing",
    cleared: undefined,
    fenced: "failed",
  },
  attached: {
    confirm: "attached",
    expire: undefined,
    provisioned: "attached",
    refused: undefined,
    attached: "attached",
    detached: "bound",
    release: undefined,
    cleared: undefined,
    fenced: "failed",
  },
  // An agent that could not make the devices has proved that nothing is left, whoever gave the place back meanwhile.
  releasing: {
    confirm: undefined,
    expire: undefined,
    provisioned: "releasing",
    refused: "released",
    attached: "releasing",
    detached: "releasing",
    release: "releasing",
    cleared: "released",
    fenced: "released",
  },
  released: {
    confirm: undefined,
    expire: undefined,
    provisioned: undefined,
    refused: "released",
    attached: undefined,
    detached: undefined,
    release: "released",
    cleared: "released",
    fenced: "released",
  },
  failed: {
    confirm: undefined,
    expire: undefined,
    provisioned: undefined,
    refused: "failed",
    attached: undefined,
    detached: undefined,
    release: "failed",
    cleared: "failed",
    fenced: "failed",
  },
  expired: {
    confirm: undefined,
    expire: "expired",
    provisioned: undefined,
    refused: undefined,
    attached: undefined,
    detached: undefined,
    release: "expired",
    cleared: undefined,
    fenced: "expired",
  },
};

/** What a state means for others. */
interface Standing {
  readonly holdsRoom: boolean;
  readonly isSeenByAgents: boolean;
}

const HIDDEN: Standing = { holdsRoom: true, isSeenByAgents: false };
const SEEN: Standing = { holdsRoom: true, isSeenByAgents: true };
const ENDED: Standing = { holdsRoom: false, isSeenByAgents: false };

const STANDINGS: Readonly<Record<ClaimState, Standing>> = {
  held: HIDDEN,
  provisioning: SEEN,
  bound: SEEN,
  attached: SEEN,
  releasing: SEEN,
  released: ENDED,
  failed: ENDED,
  expired: ENDED,
};

/** Whether a claim in this state stands in its host's ledger. */
export function holdsRoom(state: ClaimState): boolean {
  return STANDINGS[state].holdsRoom;
}

/** Whether the desired state that agents follow names claims in this state. A claim that ended is gone from it. */
export function isSeenByAgents(state: ClaimState): boolean {
  return STANDINGS[state].isSeenByAgents;
}
