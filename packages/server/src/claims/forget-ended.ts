// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { holdsRoom } from "@berth/core/claim/transitions";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Write } from "../store/store.ts";
import { compareWith, type ClaimContext } from "./claim-context.ts";

/** How long a claim that has ended is shown, milliseconds: 30 days. The audit tells of it for longer. */
const SHOWN_MS: number = 30 * 24 * 60 * 60 * 1000;
/** Most claims that one run forgets: each has a compare and a write. */
const AT_ONCE = 30;

/**
 * Forgets claims that ended long ago, a part of them with every run: every server has all claims in memory. They hold no
 * room and stand in no ledger; each is compared as it was found. Nothing is written where the guard does not hold.
 */
export async function forgetEnded(context: ClaimContext, guard: Compare | undefined): Promise<void> {
  const nowMs = context.now();
  const old: Held<Claim>[] = [];
  for (const held of context.replica.listAllClaims()) {
    if (old.length >= AT_ONCE) break;
    if (isOver(held.document, nowMs)) old.push(held);
  }
  if (old.length === 0) return;
  const keys = old.map(({ document }) => keyOf("claim", document.id));
  const compares = old.map((held, at) => compareWith(keys[at] ?? "", held));
  await context.replica.store.transact({
    compares: guard === undefined ? compares : [...compares, guard],
    writes: keys.map((key): Write => ({ kind: "delete", key })),
  });
}

function isOver({ state, endedAtMs }: Claim, nowMs: number): boolean {
  return !holdsRoom(state) && endedAtMs !== undefined && endedAtMs + SHOWN_MS <= nowMs;
}
