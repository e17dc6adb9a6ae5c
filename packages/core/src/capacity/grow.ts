// SPDX-License-Identifier: Apache-2.0

import type { Ask } from "./ask.ts";
import type { Pool } from "./pool.ts";
import { findRoom } from "./room.ts";
import { explainShort, explainUnknown } from "./short.ts";

/** Whether a device can be set to more units: it fits, it is short of these counters, or nobody can tell. */
export type Grow =
  | { readonly kind: "fits" }
  | { readonly kind: "short"; readonly missing: Readonly<Record<string, number>>; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

/**
 * Whether a device that exists can be set from the units it has to `to` units: it needs only the difference, at its own
 * parent, and no new place for a device (the dynamic resource `aggregator`, claimed after creation). Fewer units, and
 * as many as it has, always fit. Throws RangeError where `to` is not a whole number of at least 1.
 */
export function roomToGrow(pool: Pool, request: { readonly id: string; readonly to: number }): Grow {
  const { id, to } = request;
  if (!Number.isSafeInteger(to) || to < 1) {
    throw new RangeError(`Count out of range: expected a whole number of at least 1, got ${to}`);
  }
  const occupant = pool.occupants.find((candidate) => candidate.id === id);
  if (occupant === undefined) return { kind: "unknown", why: `${id} is not in this pool` };
  if (occupant.uncertain !== undefined)
    return { kind: "unknown", why: `what ${id} takes is not known: ${occupant.uncertain}` };
  if (to <= occupant.count) return { kind: "fits" };
  if (pool.law.kind === "units" || pool.law.kind === "slots") {
    return {
      kind: "unknown",
      why: "devices with an identity of their own, units or placement slots, are not aggregated",
    };
  }
  const offer = pool.offers.find(
    (candidate) => candidate.parent === occupant.parent && candidate.type === occupant.type,
  );
  if (offer?.maxAggregation !== undefined && to > offer.maxAggregation) {
    const why = `one ${occupant.type} has ${offer.maxAggregation} units at most`;
    return { kind: "short", missing: { max_aggregation: to - offer.maxAggregation }, why };
  }
  const ask: Ask = { type: occupant.type, parents: [occupant.parent], count: to - occupant.count, purpose: "grow" };
  const room = findRoom(pool, ask);
  if (room.atLeast >= 1) return { kind: "fits" };
  return room.atMost < 1 ? explainShort(pool, ask) : { kind: "unknown", why: explainUnknown(pool) };
}
