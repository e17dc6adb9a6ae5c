// SPDX-License-Identifier: Apache-2.0

import { applyEvent } from "@berth/core/claim/apply-event";
import { findExpired } from "@berth/core/claim/expiry";
import { keyOf } from "../documents/keys.ts";
import type { Compare } from "../store/store.ts";
import type { ClaimBook } from "./claim-book.ts";
import { settle, type ClaimContext } from "./claim-context.ts";
import { forgetEnded } from "./forget-ended.ts";
import { moveClaims } from "./move-claims.ts";
import { makeAnswerSweep } from "./stored-answers.ts";

/**
 * Ends the claims whose hold has run out, and forgets answers and ended claims that were kept long enough; see `ClaimBook.expire`. It stops
 * where the guard does not hold any more: another replica does it now.
 */
export function makeExpiry(context: ClaimContext): ClaimBook["expire"] {
  const sweepAnswers = makeAnswerSweep(context);
  return async (guard) => {
    const compare: Compare | undefined = guard === undefined ? undefined : { kind: "revision", ...guard };
    const claims = context.replica.listAllClaims().map(({ document }) => document);
    const due = Map.groupBy(findExpired(claims, context.now()), ({ host }) => host);
    let ended = 0;
    for (const [host, own] of due) {
      const moves = own.map(({ id }) => ({
        id,
        principal: "berth",
        action: "claim.expire",
        change: (claim: (typeof own)[number]) => applyEvent(claim, "expire", { nowMs: context.now() }),
      }));
      const answer = await moveClaims(context, host, { moves, guard: compare });
      if (answer.kind === "guard-lost") return ended;
      ended += answer.moved.filter((moved) => moved.kind === "moved" && moved.changed).length;
      await settle(context, answer.revision, [keyOf("ledger", host), ...own.map(({ id }) => keyOf("claim", id))]);
    }
    await sweepAnswers(compare);
    await forgetEnded(context, compare);
    return ended;
  };
}
