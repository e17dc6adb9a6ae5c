// SPDX-License-Identifier: Apache-2.0

import type { ClaimRefusalCode } from "@berth/core/claim/claim-request";
import type { ClaimDecisionAnswer, TriedHost } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { keyOf } from "../documents/keys.ts";
import type { Caller } from "./claim-book.ts";
import { settle, type ClaimContext } from "./claim-context.ts";
import { claimOnHost, type ClaimTry, type HostAnswer } from "./claim-on-host.ts";
import { openWish } from "./claim-wish.ts";
import { findBarrier, findForeignRefusal, type ClaimTarget } from "./decide-on-host.ts";
import { explainOutcome } from "./explain-outcome.ts";
import { findTargets } from "./find-targets.ts";
import { readAnswer } from "./stored-answers.ts";

/** Hosts that were kept out as a whole and are named in an answer; whoever is behind them is no nearer. */
const BARRED_MAX = 64;
/** Hosts that refuse for other reasons than room: those that follow are no better in what they refuse for. */
const REFUSED_MAX = 64;

const ROOM: ReadonlySet<ClaimRefusalCode> = new Set(["claim_no_room", "claim_stranger", "ledger_full"]);

/** Claims a place for whatever a request names; see `ClaimBook.claim`. */
export async function makeClaim(context: ClaimContext, body: ClaimBody, caller: Caller): Promise<ClaimDecisionAnswer> {
  context.underWay.claims += 1;
  try {
    const answer = await decideOrRepeat(context, body, caller);
    if (answer.kind === "granted" && !answer.dryRun) {
      const { id, host, revision } = answer.claim;
      await settle(context, revision, [keyOf("claim", id), keyOf("ledger", host), keyOf("adoption", host)]);
    }
    return answer;
  } finally {
    context.underWay.claims -= 1;
  }
}

/** An answer that was given is given again, whatever would be decided now. */
async function decideOrRepeat(context: ClaimContext, body: ClaimBody, caller: Caller): Promise<ClaimDecisionAnswer> {
  const repeats = caller.idempotency !== undefined && body.dryRun !== true;
  try {
    const answer = await tryHosts(context, body, caller);
    if (answer.kind === "granted" || !repeats) return answer;
    return (await readAnswer(context, caller)) ?? answer;
  } catch (error) {
    const wasRefused = error instanceof BerthError && !error.code.startsWith("store_");
    if (!repeats || !wasRefused || error.code === "idempotency_mismatch") throw error;
    const stored = await readAnswer(context, caller);
    if (stored === undefined) throw error;
    return stored;
  }
}

async function tryHosts(context: ClaimContext, body: ClaimBody, caller: Caller): Promise<ClaimDecisionAnswer> {
  const wish = openWish(context, body, caller);
  const { view } = context.replica;
  const foreign = findForeignRefusal(wish);
  const tried: TriedHost[] = [];
  const refuse = (): ClaimDecisionAnswer => ({
    kind: "refused",
    generation: view.generation,
    tried,
    because: explainOutcome(context, wish, tried),
  });
  if (foreign !== undefined) {
    tried.push({ host: wish.wanted.host ?? "", reasons: [foreign] });
    return refuse();
  }
  if (wish.to !== undefined && view.findHost(wish.to) === undefined) {
    throw new BerthError("unknown_host", `There is no host ${JSON.stringify(wish.to)}`);
  }
  const deferred: Deferred[] = [];
  const counts = { barred: 0, refused: 0 };
  for (const target of findTargets(context, wish)) {
    const barrier = findBarrier(context, wish, target.host);
    if (barrier !== undefined) {
      counts.barred += 1;
      if (counts.barred <= BARRED_MAX) tried.push({ host: target.host, reasons: barrier });
      continue;
    }
    const quick: ClaimTarget = target.best === undefined ? target : { ...target, isQuick: true };
    const answer = await tryHost(context, { body, caller, wish, target: quick, tried: [...tried] });
    if (answer.kind === "granted") return answer.answer;
    if (quick !== target) deferred.push({ target, at: tried.length });
    tried.push({ host: target.host, reasons: answer.reasons });
    if (!answer.reasons.some(({ code }) => ROOM.has(code))) counts.refused += 1;
    if (counts.refused >= REFUSED_MAX) break;
  }
  // No place that the search found grants it: now all places of the hosts count, and everything in the way is told.
  for (const { target, at } of deferred) {
    const { best: _, ...whole } = target;
    const others = tried.filter((_host, index) => index !== at);
    const answer = await tryHost(context, { body, caller, wish, target: whole, tried: others });
    if (answer.kind === "granted") return answer.answer;
    tried[at] = { host: target.host, reasons: answer.reasons };
  }
  return refuse();
}

/** A host of which the best places were tried; `at` is its place in the list of those. */
interface Deferred {
  readonly target: ClaimTarget;
  readonly at: number;
}

async function tryHost(context: ClaimContext, attempt: ClaimTry): Promise<HostAnswer> {
  const answer = await context.lanes.run(attempt.target.host, () => claimOnHost(context, attempt));
  if (answer.kind === "refused" && attempt.wish.to !== undefined) {
    const full = answer.reasons.find(({ code }) => code === "ledger_full");
    if (full !== undefined) throw new BerthError("ledger_full", full.text);
  }
  return answer;
}
