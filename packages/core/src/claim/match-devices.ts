// SPDX-License-Identifier: Apache-2.0

import type { Occupant, Pool } from "../capacity/pool.ts";
import type { UsableOffer } from "./judge-offer.ts";
import { findPool, listSlots, takeOffer } from "./take-offer.ts";

/** A device that is to be given a place. */
export interface Seeker {
  readonly uuid: string;
  /** Best first. */
  readonly offers: readonly UsableOffer[];
}

/** The place that one device is given. */
export interface Placed {
  readonly offer: UsableOffer;
  readonly occupant: Occupant;
}

/** All devices placed, in their order, or none. */
export type Match =
  | { readonly kind: "matched"; readonly pools: readonly Pool[]; readonly placed: readonly Placed[] }
  | { readonly kind: "none" }
  /** The search ended at its limit: whether there is a way is not known. */
  | { readonly kind: "bounded"; readonly tries: number };

/** Most takes that one search tries. */
export const TRIES_MAX = 5000;

/** How far a search has come. */
interface Stage {
  readonly index: number;
  readonly pools: readonly Pool[];
  /** Functions that are claimed or used. */
  readonly taken: ReadonlySet<string>;
  readonly placed: readonly Placed[];
  /** Index of the offer that the device before took. */
  readonly before: number;
}

interface Search {
  readonly seekers: readonly Seeker[];
  readonly shapes: readonly string[];
  tries: number;
}

/**
 * Gives every device a place of its own, or says that there is no way. Devices are served in their order, each by its best
 * offer with which all later ones still find a place: so the first device comes before the second, and no greedy choice
 * keeps the last one out. Every take is from what the earlier ones left, so no two share one place.
 *
 * Ways that only exchange like parents or like devices are tried once. Exact up to `TRIES_MAX` takes.
 */
export function matchDevices(seekers: readonly Seeker[], pools: readonly Pool[], taken: ReadonlySet<string>): Match {
  const shapes = seekers.map(({ offers }) => JSON.stringify(offers.map(shapeOf)));
  const search: Search = { seekers, shapes, tries: 0 };
  const found = placeNext(search, { index: 0, pools, taken, placed: [], before: 0 });
  if (found !== undefined) return { kind: "matched", pools: found.pools, placed: found.placed };
  return search.tries >= TRIES_MAX ? { kind: "bounded", tries: search.tries } : { kind: "none" };
}

function placeNext(search: Search, stage: Stage): Stage | undefined {
  const seeker = search.seekers[stage.index];
  if (seeker === undefined) return stage;
  // Like devices may exchange their places: they are given them in the order of the offers.
  const isLikeBefore = stage.index > 0 && search.shapes[stage.index] === search.shapes[stage.index - 1];
  const tried = new Set<string>();
  for (let at = isLikeBefore ? stage.before : 0; at < seeker.offers.length; at += 1) {
    const offer = seeker.offers[at];
    if (offer === undefined) break;
    const alike = likenessOf(search, stage, offer);
    if (tried.has(alike)) continue;
    tried.add(alike);
    const found = placeAt(search, stage, { offer, at, uuid: seeker.uuid });
    if (found !== undefined || search.tries >= TRIES_MAX) return found;
  }
  return undefined;
}

function placeAt(
  search: Search,
  stage: Stage,
  option: { readonly offer: UsableOffer; readonly at: number; readonly uuid: string },
): Stage | undefined {
  const { offer, at, uuid } = option;
  for (const slot of listSlots(stage.pools, offer)) {
    if (search.tries >= TRIES_MAX) return undefined;
    search.tries += 1;
    const answer = takeOffer(stage, offer, { uuid, ...(slot === undefined ? {} : { slot }) });
    if (answer.kind !== "taken") continue;
    const { pools, occupant } = answer;
    const placed = [...stage.placed, { offer, occupant }];
    const taken = offer.framework === "function" ? new Set([...stage.taken, occupant.id]) : stage.taken;
    const found = placeNext(search, { index: stage.index + 1, pools, taken, placed, before: at });
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What makes two offers of one device exchangeable: parents of one pool that look alike in everything that decides room,
 * and that the devices still to be placed are offered alike. Where one of them leads nowhere, so does the other.
 */
function likenessOf(search: Search, { pools, index }: Stage, offer: UsableOffer): string {
  const pool = findPool(pools, offer.parent);
  if (pool === undefined || offer.framework === "function") return JSON.stringify(["alone", offer.parent, offer.type]);
  const here = ({ parent }: { readonly parent: string }): boolean => parent === offer.parent;
  const wanted = search.seekers
    .slice(index)
    .map(({ offers }) => offers.filter(here).map(({ type, count, units }) => [type, count, units ?? null]));
  return JSON.stringify([
    pools.indexOf(pool),
    pool.owner.kind !== "unknown" && pool.owner.id === offer.parent,
    offer.type,
    pool.offers
      .filter(here)
      .map(({ type, available, maxAggregation }) => [type, available ?? null, maxAggregation ?? null]),
    pool.occupants.filter(here).map(looksOf),
    (pool.seen ?? pool.occupants).filter(here).map(looksOf),
    wanted,
  ]);
}

function looksOf({ type, count, slot, units, uncertain }: Occupant): readonly unknown[] {
  return [type, count, slot ?? null, units ?? null, uncertain ?? null];
}

function shapeOf({ framework, parent, type, count, units }: UsableOffer): readonly unknown[] {
  return [framework, parent, type, count, units ?? null];
}
