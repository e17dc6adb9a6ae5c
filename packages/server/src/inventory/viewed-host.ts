// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import { applyLedger } from "@berth/core/capacity/ledger";
import type { Occupant, Pool } from "@berth/core/capacity/pool";
import type { Problem } from "@berth/core/device/problem";
import type { FleetHost } from "@berth/core/inventory/fleet";
import type { Place } from "@berth/core/inventory/place";
import type { ViewedLedger } from "./fleet-edit.ts";

/** One host as a view holds it. */
export interface ViewedHost {
  /** Its pools, places and problems with the ledger applied; the snapshot is what the host showed. */
  readonly host: FleetHost;
  /** What it showed, without ledger and other additions: who knows a newer ledger applies that one. */
  readonly base: FleetHost;
  /** Revision that changed it last. */
  readonly revision: number;
  /** What claims hold there, whether the host shows it or not. Empty too where that is not known: see its problems. */
  readonly ledger: readonly Occupant[];
}

/** What stands beside the snapshot of a host. */
export interface HostAddition {
  readonly ledger: ViewedLedger;
  readonly problems: readonly Problem[];
}

export const NO_ADDITION: HostAddition = { ledger: [], problems: [] };

/** A host as it was made of what it showed, of additions, and what came of both. */
export interface AddedHost {
  /** What it showed, without additions. */
  readonly base: FleetHost;
  readonly addition: HostAddition;
  readonly host: FleetHost;
}

/** The occupants of a ledger; none where it is not known. */
export function occupantsOf(ledger: ViewedLedger): readonly Occupant[] {
  return "unknown" in ledger ? [] : ledger;
}

/**
 * A host with a ledger and problems added. Of what it was before, pools and places that come out alike are kept as the
 * same objects: who compares them finds what changed.
 */
export function addToHost(base: FleetHost, addition: HostAddition, before?: AddedHost): AddedHost {
  const known = before?.base === base ? before : undefined;
  const problems = addition.problems.length === 0 ? base.problems : [...base.problems, ...addition.problems];
  const pools = base.pools.map((pool, at) => {
    const old = known?.host.pools[at];
    const isSame = known !== undefined && old !== undefined && holdsAlike(pool, known.addition.ledger, addition.ledger);
    return isSame ? old : addToPool(pool, addition.ledger);
  });
  const poolOf = new Map(base.pools.map((pool, at) => [pool, pools[at]]));
  const places = base.places.map((place, at) => {
    const pool = place.pool === undefined ? undefined : poolOf.get(place.pool);
    const old = known?.host.places[at] ?? place;
    return pool === old.pool ? old : withPool(place, pool);
  });
  return { base, addition, host: { snapshot: base.snapshot, pools, places, problems } };
}

function withPool(place: Place, pool: Pool | undefined): Place {
  return pool === place.pool ? place : { ...place, pool };
}

/**
 * The pools of a host with another ledger in them than the one that it is seen with. Pools in which both hold the same are
 * those that are seen.
 */
export function poolsWith(
  { base, host, ledger }: Pick<AddedHost, "base" | "host"> & { readonly ledger: ViewedLedger },
  other: readonly Occupant[],
): readonly Pool[] {
  return base.pools.map((pool, at) => {
    const seen = host.pools[at];
    return seen !== undefined && holdsAlike(pool, ledger, other) ? seen : addToPool(pool, other);
  });
}

/** The pool with what a ledger holds in it; the same pool where it holds nothing there. */
function addToPool(pool: Pool, ledger: ViewedLedger): Pool {
  if ("unknown" in ledger) return withoutPromise(pool, ledger.unknown);
  const own = within(pool, ledger);
  return own.length === 0 ? pool : applyLedger(pool, own);
}

/** A pool in which anything may be held: its host's words are an upper end, and nothing is promised. */
function withoutPromise(pool: Pool, why: string): Pool {
  const { seen: _seen, ...rest } = pool;
  return { ...rest, law: { kind: "unknown", why }, origin: { kind: "unknown" }, changed: true };
}

function holdsAlike(pool: Pool, before: ViewedLedger, after: ViewedLedger): boolean {
  if ("unknown" in before || "unknown" in after) return isSameLedger(before, after);
  return before === after || isSameList(within(pool, before), within(pool, after));
}

/** Whether two ledgers hold the same. */
export function isSameLedger(before: ViewedLedger, after: ViewedLedger): boolean {
  if (before === after) return true;
  if ("unknown" in before || "unknown" in after) return isDeepStrictEqual(before, after);
  return isSameList(before, after);
}

function isSameList(before: readonly Occupant[], after: readonly Occupant[]): boolean {
  return before.length === after.length && before.every((occupant, at) => isSameOccupant(occupant, after[at]));
}

/** Compared with every claim, for all that a host holds: fields are mostly texts and numbers, and tell by themselves. */
function isSameOccupant(before: Occupant, after: Occupant | undefined): boolean {
  if (before === after || after === undefined) return before === after;
  const keys = Object.keys(before) as (keyof Occupant)[];
  if (Object.keys(after).length !== keys.length) return false;
  return keys.every((key) => before[key] === after[key] || isDeepStrictEqual(before[key], after[key]));
}

function within(pool: Pool, ledger: readonly Occupant[]): readonly Occupant[] {
  return ledger.filter(({ parent }) => pool.parents.includes(parent));
}
