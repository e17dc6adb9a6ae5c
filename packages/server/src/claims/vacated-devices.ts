// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice, ClaimedIdentity } from "@berth/core/claim/claim";
import { fingerprintOf } from "@berth/core/claim/fingerprint";
import { valueOf } from "@berth/core/device/evidence";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { keyOf } from "../documents/keys.ts";
import type { FleetHost } from "@berth/core/inventory/fleet";
import type { Compare } from "../store/store.ts";
import { compareWith, findAdoption, type ClaimContext } from "./claim-context.ts";

/** The devices that a VM has left, as a claim names them; or why Berth must not take them away. */
export type Vacated =
  | {
      readonly kind: "found";
      readonly devices: readonly [ClaimedDevice, ...ClaimedDevice[]];
      readonly compares: readonly Compare[];
    }
  | { readonly kind: "refused"; readonly why: string };

/**
 * Finds devices that Berth did not make and that a committed move has left. They are taken away only from parents that
 * were handed over, and by the agent only when nobody is seen to use them and no definition names them.
 */
export function findVacated(context: ClaimContext, { id, claimant, devices: moved }: Claim): Vacated {
  if (claimant.kind === "profile") return { kind: "refused", why: `claim ${id} is for no VM` };
  const { host } = claimant;
  const viewed = context.replica.view.findHost(host);
  const documents = context.replica.findHost(host);
  if (viewed === undefined) return { kind: "refused", why: `the inventory of ${host} is not known` };
  const adoption = findAdoption(context, host);
  const devices: ClaimedDevice[] = [];
  for (const { source } of moved) {
    const device = viewed.host.snapshot.devices.find((one) => one.id === source);
    if (device === undefined)
      return { kind: "refused", why: `${host} does not show ${source ?? "the device"} any more` };
    if (adoption?.document.parents.includes(device.parent) !== true) {
      return { kind: "refused", why: `${device.parent} on ${host} was not handed over: ${device.id} stays as it is` };
    }
    const claimed = claimedDeviceOf(viewed.host, device, context);
    if (claimed === undefined) return { kind: "refused", why: `what ${device.id} on ${host} takes is not known` };
    devices.push({ ...claimed, vacated: true });
  }
  const [first, ...rest] = devices;
  if (first === undefined) return { kind: "refused", why: `claim ${id} names no device that moved` };
  const compares = [
    compareWith(keyOf("inventory", host), documents?.inventory),
    compareWith(keyOf("adoption", host), adoption),
  ];
  return { kind: "found", devices: [first, ...rest], compares };
}

/** A device as it is, in the words of a claim; undefined where its type or place in the pool cannot be read. */
export function claimedDeviceOf(
  { snapshot, pools }: FleetHost,
  device: VfioDevice,
  { replica }: ClaimContext,
): ClaimedDevice | undefined {
  const profile = profileOfDevice(snapshot, device.id, replica.view.policy);
  const fingerprint = profile === undefined ? undefined : fingerprintOf(profile);
  const type = device.kind === "function" ? "" : valueOf(device.type);
  const occupant =
    device.kind === "function"
      ? { id: device.id, type: "", count: 1, parent: device.parent }
      : pools
          .flatMap((pool) => pool.occupants)
          .find(({ id, uncertain }) => id === device.id && uncertain === undefined);
  if (fingerprint === undefined || type === undefined || occupant === undefined) return undefined;
  const { id, count, parent, slot, units } = occupant;
  return {
    identity: identityOf(device, slot),
    parent: device.parent,
    type,
    count,
    values: [],
    ...(units === undefined ? {} : { units }),
    occupant: {
      id,
      type: occupant.type,
      count,
      parent,
      ...(slot === undefined ? {} : { slot }),
      ...(units === undefined ? {} : { units }),
    },
    fingerprint,
  };
}

function identityOf({ kind, id }: VfioDevice, slot: number | undefined): ClaimedIdentity {
  if (kind === "mdev") return { kind: "mdev", uuid: id };
  if (kind === "function") return { kind: "function", address: id };
  return { kind: "vendor-vfio", address: id, ...(slot === undefined ? {} : { slot }) };
}
