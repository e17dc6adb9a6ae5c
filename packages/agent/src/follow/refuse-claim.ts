// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice, ClaimReason } from "@berth/core/claim/claim";
import { checkFingerprint } from "@berth/core/claim/fingerprint";
import type { Policy } from "@berth/core/compatibility/policy";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import type { FoundClaim } from "@berth/core/provision/host-facts";
import type { HostLook } from "./host-eye.ts";

/**
 * Why nothing may be made for a claim now: a parent that was not handed over, or a place that is not what was claimed
 * (D21). Undefined: nothing is against it.
 */
export function findRefusal(claim: Claim, look: HostLook, adopted: ReadonlySet<string>): ClaimReason | undefined {
  for (const device of claim.devices) {
    if (adopted.has(device.parent)) continue;
    return { code: "not_adopted", text: `${device.parent} was not handed over to Berth: nothing is made there` };
  }
  for (const device of claim.devices) {
    const reason = checkPlace(device, look);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** A function of the claim that is not there, or not handed over to guests; undefined: all of them stand. */
export function findMissingFunction({ devices }: Claim, found: FoundClaim): ClaimReason | undefined {
  const missing = devices.find(
    ({ identity, occupant }) => identity.kind === "function" && found.devices.get(occupant.id)?.kind !== "device",
  );
  if (missing === undefined) return undefined;
  const text = `${missing.occupant.id} is not there, or is bound to no driver that hands it to a guest`;
  return { code: "function_gone", text };
}

function checkPlace(device: ClaimedDevice, { snapshot }: HostLook): ClaimReason | undefined {
  const { identity, parent, type } = device;
  if (identity.kind === "function") {
    // Which type a function carries is declared at the control plane; the host cannot show it.
    const profile = profileOfDevice(snapshot, identity.address, declare(identity.address, type));
    return profile === undefined ? undefined : explain(device, checkFingerprint(device, profile));
  }
  const profile = profileOfType(snapshot, { parent, type }, STRICT_POLICY);
  const isThere = snapshot.parents.some(({ id }) => id === parent);
  if (profile === undefined && !isThere) {
    return { code: "parent_gone", text: `${parent} is no parent of ${identity.kind} devices on this host now` };
  }
  if (profile === undefined && identity.kind === "vendor-vfio") {
    return {
      code: "type_not_offered",
      text: `${parent} does not offer ${type} now: its room was taken, or not yet made`,
    };
  }
  return explain(device, checkFingerprint(device, profile));
}

function explain(device: ClaimedDevice, check: ReturnType<typeof checkFingerprint>): ClaimReason | undefined {
  if (check.kind === "ok") return undefined;
  return { code: "fingerprint_changed", text: `the place of ${device.occupant.id} has changed: ${check.text}` };
}

function declare(address: string, type: string): Policy {
  return type === "" ? STRICT_POLICY : { ...STRICT_POLICY, signatures: [{ host: "*", function: address, type }] };
}
