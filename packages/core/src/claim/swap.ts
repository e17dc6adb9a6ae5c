// SPDX-License-Identifier: Apache-2.0

import type { Claim, Claimant, ClaimedDevice } from "./claim.ts";
import { addClaim, nextFence, type LedgerDocument } from "./ledger-document.ts";

/** What becomes of the devices that a VM has left. */
export type SwapSource =
  /** They are a claim's: it is given back. */
  | { readonly kind: "claimed"; readonly claim: Claim; readonly ledger: LedgerDocument }
  /** Berth did not make them, and the policy lets it remove them: a claim is made that holds their room until they are gone. */
  | {
      readonly kind: "vacated";
      readonly id: string;
      readonly devices: readonly [ClaimedDevice, ...ClaimedDevice[]];
      readonly ledger: LedgerDocument;
      readonly principal: string;
    }
  /** They stay as they are. */
  | { readonly kind: "kept" };

/** A migration that has ended well: the VM runs at the destination, and nowhere else. */
export interface SwapRequest {
  readonly source: SwapSource;
  readonly destination: { readonly claim: Claim; readonly ledger: LedgerDocument };
  readonly nowMs: number;
}

/** Everything that one transaction writes, or why nothing may be written. */
export type Swap =
  | {
      readonly kind: "swapped";
      /** Destination first. Each replaces the document of its id, or is a new one. */
      readonly claims: readonly [Claim, ...Claim[]];
      readonly ledgers: readonly [LedgerDocument, ...LedgerDocument[]];
    }
  | { readonly kind: "refused"; readonly code: "swap_state" | "swap_mismatch"; readonly text: string };

/**
 * Commits a migration as data: the destination's claim becomes the VM's own place, and the source's place is on its way
 * back. Both in one transaction, or a crash between the two would leave the VM with both places or with none.
 *
 * Both claims get new fences: what agents still say about the time before counts no more, so the source's room returns
 * only when its agent has seen the swap and proves that nothing is left. A swap that is committed again is refused by state.
 */
export function decideSwap(request: SwapRequest): Swap {
  const { claim, ledger } = request.destination;
  const { source } = request;
  if (claim.state !== "bound" && claim.state !== "attached") {
    return refuse("swap_state", `claim ${claim.id} is ${claim.state}: only bound or attached devices take a VM over`);
  }
  if (claim.claimant.kind === "profile") {
    return refuse("swap_state", `claim ${claim.id} is for a bare profile: no VM of a host is known to move there`);
  }
  if (claim.claimant.host === claim.host) {
    return refuse(
      "swap_state",
      `claim ${claim.id} is for a VM of its own host ${claim.host}: nothing is to be swapped`,
    );
  }
  const mismatch = source.kind === "kept" ? undefined : findMismatch(claim, source);
  if (mismatch !== undefined) return mismatch;
  const taken = takeOver(claim, nextFence(ledger));
  if (source.kind === "kept") return { kind: "swapped", claims: [taken], ledgers: [addClaim(ledger, taken)] };
  const left = source.kind === "claimed" ? giveUp(source.claim, nextFence(source.ledger)) : vacate(request, source);
  return { kind: "swapped", claims: [taken, left], ledgers: [addClaim(ledger, taken), addClaim(source.ledger, left)] };
}

/** The source's devices are those that the destination's take over, all of them, on the host that the VM left. */
function findMismatch(claim: Claim, source: Exclude<SwapSource, { readonly kind: "kept" }>): Swap | undefined {
  if (source.kind === "claimed" && source.claim.state !== "attached" && source.claim.state !== "bound") {
    return refuse(
      "swap_state",
      `claim ${source.claim.id} is ${source.claim.state}: it holds no devices of a running VM`,
    );
  }
  const host = source.kind === "claimed" ? source.claim.host : source.ledger.host;
  const from = claim.claimant.kind === "profile" ? undefined : claim.claimant.host;
  if (host !== from) {
    return refuse("swap_mismatch", `the VM of claim ${claim.id} left ${from ?? "no host"}, and not ${host}`);
  }
  const devices = source.kind === "claimed" ? source.claim.devices : source.devices;
  const left = devices.map(({ occupant }) => occupant.id).toSorted();
  const moved = claim.devices.flatMap((device) => device.source ?? []).toSorted();
  if (left.join() === moved.join()) return undefined;
  return refuse("swap_mismatch", `${moved.join(", ") || "nothing"} moved, and ${left.join(", ")} would be given back`);
}

function takeOver(claim: Claim, fence: number): Claim {
  const [first, ...rest] = claim.devices.map(settleDevice);
  if (first === undefined) throw new Error("A claim has no device");
  return { ...claim, state: "attached", claimant: moveClaimant(claim), devices: [first, ...rest], fence };
}

/** The device is where its VM runs: nothing is to move to it any more. */
function settleDevice(device: ClaimedDevice): ClaimedDevice {
  const { source: _, ...rest } = device;
  return rest;
}

function moveClaimant({ claimant, host, devices: [first] }: Claim): Claimant {
  return claimant.kind === "vm" ? { ...claimant, host } : { kind: "device", host, device: first.occupant.id };
}

function giveUp(claim: Claim, fence: number): Claim {
  const { reason: _, ...rest } = claim;
  return { ...rest, state: "releasing", fence };
}

function vacate(
  { destination, nowMs }: SwapRequest,
  { id, devices, ledger, principal }: Extract<SwapSource, { readonly kind: "vacated" }>,
): Claim {
  const [first, ...rest] = devices.map((device): ClaimedDevice => ({ ...device, vacated: true }));
  if (first === undefined) throw new Error("A claim has no device");
  return {
    id,
    state: "releasing",
    claimant: destination.claim.claimant,
    host: ledger.host,
    devices: [first, ...rest],
    fence: nextFence(ledger),
    principal,
    createdAtMs: nowMs,
    restsOn: [],
    packs: [],
  };
}

function refuse(code: "swap_state" | "swap_mismatch", text: string): Swap {
  return { kind: "refused", code, text };
}
