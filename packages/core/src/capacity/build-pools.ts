// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import type { MdevType } from "../device/mdev-type.ts";
import type { ParentDevice } from "../device/parent-device.ts";
import type { Problem } from "../device/problem.ts";
import { compareOffers, disagreementOf } from "./compare-offers.ts";
import { consumptionOf, poolTypeOf } from "./consumption.ts";
import { declaredLaw } from "./declared-law.ts";
import { inferFromNeighbour, inferOneSize } from "./inferred-law.ts";
import { occupantsOf, unitsOf } from "./occupants.ts";
import { areAllFunctions, groupByOwner, haveVirtualFunctions } from "./owners.ts";
import type { OwnedGroup, StatementFor } from "./owners.ts";
import type { PoolStatement } from "./pool-statement.ts";
import { findConflicts, findDifferences, findUnknowns } from "./pool-problems.ts";
import type { Offer, Pool, PoolType } from "./pool.ts";
import { findUncounted } from "./uncounted.ts";

/** Pools of a host, sorted by their first parent, and what does not add up in them. */
export interface Pools {
  readonly pools: readonly Pool[];
  readonly problems: readonly Problem[];
}

/** A pool on its way to its law, with the group it comes from. */
interface Draft {
  readonly pool: Pool;
  readonly group: OwnedGroup;
  /** Set where only a pool beside it could prove its law. */
  readonly candidate?: Pool;
}

/**
 * Finds the pools of one host: who owns them, by which law their types share, and what sits in them.
 *
 * The law is stated by a pack (`statementFor` answers for a parent), or the readings prove it, or it is unknown; `origin` says which.
 * A stated law is still compared with the host's own numbers, and what differs is a problem.
 */
export function poolsOf(request: { readonly snapshot: HostSnapshot; readonly statementFor: StatementFor }): Pools {
  const { snapshot, statementFor } = request;
  const groups = groupByOwner(snapshot, statementFor).filter((group) =>
    group.parents.some(({ types }) => types.length > 0),
  );
  const drafts = groups.map((group) => draftPool(snapshot, group));
  const proved = drafts.map(({ pool }) => pool);
  const finished = drafts.map(({ pool, group, candidate }) => {
    const inference = candidate === undefined ? undefined : inferFromNeighbour(candidate, proved);
    const lawful = inference === undefined ? pool : { ...pool, ...inference };
    const differences = compareOffers(lawful);
    const disagreement = disagreementOf(differences);
    const uncounted = findUncounted(snapshot, groups, lawful);
    const compared = {
      ...lawful,
      ...(disagreement === undefined ? {} : { disagreement }),
      ...(uncounted === undefined ? {} : { uncounted }),
    };
    const problems = [
      ...findUnknowns(compared, group.parents),
      ...findConflicts(compared, group),
      ...findDifferences(compared, group.parents, differences),
    ];
    return { pool: compared, problems };
  });
  return { pools: finished.map(({ pool }) => pool), problems: finished.flatMap(({ problems }) => problems) };
}

function draftPool(snapshot: HostSnapshot, group: OwnedGroup): Draft {
  const [statement, ...others] = group.statements;
  const pool = plainPool(snapshot, group, statement);
  if (group.owner.kind === "unknown") {
    return { pool: withoutLaw(pool, `who owns the room is not known: ${group.owner.why}`), group };
  }
  if (statement !== undefined) {
    if (others.length > 0) return { pool: withoutLaw(pool, "several packs state a law for it"), group };
    const law = declaredLaw(pool, statement, unitsOf(snapshot, group));
    const origin =
      law.kind === "unknown" ? ({ kind: "unknown" } as const) : ({ kind: "declared", pack: statement.pack } as const);
    return { pool: { ...pool, law, origin }, group };
  }
  if (group.owner.kind === "gpu-instance") {
    return { pool: withoutLaw(pool, "no pack states how devices share a GPU instance"), group };
  }
  const inference = inferOneSize(pool, areAllFunctions(group));
  if ("law" in inference) return { pool: { ...pool, ...inference }, group };
  const { candidate } = inference;
  return { pool: withoutLaw(pool, inference.why), group, ...(candidate === undefined ? {} : { candidate }) };
}

/** The pool before its law is known. */
function plainPool(snapshot: HostSnapshot, group: OwnedGroup, statement: PoolStatement | undefined): Pool {
  const occupants = occupantsOf(snapshot, group);
  const perParent = perParentOf(group, statement);
  return {
    host: snapshot.host,
    owner: group.owner,
    law: { kind: "unknown", why: "" },
    origin: { kind: "unknown" },
    parents: group.parents.map(({ id }) => id),
    ...(perParent === undefined ? {} : { perParent }),
    types: typesOf(
      group,
      statement,
      occupants.map(({ type }) => type),
    ),
    occupants,
    offers: group.parents.flatMap((parent) => parent.types.map((type) => offerOf(parent, type))),
    changed: false,
    seen: occupants,
  };
}

function perParentOf(group: OwnedGroup, statement: PoolStatement | undefined): number | undefined {
  // A function of the vendor framework is set to one type: it is one device.
  if (group.parents.every((parent) => parent.framework === "vendor-vfio")) return 1;
  return haveVirtualFunctions(group) ? statement?.perVirtualFunction : undefined;
}

/** All types that a parent offers or a device has. What one parent says of a type differently from another is dropped. */
function typesOf(
  group: OwnedGroup,
  statement: PoolStatement | undefined,
  held: readonly string[],
): readonly PoolType[] {
  const types = new Map<string, PoolType>();
  for (const type of group.parents.flatMap((parent) => parent.types)) {
    const said = poolTypeOf(type, statement);
    const before = types.get(type.id);
    types.set(type.id, before === undefined || isSameType(before, said) ? said : { type: type.id });
  }
  for (const type of held) {
    if (type === "" || types.has(type)) continue;
    const consumption = consumptionOf(type, statement, new Map());
    types.set(type, { type, ...(consumption === undefined ? {} : { consumption }) });
  }
  return [...types.values()].sort((left, right) => (left.type < right.type ? -1 : 1));
}

function offerOf(parent: ParentDevice, type: MdevType): Offer {
  const available = availableOf(parent, type);
  const most = valueOf(type.maxAggregation);
  return {
    parent: parent.id,
    type: type.id,
    ...(available === undefined ? {} : { available }),
    // 0 is written by drivers that do not aggregate the type: one unit a device.
    ...(most === undefined ? {} : { maxAggregation: Math.max(1, most) }),
  };
}

/** `available_instances`; in the vendor framework 1 for what the function can be set to, 0 once it is set. */
function availableOf(parent: ParentDevice, type: MdevType): number | undefined {
  const available = valueOf(type.availableInstances);
  if (available !== undefined) return available >= 0 ? available : undefined;
  if (parent.framework !== "vendor-vfio" || type.availableInstances.kind === "unreadable") return undefined;
  if (parent.currentType.kind === "unreadable") return undefined;
  return parent.currentType.kind === "absent" ? 1 : 0;
}

function withoutLaw(pool: Pool, why: string): Pool {
  return { ...pool, law: { kind: "unknown", why }, origin: { kind: "unknown" } };
}

function isSameType(left: PoolType, right: PoolType): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
