// SPDX-License-Identifier: Apache-2.0

import { isPciAddress, isUuid } from "@berth/core/device/address";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { DeviceRef, PlaceRef } from "@berth/core/inventory/place";
import { BerthError } from "@berth/core/protocol/berth-error";

/** What a person can point at on the command line: a device that exists, or a type on a parent. */
export type Reference =
  { readonly kind: "device"; readonly ref: DeviceRef } | { readonly kind: "type"; readonly ref: PlaceRef };

/**
 * Reads `[host:]uuid`, `[host:]pci-address` or `host:parent/type` against the hosts at hand. Without a host the
 * device must exist on exactly one of them.
 */
export function findReference(text: string, snapshots: readonly HostSnapshot[]): Reference {
  const { host, rest } = splitHost(text, snapshots);
  const slash = rest.lastIndexOf("/");
  if (slash < 0) return { kind: "device", ref: findDevice(text, rest, { host, snapshots }) };
  const parent = rest.slice(0, slash);
  const type = rest.slice(slash + 1);
  if (host === undefined) {
    throw new BerthError("invalid_reference", `${quote(text)} names no host`, {
      place: text,
      expected: "host:parent/type, such as host-b:0000:00:11.0/nvidia-231",
    });
  }
  return { kind: "type", ref: findType(text, { host, parent, type }, snapshots) };
}

/** Reads a reference that must be a device. */
export function findDeviceReference(text: string, snapshots: readonly HostSnapshot[]): DeviceRef {
  const found = findReference(text, snapshots);
  if (found.kind === "device") return found.ref;
  throw new BerthError("invalid_reference", `${quote(text)} is a type on a parent, not a device`, {
    place: text,
    expected: "host:uuid, host:pci-address, or either without the host",
  });
}

/** A host name stands before the first colon unless the whole text is a device id, which may hold colons itself. */
function splitHost(text: string, snapshots: readonly HostSnapshot[]): { host: string | undefined; rest: string } {
  const device = text.split("/", 1)[0] ?? "";
  const isPlain = isUuid(device) || isPciAddress(device) || looksLikeUuid(device);
  if (isPlain && (device === text || !snapshots.some(({ host }) => text.startsWith(`${host}:`)))) {
    return { host: undefined, rest: text };
  }
  const colon = text.indexOf(":");
  if (colon <= 0) return { host: undefined, rest: text };
  const host = text.slice(0, colon);
  if (!snapshots.some((snapshot) => snapshot.host === host)) throw unknownHost(host, text, snapshots);
  return { host, rest: text.slice(colon + 1) };
}

function looksLikeUuid(text: string): boolean {
  return /^[0-9a-f-]{30,}$/i.test(text);
}

function findDevice(
  text: string,
  id: string,
  where: { readonly host: string | undefined; readonly snapshots: readonly HostSnapshot[] },
): DeviceRef {
  if (looksLikeUuid(id) && !isUuid(id)) {
    throw new BerthError("invalid_uuid", `${quote(id)} is not a UUID: it has ${id.length} characters`, {
      place: text,
      expected: "36 characters, 8-4-4-4-12 hexadecimal digits",
    });
  }
  const wanted = id.toLowerCase();
  const hosts = where.snapshots.filter(
    (snapshot) =>
      (where.host === undefined || snapshot.host === where.host) &&
      snapshot.devices.some((device) => device.id.toLowerCase() === wanted),
  );
  const [first, ...others] = hosts;
  if (first === undefined) throw unknownDevice(text, id, where);
  if (others.length > 0) {
    const names = hosts.map((snapshot) => snapshot.host).join(", ");
    throw new BerthError("ambiguous_device", `Device ${quote(id)} exists on several hosts: ${names}`, {
      place: text,
      expected: `one of ${hosts.map((snapshot) => `${snapshot.host}:${id}`).join(", ")}`,
    });
  }
  return { host: first.host, device: wanted };
}

function findType(text: string, ref: PlaceRef, snapshots: readonly HostSnapshot[]): PlaceRef {
  const snapshot = snapshots.find((candidate) => candidate.host === ref.host);
  const parent = snapshot?.parents.find((candidate) => candidate.id === ref.parent);
  if (parent === undefined) {
    throw new BerthError("unknown_parent", `Host ${ref.host} has no parent device ${quote(ref.parent)}`, {
      place: text,
      expected: listOf(snapshot?.parents.map((candidate) => candidate.id) ?? []),
    });
  }
  if (!parent.types.some((type) => type.id === ref.type)) {
    throw new BerthError("unknown_type", `${ref.host}:${ref.parent} offers no type ${quote(ref.type)}`, {
      place: text,
      expected: listOf(parent.types.map((type) => type.id)),
    });
  }
  return ref;
}

function unknownHost(host: string, text: string, snapshots: readonly HostSnapshot[]): BerthError {
  return new BerthError("unknown_host", `No host ${quote(host)} was given`, {
    place: text,
    expected: listOf(snapshots.map((snapshot) => snapshot.host)),
  });
}

function unknownDevice(
  text: string,
  id: string,
  where: { readonly host: string | undefined; readonly snapshots: readonly HostSnapshot[] },
): BerthError {
  const hosts = where.snapshots.filter((snapshot) => where.host === undefined || snapshot.host === where.host);
  const names = hosts.length > 4 ? `any of the ${hosts.length} hosts` : hosts.map(({ host }) => host).join(", ");
  return new BerthError("unknown_device", `No device ${quote(id)} on ${names}`, {
    place: text,
    expected: listOf(hosts.flatMap(({ host, devices }) => devices.map((device) => `${host}:${device.id}`))),
  });
}

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "nothing is there to name";
  const shown = names.slice(0, 8).join(", ");
  return names.length > 8 ? `one of ${shown}, and ${names.length - 8} more` : `one of ${shown}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
