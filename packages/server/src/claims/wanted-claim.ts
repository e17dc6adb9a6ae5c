// SPDX-License-Identifier: Apache-2.0

import type { Claimant } from "@berth/core/claim/claim";
import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { VirtualMachine } from "@berth/core/device/virtual-machine";
import { profileOfDevice } from "@berth/core/inventory/profile";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseProfileDocument } from "@berth/core/protocol/profile-schema";
import { keyOf } from "../documents/keys.ts";
import type { Compare } from "../store/store.ts";
import { compareWith, findAdoption, type ClaimContext } from "./claim-context.ts";

/** What a claim is for, as the source's host shows it now. */
export interface Wanted {
  readonly claimant: Claimant;
  /** Sorted by device id; the only one of a bare profile. */
  readonly sources: readonly [MigrationProfile, ...MigrationProfile[]];
  /** Where the devices are; absent for a bare profile. */
  readonly host?: string;
  /** NUMA node of the parent of the first device. */
  readonly numaNode?: number;
  /** Somebody else's VM that has the devices and was not handed over. */
  readonly foreign?: VirtualMachine;
  /** What it was found from. */
  readonly compares: readonly Compare[];
}

/**
 * Finds what a claim is for. Throws BerthError unknown_host, unknown_device, unknown_vm, vm_without_devices,
 * profile_malformed.
 */
export function findWanted(context: ClaimContext, body: Pick<ClaimBody, "for">): Wanted {
  const { view } = context.replica;
  const wish = body.for;
  if ("profile" in wish) {
    return {
      claimant: { kind: "profile" },
      sources: [parseProfileDocument(wish.profile, "/for/profile")],
      compares: [],
    };
  }
  const { host } = wish;
  const snapshot = view.findHost(host)?.host.snapshot;
  if (snapshot === undefined) throw new BerthError("unknown_host", `There is no host ${JSON.stringify(host)}`);
  const vm = "vm" in wish ? findVm(snapshot, wish.vm) : undefined;
  const devices = "device" in wish ? [wish.device.toLowerCase()] : (vm?.devices ?? []).map(({ device }) => device);
  const profiles = [...new Set(devices)].toSorted().map((device) => findDevice(context, snapshot, device));
  const [first, ...others] = profiles;
  if (first === undefined) throw new BerthError("vm_without_devices", `VM ${JSON.stringify(vm?.id)} has no device`);
  const parent = snapshot.parents.find(({ id }) => id === first.subject.parent);
  const node = parent === undefined ? undefined : valueOf(parent.numaNode);
  const adoption = findAdoption(context, host);
  const foreign = findForeign(vm === undefined ? usersOf(snapshot, devices) : [vm], adoption?.document.vms ?? []);
  const inventory = context.replica.findHost(host)?.inventory;
  return {
    claimant: vm === undefined ? { kind: "device", host, device: first.subject.id } : { kind: "vm", host, vm: vm.id },
    sources: [first, ...others],
    host,
    ...(node === undefined ? {} : { numaNode: node }),
    ...(foreign === undefined ? {} : { foreign }),
    compares: [compareWith(keyOf("inventory", host), inventory), compareWith(keyOf("adoption", host), adoption)],
  };
}

function findVm(snapshot: HostSnapshot, id: string): VirtualMachine {
  const found = snapshot.virtualMachines.find((vm) => vm.id === id);
  if (found !== undefined) return found;
  const [named, ...others] = snapshot.virtualMachines.filter(({ name }) => name === id);
  if (named !== undefined && others.length === 0) return named;
  throw new BerthError("unknown_vm", `Host ${JSON.stringify(snapshot.host)} has no VM ${JSON.stringify(id)}`);
}

function findDevice({ replica }: ClaimContext, snapshot: HostSnapshot, device: string): MigrationProfile {
  const profile = profileOfDevice(snapshot, device, replica.view.policy);
  if (profile !== undefined) return profile;
  throw new BerthError(
    "unknown_device",
    `Host ${JSON.stringify(snapshot.host)} has no device ${JSON.stringify(device)}`,
  );
}

/** The VMs that have one of these devices. */
function usersOf(snapshot: HostSnapshot, devices: readonly string[]): readonly VirtualMachine[] {
  return snapshot.virtualMachines.filter((vm) => vm.devices.some(({ device }) => devices.includes(device)));
}

function findForeign(vms: readonly VirtualMachine[], adopted: readonly string[]): VirtualMachine | undefined {
  return vms.find(({ id, owner }) => owner.kind !== "berth" && !adopted.includes(id));
}
