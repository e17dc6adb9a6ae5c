// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { ParentDevice, PoolOwner } from "../device/parent-device.ts";
import type { PoolStatement } from "./pool-statement.ts";

/** Parents that share one pool, with what packs state about them. */
export interface OwnedGroup {
  readonly owner: PoolOwner;
  /** Sorted by id. */
  readonly parents: readonly ParentDevice[];
  /** Distinct statements about the parents, by pack name. More than one: packs disagree about this pool. */
  readonly statements: readonly PoolStatement[];
}

interface GrowingGroup {
  owner: PoolOwner;
  readonly parents: ParentDevice[];
  readonly statements: Map<string, PoolStatement>;
}

/** A function that tells what a pack states about a parent. */
export type StatementFor = (parent: ParentDevice) => PoolStatement | undefined;

/**
 * Groups the parents of a host by who owns their room: the parent itself, the physical function with its VFs, a GPU
 * instance. Parents of one driver whose owner is not known are one group, for any of them may share with any other.
 */
export function groupByOwner(snapshot: HostSnapshot, statementFor: StatementFor): readonly OwnedGroup[] {
  const groups = new Map<string, GrowingGroup>();
  for (const parent of [...snapshot.parents].sort((left, right) => (left.id < right.id ? -1 : 1))) {
    const statement = statementFor(parent);
    const owner: PoolOwner = statement?.owner === "parent" ? { kind: "parent", id: parent.id } : parent.poolOwner;
    const key = keyOf(owner, parent);
    const group: GrowingGroup = groups.get(key) ?? { owner, parents: [], statements: new Map() };
    group.parents.push(parent);
    // The physical function is the better name of a group that it shares with its VFs.
    if (owner.kind === "physical-function") group.owner = owner;
    if (statement !== undefined) group.statements.set(statement.pack, statement);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ owner, parents, statements }) => ({
    owner,
    parents,
    statements: [...statements.values()].sort((left, right) => (left.pack < right.pack ? -1 : 1)),
  }));
}

/** Whether all parents of a group are functions that hold one device each: VFs, or functions of the vendor framework. */
export function areAllFunctions(group: OwnedGroup): boolean {
  const { owner, parents } = group;
  if (parents.every((parent) => parent.framework === "vendor-vfio")) return true;
  return haveVirtualFunctions(group) && owner.kind !== "unknown" && parents.every((parent) => parent.id !== owner.id);
}

/** Whether parents of a group are VFs; their physical function may be a parent beside them. */
export function haveVirtualFunctions({ owner, parents }: OwnedGroup): boolean {
  if (owner.kind !== "physical-function" && owner.kind !== "gpu-instance") return false;
  return parents.some((parent) => parent.id !== owner.id);
}

function keyOf(owner: PoolOwner, parent: ParentDevice): string {
  switch (owner.kind) {
    // A physical function may be a parent itself: it is the same hardware under both names.
    case "parent":
    case "physical-function":
      return `device ${owner.id}`;
    case "gpu-instance":
      return `gpu-instance ${owner.id} ${owner.instance}`;
    case "unknown":
      return `unknown ${driverOf(parent)}`;
  }
}

/** The name by which parents of one driver are told: the driver's, or that before their types' names. */
export function driverOf(parent: ParentDevice): string {
  return valueOf(parent.driver) ?? parent.types[0]?.driverPrefix ?? "";
}
