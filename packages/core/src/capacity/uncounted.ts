// SPDX-License-Identifier: Apache-2.0

import { valueOf } from "../device/evidence.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { driverOf } from "./owners.ts";
import type { OwnedGroup } from "./owners.ts";
import type { Pool } from "./pool.ts";

/**
 * Why devices that a pool does not count may sit in it: a device of one of its types whose parent the host does not show,
 * or parents of the same driver whose owner is not known, which may draw on the same physical function. Undefined where
 * every device is counted somewhere.
 */
export function findUncounted(snapshot: HostSnapshot, groups: readonly OwnedGroup[], pool: Pool): string | undefined {
  const stray = findStray(snapshot, pool);
  if (stray !== undefined) return `${stray} exists, and which parent it was made from is not known`;
  if (pool.owner.kind !== "physical-function" && pool.owner.kind !== "gpu-instance") return undefined;
  const drivers = new Set(snapshot.parents.filter(({ id }) => pool.parents.includes(id)).map(driverOf));
  const unowned = groups.find(
    ({ owner, parents }) => owner.kind === "unknown" && parents.some((parent) => drivers.has(driverOf(parent))),
  );
  const [first] = unowned?.parents ?? [];
  return first === undefined ? undefined : `${first.id} may share this pool: whose room it gives away is not known`;
}

function findStray(snapshot: HostSnapshot, pool: Pool): string | undefined {
  const parents = new Set(snapshot.parents.map(({ id }) => id));
  const types = new Set(pool.types.map(({ type }) => type));
  return snapshot.devices.find(({ kind, parent, type }) => {
    if (kind === "function" || parents.has(parent)) return false;
    const id = valueOf(type);
    return id === undefined || types.has(id);
  })?.id;
}
