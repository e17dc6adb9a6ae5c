// SPDX-License-Identifier: Apache-2.0

import type { Strategy } from "@berth/core/placement/request";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import type { Caller } from "./claim-book.ts";
import type { ClaimContext } from "./claim-context.ts";
import { findWanted, type Wanted } from "./wanted-claim.ts";

/** How long a claim is held unless the request says, seconds. */
const TTL_SECONDS = 600;

/** A request for a claim with everything that was drawn for it: the same through all tries. */
export interface ClaimWish {
  readonly wanted: Wanted;
  readonly id: string;
  /** One for each device. */
  readonly uuids: readonly string[];
  readonly ttlMs: number;
  readonly principal: string;
  readonly strategy: Strategy;
  /** Used by the strategy `numa` alone. */
  readonly numaNode?: number;
  readonly exceptHosts: readonly string[];
  /** The only host that will do. */
  readonly to?: string;
  readonly isMade: boolean;
  readonly isDryRun: boolean;
}

/** Draws what a claim needs, and finds what it is for; throws what `findWanted` does. */
export function openWish(context: ClaimContext, body: ClaimBody, caller: Caller): ClaimWish {
  const wanted = findWanted(context, body);
  const { strategy = "fragmentation", exceptHosts = [], to, ttlSeconds = TTL_SECONDS } = body;
  return {
    wanted,
    id: context.newId(),
    uuids: wanted.sources.map(() => context.newUuid()),
    ttlMs: ttlSeconds * 1000,
    principal: caller.principal,
    strategy,
    ...(strategy === "numa" && wanted.numaNode !== undefined ? { numaNode: wanted.numaNode } : {}),
    exceptHosts,
    ...(to === undefined ? {} : { to }),
    isMade: body.make === true,
    isDryRun: body.dryRun === true,
  };
}

/** The same wish on what the source's host shows by now. */
export function renewWish(context: ClaimContext, wish: ClaimWish, body: ClaimBody): ClaimWish {
  const wanted = findWanted(context, body);
  const uuids = wanted.sources.map((_, index) => wish.uuids[index] ?? context.newUuid());
  return { ...wish, wanted, uuids };
}
