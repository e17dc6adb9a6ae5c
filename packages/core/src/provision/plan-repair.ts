// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice, ClaimReason } from "../claim/claim.ts";
import { isShown } from "../claim/claimed-value.ts";
import { isSeenByAgents } from "../claim/transitions.ts";
import { expectationsOf } from "./device-steps.ts";
import type { FoundClaim, FoundDevice } from "./host-facts.ts";
import { planDevices, planRemovals, planUndefine } from "./plan-provision.ts";
import type { Step } from "./step.ts";

/** What the control plane wants of one claim, as the agent sees it. */
export interface DesiredClaim {
  readonly claim: Claim;
  /** Why nothing new may be made for it, such as a fingerprint that has changed. What exists as claimed stays. */
  readonly refusal?: ClaimReason;
  /** An operator asked for devices that have drifted to be made anew. Without it drift is only reported. */
  readonly repairsDrift?: true;
}

/** What the agent does next about one claim, and what it says once that is done. */
export type RepairPlan =
  /** Nothing is to be done. */
  | { readonly kind: "settled"; readonly event: "provisioned" | "cleared" | "refused"; readonly reason?: ClaimReason }
  /** Make what is missing. Where a step fails, the next look undoes. */
  | { readonly kind: "finish"; readonly steps: readonly Step[]; readonly event: "provisioned" }
  /** Take away what is left. */
  | {
      readonly kind: "undo";
      readonly steps: readonly Step[];
      readonly event: "cleared" | "refused";
      readonly reason?: ClaimReason;
    }
  /** Something is in the way that may not be touched: the reason is shown, and the agent looks again later. */
  | { readonly kind: "blocked"; readonly reason: ClaimReason };

/** How far a device is: `changed` is the claim's own and not as claimed; of an `unclear` one nobody can say whose it is. */
type Condition = "nothing" | "as-claimed" | "changed" | "stranger" | "unclear";

interface Examined {
  readonly device: ClaimedDevice;
  readonly found: FoundDevice;
  readonly condition: Condition;
}

/**
 * What an agent does about a claim from what exists, whatever was done before: after a crash at any step it finishes or
 * undoes. A device is touched only if it is the claim's own by identity and nobody uses it.
 * Throws RangeError for a claim that agents do not see.
 */
export function planRepair(desired: DesiredClaim, found: FoundClaim): RepairPlan {
  const { claim } = desired;
  if (!isSeenByAgents(claim.state)) {
    throw new RangeError(`Claim ${claim.id} is ${claim.state}: agents do not see it`);
  }
  const examined = claim.devices.map((device) => examine(device, found));
  const unclear = examined.find(({ condition }) => condition === "unclear");
  if (unclear !== undefined) return { kind: "blocked", reason: unclearAt(unclear) };
  return claim.state === "releasing" ? planGone(examined, found) : planMade(desired, examined, found);
}

function examine(device: ClaimedDevice, { facts, devices }: FoundClaim): Examined {
  const found = devices.get(device.occupant.id) ?? { kind: "nothing", isDefined: false };
  if (found.kind === "nothing") return { device, found, condition: "nothing" };
  const owner = ownerOf(device, found);
  if (owner !== "claim") return { device, found, condition: owner };
  const parent = facts.get(device.parent);
  const expectations = parent === undefined ? [] : expectationsOf(device, parent);
  const isAsClaimed = expectations.every(({ attribute, expected }) => {
    const text = found.shown.get(attribute);
    return text !== undefined && isShown(expected, text);
  });
  return { device, found, condition: isAsClaimed ? "as-claimed" : "changed" };
}

/**
 * A UUID was drawn for the claim, so a device of that UUID, parent and type is its own unless the agent made it for
 * something else. An address is used again and again: there only the agent's record tells, or that a migration left it.
 * Without the one or the other, or with a type that cannot be read, it may be the claim's and may not.
 */
function ownerOf(
  { identity, parent, type, vacated }: ClaimedDevice,
  found: Extract<FoundDevice, { readonly kind: "device" }>,
): "claim" | "stranger" | "unclear" {
  if (found.maker === "other") return "stranger";
  if (identity.kind === "function") return "claim";
  if (found.parent !== parent || (found.type !== undefined && found.type !== type)) return "stranger";
  if (found.type === undefined) return "unclear";
  return identity.kind === "mdev" || found.maker === "claim" || vacated === true ? "claim" : "unclear";
}

function planMade(desired: DesiredClaim, examined: readonly Examined[], found: FoundClaim): RepairPlan {
  const missing = examined.filter(
    ({ device, condition }) => condition === "nothing" && device.identity.kind !== "function",
  );
  const strange = examined.find(({ condition }) => condition === "stranger");
  const changed = examined.filter(({ condition }) => condition === "changed");
  if (strange !== undefined) return planRefusal(strangerAt(strange), examined, found);
  if (missing.length === 0 && changed.length === 0) return { kind: "settled", event: "provisioned" };
  const used = changed.find(isUsed);
  if (used !== undefined) return { kind: "blocked", reason: inUse(used) };
  const [drifted] = changed;
  if (drifted !== undefined && desired.claim.state !== "provisioning" && desired.repairsDrift !== true) {
    const text = `${drifted.device.occupant.id} is not as it was claimed: it is repaired only on request`;
    return { kind: "blocked", reason: { code: "device_drifted", text } };
  }
  if (desired.refusal !== undefined) return planRefusal(desired.refusal, examined, found);
  const unfinished = examined
    .filter((one) => changed.includes(one) || missing.includes(one))
    .map(({ device }) => device);
  const plan = planDevices(unfinished, found.facts);
  if (plan.kind === "refused") return planRefusal(plan.reason, examined, found);
  const steps = [...planClean(changed, found), ...planStale(missing, found), ...plan.steps];
  return { kind: "finish", steps, event: "provisioned" };
}

/** Takes away what the claim has, and says no; where somebody uses a part of it, nothing is touched. */
function planRefusal(reason: ClaimReason, examined: readonly Examined[], found: FoundClaim): RepairPlan {
  const own = examined.filter(isPresent);
  const used = own.find(isUsed);
  if (used !== undefined) return { kind: "blocked", reason };
  const steps = [...planClean(own, found), ...planStale(examined, found)];
  if (steps.length === 0) return { kind: "settled", event: "refused", reason };
  return { kind: "undo", steps, event: "refused", reason };
}

/** What stands at the identity and is not the claim's own does not count: nothing of the claim is left there. */
function planGone(examined: readonly Examined[], found: FoundClaim): RepairPlan {
  const own = examined.filter(isPresent);
  const used = own.find(isUsed);
  if (used !== undefined) return { kind: "blocked", reason: inUse(used) };
  const steps = [...planClean(own, found), ...planStale(examined, found)];
  return steps.length === 0 ? { kind: "settled", event: "cleared" } : { kind: "undo", steps, event: "cleared" };
}

function planClean(own: readonly Examined[], { facts }: FoundClaim): readonly Step[] {
  return planRemovals(
    own.map(({ device }) => device),
    facts,
  ).filter(
    ({ effect }) =>
      effect.kind !== "undefine" || own.some(({ device, found }) => isDefinedAs(device, found, effect.uuid)),
  );
}

/** Definitions of devices that do not exist: left by a crash between define and start, or between stop and undefine. */
function planStale(examined: readonly Examined[], { facts }: FoundClaim): readonly Step[] {
  return examined
    .filter(
      ({ found, device }) =>
        found.kind === "nothing" && found.isDefined && facts.get(device.parent)?.tool === "mdevctl",
    )
    .filter(({ device }) => device.vacated !== true)
    .flatMap(({ device }) => planUndefine(device));
}

function isDefinedAs({ identity }: ClaimedDevice, found: FoundDevice, uuid: string): boolean {
  return identity.kind === "mdev" && identity.uuid === uuid && found.isDefined;
}

/** Whether a device of the claim is there that Berth could take away; a function as it is, is nobody's to take away. */
function isPresent({ device, condition }: Examined): boolean {
  return (condition === "as-claimed" || condition === "changed") && !isBareFunction(device);
}

function isBareFunction({ identity }: ClaimedDevice): boolean {
  return identity.kind === "function";
}

function isUsed({ found }: Examined): boolean {
  return found.kind === "device" && found.users.length > 0;
}

function inUse({ device, found }: Examined): ClaimReason {
  const users = found.kind === "device" ? found.users.join(", ") : "";
  return { code: "device_in_use", text: `${device.occupant.id} is in use by ${users}` };
}

function strangerAt({ device, found }: Examined): ClaimReason {
  const what = found.kind === "device" ? `a ${found.type ?? "device of unknown type"} on ${found.parent}` : "something";
  return { code: "claim_stranger", text: `${device.occupant.id} is ${what} that is not this claim's` };
}

function unclearAt({ device }: Examined): ClaimReason {
  const text = `whether ${device.occupant.id} is this claim's device cannot be told: an operator has to say`;
  return { code: "device_owner_unknown", text };
}
