// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimReason } from "@berth/core/claim/claim";
import type { WantedClaim } from "@berth/core/provision/desired-state";
import type { FoundClaim } from "@berth/core/provision/host-facts";
import { planRepair } from "@berth/core/provision/plan-repair";
import type { RepairPlan } from "@berth/core/provision/plan-repair";
import { findMissingFunction } from "./refuse-claim.ts";

/**
 * What is next for a claim. `planRepair` decides about all that Berth makes. A function as it is, is nobody's to make or
 * to take away: while it is wanted it has to stand, and it is given back when nobody uses it.
 */
export function planClaim(
  { claim, repairsDrift }: WantedClaim,
  found: FoundClaim,
  refusal: ClaimReason | undefined,
): RepairPlan {
  if (claim.state === "releasing") {
    return blockByFunction(claim, found) ?? planRepair({ claim }, found);
  }
  const missing = findMissingFunction(claim, found);
  if (claim.state === "provisioning") {
    const reason =
      missing ?? (claim.devices.some(({ identity }) => identity.kind === "function") ? refusal : undefined);
    if (reason !== undefined) return planTakeBack(claim, found, reason);
  } else if (missing !== undefined) return { kind: "blocked", reason: missing };
  const desired = {
    claim,
    ...(refusal === undefined ? {} : { refusal }),
    ...(repairsDrift === undefined ? {} : { repairsDrift }),
  };
  return waitForParent(claim, planRepair(desired, found));
}

/** What is not there yet after a boot, and comes with a driver or its manager. */
const COMES_LATER: ReadonlySet<string> = new Set(["parent_gone", "type_not_offered"]);

/**
 * After a boot drivers, virtual functions and their types come when they come: a claim that was made waits for its
 * place. One that was never made has other places to go to.
 */
function waitForParent({ state }: Claim, plan: RepairPlan): RepairPlan {
  if (state === "provisioning" || (plan.kind !== "settled" && plan.kind !== "undo")) return plan;
  if (plan.event !== "refused" || plan.reason === undefined || !COMES_LATER.has(plan.reason.code)) return plan;
  return { kind: "blocked", reason: plan.reason };
}

/** Takes all away that the claim made, as if it were given back, and says no. */
function planTakeBack(claim: Claim, found: FoundClaim, reason: ClaimReason): RepairPlan {
  const plan = planRepair({ claim: { ...claim, state: "releasing" } }, found);
  return plan.kind === "settled" || plan.kind === "undo" ? { ...plan, event: "refused", reason } : plan;
}

function blockByFunction({ devices }: Claim, found: FoundClaim): RepairPlan | undefined {
  for (const { identity, occupant } of devices) {
    const device = found.devices.get(occupant.id);
    if (identity.kind !== "function" || device?.kind !== "device" || device.users.length === 0) continue;
    const text = `${occupant.id} is in use by ${device.users.join(", ")}`;
    return { kind: "blocked", reason: { code: "device_in_use", text } };
  }
  return undefined;
}
