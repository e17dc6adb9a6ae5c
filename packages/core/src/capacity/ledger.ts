// SPDX-License-Identifier: Apache-2.0

import { findType } from "./ask.ts";
import { withOccupants } from "./changes.ts";
import type { Occupant, Pool } from "./pool.ts";

/**
 * What a host shows, with the claims added that it does not show yet.
 *
 * Claims are matched by identity, never by count: a claim is shown when a device has its id, or sits at its slot as its
 * type, or holds all of its units. A shown device that has fewer units than its claim is counted with the claim's.
 * Claims on parents of other pools are left out. Applying the same claims twice changes nothing.
 */
export function applyLedger(pool: Pool, claims: readonly Occupant[]): Pool {
  let occupants: Occupant[] = [...pool.occupants];
  let ids = new Set(occupants.map(({ id }) => id));
  for (const claim of claims) {
    if (!pool.parents.includes(claim.parent)) continue;
    // A claim without a slot and units of its own is shown by its id or not at all.
    if (claim.slot === undefined && claim.units === undefined && !ids.has(claim.id)) {
      occupants.push(claim);
      ids.add(claim.id);
      continue;
    }
    occupants = [...addClaim(pool, occupants, claim)];
    ids = new Set(occupants.map(({ id }) => id));
  }
  return withOccupants(pool, occupants);
}

function addClaim(pool: Pool, occupants: readonly Occupant[], claim: Occupant): readonly Occupant[] {
  const shown = occupants.find((occupant) => isSameDevice(pool, occupant, claim));
  if (shown === undefined) return [...occupants, withoutHeldUnits(occupants, claim)];
  if (shown.id !== claim.id || shown.type !== claim.type) return occupants;
  const others = occupants.filter((occupant) => occupant !== shown);
  const grown = mergeClaim(shown, withoutHeldUnits(others, claim));
  return occupants.map((occupant) => (occupant === shown ? grown : occupant));
}

function isSameDevice(pool: Pool, occupant: Occupant, claim: Occupant): boolean {
  if (occupant.id === claim.id) return true;
  if (occupant.type !== claim.type || occupant.parent !== claim.parent) return false;
  const hasSlots = pool.law.kind === "slots" && findType(pool, claim.type)?.consumption?.slots !== undefined;
  if (hasSlots && claim.slot !== undefined && occupant.slot === claim.slot) return true;
  const { units } = claim;
  return units !== undefined && units.length > 0 && units.every((unit) => occupant.units?.includes(unit) === true);
}

/** The shown device with what its claim still adds: units to grow by, and a slot that the host does not tell. */
function mergeClaim(shown: Occupant, claim: Occupant): Occupant {
  const count = Math.max(shown.count, claim.count);
  const units = claim.units === undefined || shown.units === undefined ? shown.units : [...shown.units, ...claim.units];
  const slot = shown.slot ?? claim.slot;
  return {
    ...shown,
    count,
    ...(units === undefined ? {} : { units: [...new Set(units)].sort() }),
    ...(slot === undefined ? {} : { slot }),
  };
}

/** A claim without the units that these devices hold already: each unit is held once. */
function withoutHeldUnits(occupants: readonly Occupant[], claim: Occupant): Occupant {
  if (claim.units === undefined) return claim;
  const held = new Set(occupants.flatMap((occupant) => occupant.units ?? []));
  return { ...claim, units: claim.units.filter((unit) => !held.has(unit)) };
}
