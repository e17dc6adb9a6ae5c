// SPDX-License-Identifier: Apache-2.0

import type { Claim, ClaimedDevice } from "@berth/core/claim/claim";
import { valueOf } from "@berth/core/device/evidence";
import { expectationsOf } from "@berth/core/provision/device-steps";
import type { FoundClaim, FoundDevice } from "@berth/core/provision/host-facts";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { findAttributePlace } from "../provision/attribute-place.ts";
import { placeOf } from "../provision/effect-place.ts";
import { observe } from "../provision/observe.ts";
import type { HostLook } from "./host-eye.ts";
import { listUsers } from "./usage.ts";

/** What the agent knows besides what the host shows. */
export interface KnownOfClaim {
  /** By the claim's own journal: UUIDs and addresses at which it made a device. */
  readonly made: ReadonlySet<string>;
  /** The same of all other claims. */
  readonly madeByOthers: ReadonlySet<string>;
  /** What is not in the claim's journal, the claim did not make: the journal cannot have been lost. */
  readonly isWholeRecord: boolean;
}

/** sysfs shows one page. */
const TEXT_MAX = 4096;
const NAME = /^(?!\.{1,2}$)[^/\0]{1,255}$/;

/** What stands at each identity of a claim. That nothing stands there is only said where the host proves it. */
export function findClaim(claim: Claim, look: HostLook, known: KnownOfClaim): FoundClaim {
  const devices = claim.devices.map((device) => [device.occupant.id, findDevice(device, look, known)] as const);
  return { facts: look.facts, devices: new Map(devices) };
}

function findDevice(device: ClaimedDevice, look: HostLook, known: KnownOfClaim): FoundDevice {
  const stand = findStand(device, look);
  const isDefined = hasDefinition(device, look.tree);
  if (stand.kind === "nothing") return { kind: "nothing", isDefined };
  return {
    kind: "device",
    parent: stand.parent,
    ...(stand.type === undefined ? {} : { type: stand.type }),
    maker: findMaker(device, known),
    users: listUsers(look.snapshot, device),
    shown: readShown(device, look),
    isDefined,
  };
}

/** A UUID was drawn for the claim and tells by itself; an address is used again, and there the record decides. */
function findMaker(device: ClaimedDevice, known: KnownOfClaim): "claim" | "other" | "unknown" {
  const { id } = device.occupant;
  if (known.made.has(id)) return "claim";
  if (known.madeByOthers.has(id)) return "other";
  const isStrange = known.isWholeRecord && device.identity.kind === "vendor-vfio" && device.vacated !== true;
  return isStrange ? "other" : "unknown";
}

type Stand =
  | { readonly kind: "nothing" }
  /** Without a type: something is there, or may be, and nobody can tell what. */
  | { readonly kind: "device"; readonly parent: string; readonly type?: string };

function findStand(device: ClaimedDevice, look: HostLook): Stand {
  switch (device.identity.kind) {
    case "mdev":
      return findMdev(device, device.identity.uuid, look);
    case "vendor-vfio":
      return findTypedFunction(device, device.identity.address, look);
    case "function":
      return findFunction(device, device.identity.address, look);
  }
}

function findMdev(device: ClaimedDevice, uuid: string, { tree, snapshot }: HostLook): Stand {
  const shown = snapshot.devices.find(({ id, kind }) => id === uuid && kind === "mdev");
  if (shown !== undefined && shown.parent !== "unknown") {
    const type = valueOf(shown.type);
    return { kind: "device", parent: shown.parent, ...(type === undefined ? {} : { type }) };
  }
  const isGone = observe({ kind: "remove", uuid }, tree).kind === "as-wanted";
  return isGone && shown === undefined ? { kind: "nothing" } : { kind: "device", parent: device.parent };
}

function findTypedFunction({ parent }: ClaimedDevice, address: string, { tree }: HostLook): Stand {
  const sight = observe({ kind: "set-vgpu-type", address, typeNumber: 0 }, tree);
  if (sight.kind === "as-wanted" || sight.kind === "absent") return { kind: "nothing" };
  const number = sight.kind === "otherwise" && /^[1-9]\d{0,8}$/.test(sight.text) ? sight.text : undefined;
  return { kind: "device", parent, ...(number === undefined ? {} : { type: `nvidia-${number}` }) };
}

/** A function as it is stands as long as it is there and bound to a driver that hands it over. */
function findFunction({ parent, type }: ClaimedDevice, address: string, { tree, snapshot }: HostLook): Stand {
  const there = snapshot.functions.find((one) => one.address === address);
  if (there?.assigned === true) return { kind: "device", parent, type };
  if (there !== undefined) return { kind: "nothing" };
  const at = NAME.test(address) ? tree.resolve(`/sys/bus/pci/devices/${address}`) : { kind: "absent" };
  const isProved = at.kind === "absent" && tree.resolve("/sys/bus").kind === "path";
  return isProved || at.kind === "path" ? { kind: "nothing" } : { kind: "device", parent, type };
}

function hasDefinition({ identity, parent }: ClaimedDevice, tree: SysfsTree): boolean {
  if (identity.kind !== "mdev" || !NAME.test(parent) || !NAME.test(identity.uuid)) return false;
  return tree.resolve(placeOf({ kind: "undefine", uuid: identity.uuid, parent })).kind === "path";
}

/** Text of each attribute that the claim sets or checks. */
function readShown(device: ClaimedDevice, { tree, facts }: HostLook): ReadonlyMap<string, string> {
  const shown = new Map<string, string>();
  const parent = facts.get(device.parent);
  if (device.identity.kind !== "mdev" || parent === undefined) return shown;
  for (const { attribute } of expectationsOf(device, parent)) {
    const read = tree.read(findAttributePlace(tree, device.identity.uuid, attribute), TEXT_MAX);
    if (read.kind === "text") shown.set(attribute, read.text);
  }
  return shown;
}
