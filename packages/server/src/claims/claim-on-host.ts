// SPDX-License-Identifier: Apache-2.0

import { applyEvent } from "@berth/core/claim/apply-event";
import type { Claim } from "@berth/core/claim/claim";
import type { ClaimDecision, ClaimRefusal } from "@berth/core/claim/claim-request";
import { addClaim, formatLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import type { ClaimDecisionAnswer, TriedHost } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import { factsOfSnapshot } from "@berth/core/provision/facts-of-snapshot";
import { planProvision } from "@berth/core/provision/plan-provision";
import type { IdemDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import { parseStored } from "../replica/read-document.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Transaction, TransactionAnswer } from "../store/store.ts";
import type { Caller } from "./claim-book.ts";
import {
  ATTEMPTS,
  auditOf,
  compareWith,
  contended,
  findAdoption,
  findLedger,
  ledgerOf,
  transact,
  type ClaimContext,
} from "./claim-context.ts";
import { renewWish, type ClaimWish } from "./claim-wish.ts";
import { decideOnHost, findBarrier, type ClaimTarget } from "./decide-on-host.ts";
import { putClaim } from "./move-claims.ts";
import { answerIn, answerKey, grantedAt, keepAnswer } from "./stored-answers.ts";

export type Granted = Extract<ClaimDecisionAnswer, { readonly kind: "granted" }>;

/** Claims for the same devices that an answer names. */
const ALSO_HELD_MAX = 8;

/** What a claim is tried with. */
export interface ClaimTry {
  readonly body: ClaimBody;
  readonly caller: Caller;
  readonly wish: ClaimWish;
  readonly target: ClaimTarget;
  /** Hosts before this one. */
  readonly tried: readonly TriedHost[];
}

/** What became of it on one host: a grant that is in the store (or was there before), or what is in the way. */
export type HostAnswer =
  | { readonly kind: "granted"; readonly answer: Granted }
  | { readonly kind: "refused"; readonly reasons: readonly ClaimRefusal[] };

/**
 * Claims on one host: decides on the newest that is known and writes it, if nothing that it was decided on has changed;
 * else decides again on what stands there. Called within the host's lane.
 */
export async function claimOnHost(context: ClaimContext, first: ClaimTry): Promise<HostAnswer> {
  let { wish } = first;
  const { caller, target } = first;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const draft = draftClaim(context, { ...first, wish });
    if (draft.kind === "refused") return draft;
    if (wish.isDryRun) return { kind: "granted", answer: draft.answer };
    const answer = await transact(context, draft.transaction);
    if (answer.kind === "written") {
      return { kind: "granted", answer: grantedAt(context, draft.answer, answer.revision) };
    }
    const stored = storedIn(context, caller, answer);
    if (stored !== undefined) return { kind: "granted", answer: stored };
    if (answer.failed.some(({ key }) => isWatched(key))) await context.replica.reached(answer.revision);
    wish = renewWish(context, wish, first.body);
  }
  throw contended(`A claim on ${target.host}`);
}

type Draft =
  | { readonly kind: "refused"; readonly reasons: readonly ClaimRefusal[] }
  | { readonly kind: "granted"; readonly answer: Granted; readonly transaction: Transaction };

function draftClaim(context: ClaimContext, attempt: ClaimTry): Draft {
  const { wish, target, caller, tried } = attempt;
  const barrier = findBarrier(context, wish, target.host);
  if (barrier !== undefined) return { kind: "refused", reasons: barrier };
  const held = findLedger(context, target.host);
  const ledger = ledgerOf(held, target.host);
  const decision = decideOnHost(context, { wish, target, ledger });
  if (decision.kind === "refused") return decision;
  const claim = wish.isMade ? confirm(context, decision) : decision.claim;
  const next = tryAdd(ledger, claim);
  if (typeof next === "string") return { kind: "refused", reasons: [{ code: "ledger_full", text: next }] };
  const answer: Granted = {
    kind: "granted",
    generation: context.replica.view.generation,
    claim: { ...claim, revision: 0 },
    tried,
    dryRun: wish.isDryRun,
    steps: stepsOf(context, claim),
    ...findAlsoHeld(context, wish),
  };
  const { principal } = caller;
  const writes = [
    putClaim(claim),
    { kind: "put", key: keyOf("ledger", target.host), value: formatLedger(next) } as const,
    ...keepAnswer(context, caller, answer),
    auditOf(context, { principal, action: "claim.create", target: claim.id, after: claim }),
  ];
  return { kind: "granted", answer, transaction: { compares: comparesOf(context, attempt, held), writes } };
}

/** Everything that the decision rests on. */
function comparesOf(
  context: ClaimContext,
  { wish, target: { host }, caller }: ClaimTry,
  ledger: { readonly revision: number } | undefined,
): readonly Compare[] {
  const answer = answerKey(caller);
  return [
    compareWith(keyOf("ledger", host), ledger),
    compareWith(keyOf("inventory", host), context.replica.findHost(host)?.inventory),
    compareWith(keyOf("adoption", host), findAdoption(context, host)),
    { kind: "absent", key: keyOf("cordon", host) },
    { kind: "absent", key: keyOf("claim", wish.id) },
    ...wish.wanted.compares,
    ...(answer === undefined ? [] : [{ kind: "absent", key: answer } as const]),
  ];
}

/** The claim as its making is asked for at once. */
function confirm(context: ClaimContext, { claim }: Extract<ClaimDecision, { kind: "granted" }>): Claim {
  const applied = applyEvent(claim, "confirm", { nowMs: context.now() });
  if (applied.kind === "refused") throw new Error(`A new claim cannot be confirmed: ${applied.text}`);
  return applied.claim;
}

/** What holds a place for the same devices already: a request that was made twice by accident holds twice the room. */
function findAlsoHeld({ replica }: ClaimContext, { wanted }: ClaimWish): Pick<Granted, "alsoHeld"> {
  if (wanted.host === undefined) return {};
  const devices = wanted.sources.map(({ subject }) => subject.id);
  const alsoHeld = replica.findClaimsFor(wanted.host, devices, ALSO_HELD_MAX);
  return alsoHeld.length === 0 ? {} : { alsoHeld };
}

/** The ledger with the claim, or why it has no room. */
function tryAdd(ledger: LedgerDocument, claim: Claim): LedgerDocument | string {
  try {
    return addClaim(ledger, claim);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** What the agent will do, as far as the host's snapshot tells; none where it cannot be told. */
function stepsOf({ replica: { view } }: ClaimContext, claim: Claim): readonly string[] {
  const snapshot = view.findHost(claim.host)?.host.snapshot;
  if (snapshot === undefined) return [];
  const plan = planProvision(claim, factsOfSnapshot(snapshot, "sysfs"));
  return plan.kind === "planned" ? plan.steps.map(({ text }) => text) : [plan.reason.text];
}

/** The answer that the same request was given meanwhile. */
function storedIn(
  context: ClaimContext,
  caller: Caller,
  answer: Extract<TransactionAnswer, { kind: "conflict" }>,
): Granted | undefined {
  const key = answerKey(caller);
  const document = answer.failed.find((conflict) => conflict.key === key)?.document;
  if (key === undefined || document === undefined) return undefined;
  return answerIn(context, caller, parseStored(document) as Held<IdemDocument>);
}

/** Inventories are joined by the replica: what changed there is waited for. */
function isWatched(key: string): boolean {
  return key.startsWith(keyOf("inventory", ""));
}
