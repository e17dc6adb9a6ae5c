// SPDX-License-Identifier: Apache-2.0

import type { ParentDevice } from "../device/parent-device.ts";
import type { Problem } from "../device/problem.ts";
import type { Difference } from "./compare-offers.ts";
import type { OwnedGroup } from "./owners.ts";
import type { Pool } from "./pool.ts";
import { formatRoom } from "./room.ts";

/** The most types that one message names. */
const NAMED_MAX = 8;

/**
 * An unknown owner, named for each parent; an unknown law, named once for the pool. A law is not missed where one parent
 * has one type: its own number is all there is to say.
 */
export function findUnknowns(pool: Pool, parents: readonly ParentDevice[]): readonly Problem[] {
  const { owner, law, host } = pool;
  if (owner.kind === "unknown") {
    return parents.map(({ id, path }) => ({
      code: "pool_owner_unknown",
      host,
      path,
      message: `Whose room ${id} gives away is not known (${owner.why}); after a take its numbers hold no longer`,
    }));
  }
  const [first] = parents;
  if (law.kind !== "unknown" || first === undefined || pool.offers.length < 2) return [];
  const message = `How the types of ${pool.parents.join(", ")} share room is not known: ${law.why}`;
  return [{ code: "pool_law_unknown", host, path: first.path, message }];
}

/** Types of which several parents of a pool say different things. */
export function findConflicts(pool: Pool, group: OwnedGroup): readonly Problem[] {
  const conflicting = pool.types.filter(({ type, consumption, maxInstances }) => {
    const described = group.parents.flatMap((parent) => parent.types.filter((candidate) => candidate.id === type));
    const texts = described.flatMap(({ description }) => (description.kind === "known" ? [description.value] : []));
    return consumption === undefined && maxInstances === undefined && new Set(texts).size > 1;
  });
  const [first] = group.parents;
  if (first === undefined || conflicting.length === 0) return [];
  const message = `The parents of one pool describe ${conflicting.map(({ type }) => type).join(", ")} differently`;
  return [{ code: "facts_disagree", host: pool.host, path: first.path, message }];
}

/** Numbers of the host that differ from its pool's law, one problem for each parent. */
export function findDifferences(
  pool: Pool,
  parents: readonly ParentDevice[],
  differences: readonly Difference[],
): readonly Problem[] {
  return parents.flatMap(({ id, path }) => {
    const own = differences.filter((difference) => difference.parent === id);
    if (own.length === 0) return [];
    const named = own
      .slice(0, NAMED_MAX)
      .map(({ type, word, law }) => `${type} is ${word}, the law gives ${formatRoom(law)}`);
    const more = own.length > NAMED_MAX ? `; and ${own.length - NAMED_MAX} more` : "";
    const message = `available_instances and the law ${pool.law.kind} differ: ${named.join("; ")}${more}`;
    return [{ code: "facts_disagree" as const, host: pool.host, path, message }];
  });
}
