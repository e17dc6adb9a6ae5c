// SPDX-License-Identifier: Apache-2.0

import type { Occupant, Pool } from "../capacity/pool.ts";
import type { Pair } from "../compatibility/pair.ts";
import type { Remedy, RuleId, Verdict } from "../compatibility/verdict.ts";
import type { Claim, Claimant } from "./claim.ts";

/** One device that a claimant wants a place for. */
export interface WantedDevice {
  /** The device that is to move; absent for a bare profile. */
  readonly source?: string;
  /** The UUID of the device to be made, drawn by the caller. Not used where a function is claimed. */
  readonly uuid: string;
  /**
   * Where it may go, best first: the device's own profile, and the destination's at a type of a parent (or at a function
   * as it is). All on the request's host.
   */
  readonly offers: readonly Pair[];
}

/** Who sits on the host, as far as the caller knows; for telling a stranger from a claim. */
export interface Holders {
  /** Ids of what claims hold: `ledgerOccupants` of the host. */
  readonly claimed: readonly string[];
  /** Functions that somebody uses, by address. */
  readonly used: readonly string[];
  /** Ids of the occupants that the caller's search saw; what has come since is news. Absent: the search is not known. */
  readonly seen?: readonly string[];
}

/** A wish for places on one host, for all devices of a claimant or for none. */
export interface ClaimRequest {
  readonly id: string;
  readonly claimant: Claimant;
  readonly host: string;
  /** In the order in which they are given places. */
  readonly devices: readonly [WantedDevice, ...WantedDevice[]];
  /** The host's pools, the ledger applied. */
  readonly pools: readonly Pool[];
  readonly holders: Holders;
  readonly nowMs: number;
  /** How long the claim is held before it expires. */
  readonly ttlMs: number;
  /** `nextFence` of the host's ledger. */
  readonly fence: number;
  readonly principal: string;
}

/** Why a claim is refused. */
export type ClaimRefusalCode =
  /** A rule of compatibility (R1-R9, R11) says no. */
  | "claim_incompatible"
  /** A fact is missing: a claim needs a yes. */
  | "claim_undetermined"
  /** The platform (R10) says no for this VM. */
  | "claim_platform_incompatible"
  | "claim_platform_undetermined"
  /** There is no room now. */
  | "claim_no_room"
  /** Room cannot be proved. */
  | "claim_room_unknown"
  /** There would be room, had not somebody who is no claim of Berth's taken it since the search. */
  | "claim_stranger"
  /** Every device has a place by itself, and there is no way to give all of them one. */
  | "claim_not_together"
  /** Not every way of giving the devices places could be tried. */
  | "claim_search_bounded"
  /** The device was offered no place on this host. */
  | "claim_no_offer"
  /** The place is on a parent that was not handed over to Berth. Found by the caller, as all that follow are. */
  | "claim_not_adopted"
  /** The devices are those of a VM that somebody else made and that was not handed over. */
  | "claim_foreign_vm"
  /** The claimant is there already. */
  | "claim_own_host"
  /** Nothing is placed on the host now. */
  | "host_cordoned"
  /** Nobody hears the host's agent, so what it holds now is not known. */
  | "host_silent"
  /** The host holds as many claims as its ledger has room for. */
  | "ledger_full";

/** One thing in the way of a claim. */
export interface ClaimRefusal {
  readonly code: ClaimRefusalCode;
  /** One sentence without a full stop. */
  readonly text: string;
  /** Index in the request's devices; absent where all of them together are meant. */
  readonly device?: number;
  /** The offer that is meant. */
  readonly parent?: string;
  readonly type?: string;
  /** The rules behind a verdict: every failing one and everything that is missing. */
  readonly because?: readonly RuleSays[];
  /** What is short, by counter name as `take` names it. */
  readonly short?: Readonly<Record<string, number>>;
}

/** What one rule says against a place. */
export interface RuleSays {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
  readonly remedy?: Remedy;
}

/** The answer to a wish: the claim with all that must be written, or everything that is in the way. */
export type ClaimDecision =
  | {
      readonly kind: "granted";
      /** `held`. */
      readonly claim: Claim;
      /** The host's pools with the claim's devices in them, in the order of the request. */
      readonly pools: readonly Pool[];
      /** What the ledger gains. */
      readonly occupants: readonly Occupant[];
      /** R10 for all devices together. */
      readonly platform: Verdict;
    }
  | {
      readonly kind: "refused";
      /** By device, then by offer, in their order. */
      readonly reasons: readonly [ClaimRefusal, ...ClaimRefusal[]];
    };
