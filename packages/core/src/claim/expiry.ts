// SPDX-License-Identifier: Apache-2.0

import { isDue } from "./apply-event.ts";
import type { Claim } from "./claim.ts";

/**
 * The claims whose hold has run out, in the order in which they ran out, of equals by id. What follows is `expire` with a
 * compare-and-swap on each: a claim that was confirmed in between no longer is one of these.
 */
export function findExpired(claims: readonly Claim[], nowMs: number): readonly Claim[] {
  return claims
    .filter((claim) => isDue(claim, nowMs))
    .toSorted((a, b) => (a.expiresAtMs ?? 0) - (b.expiresAtMs ?? 0) || (a.id < b.id ? -1 : 1));
}
