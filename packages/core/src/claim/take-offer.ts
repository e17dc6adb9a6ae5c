// SPDX-License-Identifier: Apache-2.0

import type { Pool, Taken } from "../capacity/pool.ts";
import { placementOf } from "../capacity/slots-law.ts";
import { take } from "../capacity/take.ts";
import type { Occupant } from "../capacity/pool.ts";
import type { UsableOffer } from "./judge-offer.ts";

/** What is left of a host: its pools, and the functions that are gone. */
export interface Remains {
  readonly pools: readonly Pool[];
  readonly taken: ReadonlySet<string>;
}

/** One offer taken: all pools of the host afterwards. Else what `take` says. */
export type OfferTaken =
  | { readonly kind: "taken"; readonly pools: readonly Pool[]; readonly occupant: Occupant }
  | Exclude<Taken, { readonly kind: "taken" }>;

/**
 * Takes the place of one offer. An mdev device sits in its pool by its UUID, a virtual function by its address, as the
 * inventory will show it; a function as it is takes no pool, only itself.
 */
export function takeOffer(
  { pools, taken }: Remains,
  offer: UsableOffer,
  at: { readonly uuid: string; readonly slot?: number },
): OfferTaken {
  const { parent, type, count, units } = offer;
  if (offer.framework === "function") return takeFunction({ pools, taken }, offer);
  const pool = findPool(pools, parent);
  if (pool === undefined) return { kind: "unknown", why: `no pool of this host names ${parent}` };
  const answer = take(pool, {
    id: occupantId(offer, at.uuid),
    type,
    count,
    parent,
    ...(units === undefined ? {} : { units }),
    ...(at.slot === undefined ? {} : { slot: at.slot }),
  });
  if (answer.kind !== "taken") return answer;
  return {
    kind: "taken",
    pools: pools.map((other) => (other === pool ? answer.pool : other)),
    occupant: answer.occupant,
  };
}

/** The id by which ledger and inventory know a device made from an offer. */
export function occupantId({ framework, parent, pair }: UsableOffer, uuid: string): string {
  if (framework === "mdev") return uuid;
  return framework === "vendor-vfio" ? parent : pair.destination.subject.id;
}

/** The pool behind a parent; undefined where no pool names it. */
export function findPool(pools: readonly Pool[], parent: string): Pool | undefined {
  return pools.find(({ parents }) => parents.includes(parent));
}

/**
 * The placement slots to try, in this order: the pool's own choice (undefined), then each allowed start. Elsewhere only
 * the pool's own.
 */
export function listSlots(pools: readonly Pool[], { parent, type }: UsableOffer): readonly (number | undefined)[] {
  const pool = findPool(pools, parent);
  if (pool?.law.kind !== "slots") return [undefined];
  return [undefined, ...(placementOf(pool, pool.law, type)?.starts ?? [])];
}

function takeFunction({ pools, taken }: Remains, offer: UsableOffer): OfferTaken {
  const { parent, type } = offer;
  const id = occupantId(offer, "");
  if (taken.has(id)) return { kind: "short", missing: { devices: 1 }, why: `${id} is claimed or in use` };
  return { kind: "taken", pools, occupant: { id, type, count: 1, parent } };
}
