// SPDX-License-Identifier: Apache-2.0

import { poolsOf } from "../capacity/build-pools.ts";
import type { Pool } from "../capacity/pool.ts";
import type { PoolStatement } from "../capacity/pool-statement.ts";
import type { LoadedPack } from "../compatibility/packs/pack.ts";
import { matchPack } from "../compatibility/packs/match-pack.ts";
import type { Policy } from "../compatibility/policy.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { Problem } from "../device/problem.ts";
import { absent, known, type Reading } from "../device/evidence.ts";
import type { Place } from "./place.ts";
import { profileOfType } from "./profile.ts";

/** One host of the fleet: what it showed, the pools behind its parents, and the places it offers. */
export interface FleetHost {
  readonly snapshot: HostSnapshot;
  readonly pools: readonly Pool[];
  /** Sorted by parent, then type. */
  readonly places: readonly Place[];
  /** The snapshot's problems and those that the pools add. */
  readonly problems: readonly Problem[];
}

/** Many hosts seen together, under one policy and one set of packs. */
export interface Fleet {
  /** Sorted by name. */
  readonly hosts: readonly FleetHost[];
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
}

/** Everything that a fleet is made from. Host names must be distinct; RangeError otherwise. */
export interface FleetParts {
  readonly snapshots: readonly HostSnapshot[];
  readonly packs: readonly LoadedPack[];
  readonly policy: Policy;
}

/** Sees several hosts as one fleet. */
export function fleetOf(parts: FleetParts): Fleet {
  const names = new Set<string>();
  for (const { host } of parts.snapshots) {
    if (names.has(host)) throw new RangeError(`Host ${JSON.stringify(host)} is given twice`);
    names.add(host);
  }
  const sorted = parts.snapshots.toSorted((a, b) => compareText(a.host, b.host));
  return {
    hosts: sorted.map((snapshot) => fleetHostOf(snapshot, parts.packs, parts.policy)),
    policy: parts.policy,
    packs: parts.packs,
  };
}

/** One host with its pools and places. */
export function fleetHostOf(snapshot: HostSnapshot, packs: readonly LoadedPack[], policy: Policy): FleetHost {
  const { pools, problems } = poolsOf({
    snapshot,
    statementFor: (parent) => findPoolStatement(snapshot, parent, packs),
  });
  const places = snapshot.parents.flatMap((parent) => placesOf(snapshot, parent, { pools, policy }));
  return { snapshot, pools, places, problems: mergeProblems(snapshot.problems, problems) };
}

/** What the reader of a tree and the builder of its pools both noticed is told once, in the reader's words. */
function mergeProblems(read: readonly Problem[], added: readonly Problem[]): readonly Problem[] {
  const told = new Set(read.map((problem) => JSON.stringify([problem.code, problem.path])));
  return [...read, ...added.filter((problem) => !told.has(JSON.stringify([problem.code, problem.path])))];
}

function placesOf(
  snapshot: HostSnapshot,
  parent: ParentDevice,
  context: { readonly pools: readonly Pool[]; readonly policy: Policy },
): readonly Place[] {
  const pool = context.pools.find((candidate) => candidate.parents.includes(parent.id));
  return parent.types.flatMap((type) => {
    const profile = profileOfType(snapshot, { parent: parent.id, type: type.id }, context.policy);
    if (profile === undefined) return [];
    return [{ host: snapshot.host, parent: parent.id, type: type.id, profile, pool, numaNode: parent.numaNode }];
  });
}

/**
 * What a pack says of the room behind a parent: the first in the order given that surely matches and says something. A
 * pack that only might match says nothing, and the law is then inferred or unknown.
 */
export function findPoolStatement(
  snapshot: HostSnapshot,
  parent: ParentDevice,
  packs: readonly LoadedPack[],
): PoolStatement | undefined {
  const pci = snapshot.functions.find((candidate) => candidate.address === parent.pci);
  const subject = {
    driverPrefix: prefixOf(snapshot, parent),
    deviceApi: parent.types[0]?.deviceApi ?? nothingAt(snapshot, parent),
    module: parent.module,
    pciIds: pci?.ids ?? nothingAt(snapshot, parent),
  };
  for (const loaded of packs) {
    const { pool, name } = loaded.pack;
    if (pool !== undefined && matchPack(loaded, subject) === "yes") return { ...pool, pack: name };
  }
  return undefined;
}

function prefixOf(snapshot: HostSnapshot, parent: ParentDevice): Reading<string> {
  const type = parent.types[0];
  if (type === undefined) return nothingAt(snapshot, parent);
  return known(type.driverPrefix, { host: snapshot.host, source: "sysfs", path: parent.path, text: type.id });
}

function nothingAt(snapshot: HostSnapshot, parent: ParentDevice): Reading<never> {
  return absent({ host: snapshot.host, source: "sysfs", path: parent.path });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
