// SPDX-License-Identifier: Apache-2.0

import { NO_MEMORY, type Pair } from "@berth/core/compatibility/pair";
import { pairKey } from "@berth/core/compatibility/pair-key";
import { relateTypes } from "@berth/core/compatibility/rules/type";
import { isBlank } from "@berth/core/compatibility/same-build";
import { explainUsage } from "@berth/core/device/device-use";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import { profileOfDevice, profileOfType } from "@berth/core/inventory/profile";
import type { ProbeBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { WantedProbe } from "@berth/core/provision/desired-state";
import type { ProbeDocument } from "../documents/documents.ts";
import type { ProbedFleet } from "./probe-parts.ts";

/** What a driver is to be asked, and what its answer is remembered by. */
export type Question = Pick<ProbeDocument, "host" | "pairKey" | "source"> & {
  readonly wanted: Omit<WantedProbe, "id">;
};

/** Longest string that a driver can be asked about: PATH_MAX of the interface's description (section 3.1). */
const VERSION_MAX = 4096;
const ASCII = /^[\x20-\x7e]+$/;

/**
 * What is to be asked of the destination's driver. R1 goes first: no string of one vendor is ever shown to another
 * vendor's driver. Throws BerthError unknown_*, invalid_reference.
 */
export function decideQuestion(fleet: ProbedFleet, { source, destination }: ProbeBody): Question {
  const from = requireSnapshot(fleet, source.host, "/source");
  const to = requireSnapshot(fleet, destination.host, "/destination");
  const sent = requireDevice(fleet, from, { id: source.device.toLowerCase(), place: "/source" });
  const answering = findDestination(fleet, to, destination);
  if (
    sent.subject.kind === answering.subject.kind &&
    from.host === to.host &&
    sent.subject.id === answering.subject.id
  ) {
    throw invalid("/destination", "Source and destination are one and the same device", "another device, or a type");
  }
  const driverPrefix = requireOneDriver(sent, answering);
  const version = requireVersion(sent, "/source");
  requireVersion(answering, "/destination");
  const pair: Pair = { source: sent, destination: answering, policy: fleet.policy, packs: [], memory: NO_MEMORY };
  if (relateTypes(pair) === "different") {
    throw invalid("/destination", "The types differ, which no answer of a driver mends", "the source's type");
  }
  const key = pairKey(pair);
  if (key === undefined) {
    const message = "The destination's driver build, kernel, type or PCI ids are not known";
    throw invalid("/destination", `${message}: no answer could be remembered`, "a place whose class is known");
  }
  const at =
    "device" in destination
      ? ({ kind: "device", device: destination.device.toLowerCase() } as const)
      : ({ kind: "type", parent: destination.parent, type: destination.type } as const);
  return {
    host: to.host,
    pairKey: key,
    source: { host: from.host, subject: sent.subject.id },
    wanted: { at, version, driverPrefix },
  };
}

/** The destination's own string in what an answer is remembered by; undefined in a key that is not of R8. */
export function answeringVersion(key: string): string | undefined {
  const [kind, , version] = JSON.parse(key) as readonly unknown[];
  return kind === "migration_version" && typeof version === "string" ? version : undefined;
}

function findDestination(
  fleet: ProbedFleet,
  snapshot: HostSnapshot,
  destination: ProbeBody["destination"],
): MigrationProfile {
  if ("device" in destination) {
    const id = destination.device.toLowerCase();
    const profile = requireDevice(fleet, snapshot, { id, place: "/destination" });
    const usage = explainUsage(snapshot, id);
    if (usage.kind === "unused") return profile;
    throw invalid("/destination/device", `The device cannot be asked: ${usage.text}`, "a device that nobody uses");
  }
  const profile = profileOfType(snapshot, destination, fleet.policy);
  if (profile !== undefined) return profile;
  const isParent = snapshot.parents.some(({ id }) => id === destination.parent);
  const [code, key] = isParent ? (["unknown_type", "type"] as const) : (["unknown_parent", "parent"] as const);
  throw new BerthError(code, `Host ${quote(snapshot.host)} has no such ${key} ${quote(destination[key])}`, {
    place: `/destination/${key}`,
    expected: "a parent and a type that GET /v1/parents lists",
  });
}

function requireSnapshot(fleet: ProbedFleet, name: string, place: string): HostSnapshot {
  const found = fleet.findHost(name);
  if (found !== undefined) return found.host.snapshot;
  throw new BerthError("unknown_host", `There is no host ${quote(name)} in the inventory`, {
    place: `${place}/host`,
    expected: "a host that GET /v1/hosts lists",
  });
}

function requireDevice(
  { policy }: ProbedFleet,
  snapshot: HostSnapshot,
  { id, place }: { readonly id: string; readonly place: string },
): MigrationProfile {
  const profile = profileOfDevice(snapshot, id, policy);
  if (profile !== undefined) return profile;
  throw new BerthError("unknown_device", `Host ${quote(snapshot.host)} has no device ${quote(id)}`, {
    place: `${place}/device`,
    expected: "a device that GET /v1/devices lists",
  });
}

/** R1, with the name of the driver at both ends. */
function requireOneDriver(source: MigrationProfile, destination: MigrationProfile): string {
  const [left, right] = [source.vendorDriver, destination.vendorDriver];
  if (left.kind === "known" && right.kind === "known" && !isBlank(left.value) && left.value === right.value) {
    return right.value;
  }
  const message = "A string of one vendor's driver is shown to no other (R1), and these two are not known to be one";
  throw invalid("/destination", message, "a destination of the source's vendor driver");
}

function requireVersion({ attributes }: MigrationProfile, place: string): string {
  const reading = attributes.migrationVersion;
  if (reading.kind !== "known") {
    const why = reading.kind === "absent" ? "shows none" : `cannot be read (${reading.why})`;
    throw invalid(
      place,
      `There is no migration_version to ask about: ${reading.evidence.path} ${why}`,
      "an end with one",
    );
  }
  if (reading.value.length <= VERSION_MAX && ASCII.test(reading.value)) return reading.value;
  throw invalid(place, "The migration_version is not what a driver may be asked", `ASCII, ${VERSION_MAX} at most`);
}

function invalid(place: string, message: string, expected: string): BerthError {
  return new BerthError("invalid_reference", message, { place, expected });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
