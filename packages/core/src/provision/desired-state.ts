// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimReason } from "../claim/claim.ts";
import type { ClaimEvent } from "../claim/claim-state.ts";

/** The name and version of the format of a host's desired state. */
export const DESIRED_FORMAT = "berth.desired/v1";

/** Where in the life of the store a desired state stands: a revision means something only together with its epoch. */
export interface DesiredCursor {
  readonly epoch: string;
  readonly revision: number;
}

/** One claim as its agent is told of it. */
export interface WantedClaim {
  /** In a state that agents see. */
  readonly claim: Claim;
  /** An operator asked for devices that have drifted to be made anew. */
  readonly repairsDrift?: true;
}

/** A question to the driver of this host: may this state be loaded? The agent writes the string to `migration_version` (R8). */
export interface WantedProbe {
  readonly id: string;
  /** Where the string is written: the attribute of a type on a parent, or of a device that nobody uses. */
  readonly at:
    | { readonly kind: "type"; readonly parent: string; readonly type: string }
    | { readonly kind: "device"; readonly device: string };
  /** The source's string, byte for byte. */
  readonly version: string;
  /** Prefix of the destination's driver: where the type is another driver's now, nothing is written. */
  readonly driverPrefix: string;
}

/** Everything that the control plane wants of one host. Level-triggered: the newest one is all that counts. */
export interface DesiredState {
  readonly desired: typeof DESIRED_FORMAT;
  readonly host: string;
  readonly cursor: DesiredCursor;
  /** Ids of the parents that were handed over with `berth adopt`, sorted: nothing is made elsewhere. */
  readonly adoptedParents: readonly string[];
  /** Sorted by id. */
  readonly claims: readonly WantedClaim[];
  /** Sorted by id. */
  readonly probes: readonly WantedProbe[];
}

/** The events of a claim that an agent tells. */
export type AgentClaimEvent = Extract<ClaimEvent, "provisioned" | "refused" | "attached" | "detached" | "cleared">;

/** What an agent says of one claim; said again until it is answered. */
export interface AgentEvent {
  readonly claim: string;
  readonly event: AgentClaimEvent;
  /** Of the claim as the agent was told it. */
  readonly fence: number;
  readonly reason?: ClaimReason;
}

/** What is in the way of a claim, or of all that a host is to do; shown, and changes no state. */
export interface AgentNotice {
  /** Absent: it is about the host. */
  readonly claim?: string;
  readonly reason: ClaimReason;
  /** `orphan`: the devices that still stand, by UUID or address, sorted. */
  readonly devices?: readonly string[];
}

/** What a driver said to a probe. */
export interface ProbeReply {
  readonly id: string;
  readonly outcome:
    | { readonly kind: "accepted" }
    /** The driver refused the string. */
    | { readonly kind: "refused"; readonly errno: string }
    /** Nothing was asked of the driver, or it gave no answer that counts. */
    | { readonly kind: "not-asked"; readonly reason: ClaimReason };
  /** The destination's own string, as read there; absent where there is none. */
  readonly destinationVersion?: string;
}
