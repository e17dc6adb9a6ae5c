// SPDX-License-Identifier: Apache-2.0

import { isPciAddress, isUuid } from "@berth/core/device/address";
import type { DeviceRef, PlaceRef } from "@berth/core/inventory/place";
import { readAllPages } from "@berth/core/protocol/api/client";
import type { VmItem } from "@berth/core/protocol/api/control-answers";
import type { VmReference } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ServerLink } from "../connect/server-link.ts";

/** What a person can point at on a server. */
export type Subject =
  { readonly kind: "device"; readonly ref: DeviceRef } | { readonly kind: "vm"; readonly ref: VmReference };
export type End =
  { readonly kind: "device"; readonly ref: DeviceRef } | { readonly kind: "type"; readonly ref: PlaceRef };

/** The part of a server that references are looked up in. */
export type Lookup = Pick<ServerLink, "inventory" | "control">;

/** A text with the host in front of it, where one is. A device id may hold colons itself. */
export interface Named {
  readonly host?: string;
  readonly rest: string;
}

/** Reads `[host:]rest`. Whether the host exists is the server's to say. */
export function splitReference(text: string): Named {
  const device = text.split("/", 1)[0] ?? "";
  const colon = text.indexOf(":");
  if (isUuid(device) || isPciAddress(device) || colon <= 0) return { rest: text };
  return { host: text.slice(0, colon), rest: text.slice(colon + 1) };
}

/** Reads `[host:]uuid` or `[host:]pci-address`. Throws BerthError unknown_device, ambiguous_device, invalid_reference. */
export async function findServerDevice(text: string, lookup: Lookup): Promise<DeviceRef> {
  const { host, rest } = splitReference(text);
  if (!isDeviceId(rest)) {
    throw new BerthError("invalid_reference", `${quote(text)} names no device`, {
      place: text,
      expected: "host:uuid, host:pci-address, or either without the host",
    });
  }
  const device = rest.toLowerCase();
  if (host !== undefined) return { host, device };
  const hosts = await findHostsOf(device, lookup);
  return { host: onlyHost(text, { hosts, device }), device };
}

/** Reads a device, or a type on a parent: `host:parent/type`. Throws BerthError. */
export async function findServerEnd(text: string, lookup: Lookup): Promise<End> {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return { kind: "device", ref: await findServerDevice(text, lookup) };
  const { host, rest } = splitReference(text);
  const at = rest.lastIndexOf("/");
  const ref = { parent: rest.slice(0, at), type: rest.slice(at + 1) };
  if (host !== undefined && ref.parent !== "" && ref.type !== "") return { kind: "type", ref: { host, ...ref } };
  throw new BerthError("invalid_reference", `${quote(text)} names no ${host === undefined ? "host" : "type"}`, {
    place: text,
    expected: "host:parent/type, such as host-b:0000:00:11.0/nvidia-231",
  });
}

/** Reads a device, or else a VM by name or UUID; with the same id a device is meant. Throws BerthError. */
export async function findServerSubject(text: string, lookup: Lookup): Promise<Subject> {
  const { host, rest } = splitReference(text);
  if (isDeviceId(rest)) {
    const device = rest.toLowerCase();
    const hosts = host === undefined ? await findHostsOf(device, lookup) : await findOnHost(host, device, lookup);
    if (hosts.length > 0) return { kind: "device", ref: { host: onlyHost(text, { hosts, device }), device } };
  }
  const vms = await findVms(text, lookup);
  if (vms.length === 0 && isDeviceId(rest)) throw unknownDevice(text);
  return { kind: "vm", ref: onlyVm(text, vms) };
}

/** Reads `[host:]name` or `[host:]uuid` of a VM. Throws BerthError unknown_vm, ambiguous_vm. */
export async function findServerVm(text: string, lookup: Lookup): Promise<VmReference> {
  return onlyVm(text, await findVms(text, lookup));
}

/** All VMs that are called so, with or without their host in front. */
export async function findVms(text: string, { control }: Pick<Lookup, "control">): Promise<readonly VmItem[]> {
  const { items } = await readAllPages((query) => control.listVms(query));
  return items.filter((vm) => {
    const name = text.startsWith(`${vm.host}:`) ? text.slice(vm.host.length + 1) : undefined;
    return isCalled(vm, text) || (name !== undefined && isCalled(vm, name));
  });
}

function isCalled({ id, uuid, name }: VmItem, text: string): boolean {
  return text === id || text === name || (uuid !== undefined && text.toLowerCase() === uuid);
}

function onlyVm(text: string, vms: readonly VmItem[]): VmReference {
  const [first, ...others] = vms;
  if (first === undefined) {
    throw new BerthError("unknown_vm", `No VM ${quote(text)} is known to the server`, {
      place: text,
      expected: "a VM that berth vms lists",
    });
  }
  if (others.length === 0) return { host: first.host, vm: first.id };
  const names = vms.map(({ host, id }) => `${host}:${id}`);
  throw new BerthError("ambiguous_vm", `${vms.length} VMs are called ${quote(text)}`, {
    place: text,
    expected: `one of ${names.slice(0, 8).join(", ")}`,
  });
}

function isDeviceId(text: string): boolean {
  return isUuid(text.toLowerCase()) || isPciAddress(text.toLowerCase());
}

async function findHostsOf(device: string, { inventory }: Lookup): Promise<readonly string[]> {
  const { items } = await readAllPages((query) => inventory.listDevices(query));
  return items.filter(({ id }) => id === device).map(({ host }) => host);
}

/** The host alone where it has the device. */
async function findOnHost(host: string, device: string, { inventory }: Lookup): Promise<readonly string[]> {
  try {
    await inventory.readDevice(host, device);
    return [host];
  } catch (error) {
    if (error instanceof BerthError && error.code === "unknown_device") return [];
    throw error;
  }
}

function onlyHost(text: string, found: { readonly hosts: readonly string[]; readonly device: string }): string {
  const [first, ...others] = found.hosts;
  if (first === undefined) throw unknownDevice(text);
  if (others.length === 0) return first;
  throw new BerthError("ambiguous_device", `Device ${quote(found.device)} exists on several hosts`, {
    place: text,
    expected: `one of ${found.hosts
      .slice(0, 8)
      .map((host) => `${host}:${found.device}`)
      .join(", ")}`,
  });
}

function unknownDevice(text: string): BerthError {
  return new BerthError("unknown_device", `No device ${quote(text)} is known to the server`, {
    place: text,
    expected: "a device that berth devices lists",
  });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
