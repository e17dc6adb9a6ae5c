// SPDX-License-Identifier: Apache-2.0

import type { Occupant } from "../capacity/pool.ts";
import type { ClaimValue, Confidence, PackUse, RuleId } from "../compatibility/verdict.ts";
import type { ClaimState } from "./claim-state.ts";

/** Who a claim is for. */
export type Claimant =
  | { readonly kind: "device"; readonly host: string; readonly device: string }
  | { readonly kind: "vm"; readonly host: string; readonly vm: string }
  /** A bare profile: no device that exists, and no host that it would come from. */
  | { readonly kind: "profile" };

/** The very device that is claimed: identity, never a count. */
export type ClaimedIdentity =
  /** A device to be made under a UUID that Berth chose. */
  | { readonly kind: "mdev"; readonly uuid: string }
  /** A virtual function that is given a type in the vendor VFIO framework. */
  | { readonly kind: "vendor-vfio"; readonly address: string; readonly slot?: number }
  /** A function as it is. */
  | { readonly kind: "function"; readonly address: string };

/** One device of a claim. */
export interface ClaimedDevice {
  /** The device that is to move here; absent for a bare profile. */
  readonly source?: string;
  readonly identity: ClaimedIdentity;
  readonly parent: string;
  readonly type: string;
  /** Aggregated units, 1 unless aggregated. */
  readonly count: number;
  /** Values to be set after creation, in order, read back and compared (R6, R7; D20). */
  readonly values: readonly ClaimValue[];
  /** Which of `values` sets the number of units; absent where none does. */
  readonly countAttribute?: string;
  /** Named units: APQNs of a vfio-ap matrix. */
  readonly units?: readonly string[];
  /** What takes the room in the pool: by the same id in ledger and inventory. */
  readonly occupant: Occupant;
  /** What must still be true when the agent creates the device; it refuses otherwise. */
  readonly fingerprint: Fingerprint;
  /** A device that Berth did not make: the source of a move that was committed, to be removed once nobody uses it. */
  readonly vacated?: true;
}

/** What a claim was decided on. */
export interface Fingerprint {
  /** Build of the vendor driver as `describeBuild` writes it; absent where it was not known. */
  readonly build?: string;
  readonly deviceApi: string;
  readonly softwareVersion?: string;
}

/** Why a claim ended as it did, or what is in its way. */
export interface ClaimReason {
  /** Stable, snake case. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly text: string;
}

/** What a claim takes on trust: a yes that no driver declares and no probe proves. */
export interface ClaimAssumption {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
  readonly confidence: Confidence;
}

/** A hold on a place of one host, for all devices of its claimant or none. */
export interface Claim {
  readonly id: string;
  readonly state: ClaimState;
  readonly claimant: Claimant;
  /** The destination. */
  readonly host: string;
  readonly devices: readonly [ClaimedDevice, ...ClaimedDevice[]];
  /** Grows with every claim of the host: an agent refuses what is older than it has seen. */
  readonly fence: number;
  /** Who made it, as the audit names them. */
  readonly principal: string;
  readonly createdAtMs: number;
  /** While `held`: when it expires. */
  readonly expiresAtMs?: number;
  /** Why it is `failed`, or what is in the way while `releasing`. */
  readonly reason?: ClaimReason;
  /** When it became `released`, `failed` or `expired`. */
  readonly endedAtMs?: number;
  /** What it was granted on trust, such as a platform that the policy assumes. Empty: drivers and probes say it all. */
  readonly restsOn: readonly ClaimAssumption[];
  readonly packs: readonly PackUse[];
  /** While `bound`: an operator asked for what has drifted to be made anew, and the agent has not said that it is. */
  readonly repairsDrift?: true;
}
