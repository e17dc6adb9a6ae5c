// SPDX-License-Identifier: Apache-2.0

import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { PoolOwner } from "@berth/core/device/parent-device";

/** The lock of all whose room nobody can tell the owner of: they may share one. */
export const UNKNOWN_OWNER = "unknown";

/** The name under which the owner of a pool is locked. */
export function nameOwner(owner: PoolOwner): string {
  switch (owner.kind) {
    case "parent":
    case "physical-function":
      return `${owner.kind} ${owner.id}`;
    case "gpu-instance":
      return `${owner.kind} ${owner.id} ${owner.instance}`;
    case "unknown":
      return UNKNOWN_OWNER;
  }
}

/** The lock of what is done at one parent; a parent that the host does not show may be anybody's. */
export function findOwner(snapshot: Pick<HostSnapshot, "parents">, parent: string): string {
  const found = snapshot.parents.find(({ id }) => id === parent);
  return found === undefined ? UNKNOWN_OWNER : nameOwner(found.poolOwner);
}

/** The locks of everything that a host shows, sorted. */
export function listOwners({ parents }: Pick<HostSnapshot, "parents">): readonly string[] {
  return [...new Set([UNKNOWN_OWNER, ...parents.map(({ poolOwner }) => nameOwner(poolOwner))])].sort();
}
