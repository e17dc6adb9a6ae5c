// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice, ClaimReason } from "../claim/claim.ts";
import { currentTypePath, planDevice } from "./device-steps.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Step } from "./step.ts";

/** What makes all devices of a claim, or why they cannot be made: then nothing is touched. */
export type ProvisionPlan =
  | { readonly kind: "planned"; readonly steps: readonly Step[] }
  | { readonly kind: "refused"; readonly reason: ClaimReason };

/**
 * Plans the making of a claim's devices, in the order of the claim, on a host where none of them exists.
 *
 * On any failure the undos of the steps begun so far, in reverse, leave the host as it was. A step whose effect was
 * refused by the kernel did nothing and needs no undo; one whose read-back failed does.
 */
export function planProvision(claim: Claim, facts: HostFacts): ProvisionPlan {
  return planDevices(claim.devices, facts);
}

/** Plans the making of some of a claim's devices. */
export function planDevices(devices: readonly ClaimedDevice[], facts: HostFacts): ProvisionPlan {
  const steps: Step[] = [];
  for (const device of devices) {
    const parent = facts.get(device.parent);
    if (parent === undefined || parent.framework !== frameworkOf(device)) {
      const text = `${device.parent} is no parent of ${frameworkOf(device)} devices on this host now`;
      return { kind: "refused", reason: { code: "parent_gone", text } };
    }
    const plan = planDevice(device, parent);
    if (plan.kind === "refused") return plan;
    steps.push(...plan.steps);
  }
  return { kind: "planned", steps };
}

/**
 * Plans the unmaking of a claim's devices, last one first. The steps have no undo: they are repeated until nothing is
 * left. Each is only for a device that exists, is the claim's own and is used by nobody: `planRepair` sees to that.
 */
export function planUnprovision(claim: Claim, facts: HostFacts): readonly Step[] {
  return planRemovals(claim.devices, facts);
}

/** Plans the unmaking of some of a claim's devices. */
export function planRemovals(devices: readonly ClaimedDevice[], facts: HostFacts): readonly Step[] {
  return devices.toReversed().flatMap((device) => planRemoval(device, facts));
}

/** What takes back a definition that mdevctl keeps of a claim's device. */
export function planUndefine({ identity, parent }: ClaimedDevice): readonly Step[] {
  if (identity.kind !== "mdev") return [];
  const { uuid } = identity;
  return [{ effect: { kind: "undefine", uuid, parent }, text: `Undefine ${uuid} with mdevctl` }];
}

function planRemoval(device: ClaimedDevice, facts: HostFacts): readonly Step[] {
  const { identity, parent } = device;
  switch (identity.kind) {
    case "function":
      return [];
    case "vendor-vfio": {
      const { address } = identity;
      const readBack = { path: currentTypePath(address), expected: "0" };
      return [
        {
          effect: { kind: "set-vgpu-type", address, typeNumber: 0 },
          readBack,
          text: `Take the type of ${address} away`,
        },
      ];
    }
    case "mdev": {
      const { uuid } = identity;
      // What Berth did not make was not defined by it either.
      if (facts.get(parent)?.tool !== "mdevctl" || device.vacated === true) {
        return [{ effect: { kind: "remove", uuid }, text: `Remove ${uuid}` }];
      }
      return [{ effect: { kind: "stop", uuid }, text: `Stop ${uuid} with mdevctl` }, ...planUndefine(device)];
    }
  }
}

/** The framework that a device's identity belongs to. */
function frameworkOf({ identity }: ClaimedDevice): "mdev" | "vendor-vfio" | "function" {
  return identity.kind;
}
