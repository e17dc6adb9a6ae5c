// SPDX-License-Identifier: Apache-2.0

/** Where a claim stands. Agents never see `held`. */
export const CLAIM_STATES = [
  "held",
  "provisioning",
  "bound",
  "attached",
  "releasing",
  "released",
  "failed",
  "expired",
] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

/** What happens to a claim, and who says so. */
export const CLAIM_EVENTS = [
  /** The claimant wants the devices made. */
  "confirm",
  /** Time has run out; only a claim that no agent could have seen expires. */
  "expire",
  /** The agent made all devices and read them back. */
  "provisioned",
  /** The agent could not make them, and proves that nothing is left. */
  "refused",
  /** A VM uses the devices. */
  "attached",
  /** No VM uses them any more. */
  "detached",
  /** The claimant gives the place back. */
  "release",
  /** The agent proves that nothing is left. */
  "cleared",
  /** An operator declares the host fenced: whatever is left there is dead. */
  "fenced",
] as const;
export type ClaimEvent = (typeof CLAIM_EVENTS)[number];
