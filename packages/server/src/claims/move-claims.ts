// SPDX-License-Identifier: Apache-2.0

import type { Applied } from "@berth/core/claim/apply-event";
import type { Claim } from "@berth/core/claim/claim";
import { addClaim, formatLedger, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Transaction, Write } from "../store/store.ts";
import {
  ATTEMPTS,
  auditOf,
  compareWith,
  contended,
  findLedger,
  ledgerOf,
  readClaim,
  requireReadable,
  transact,
  type ClaimContext,
} from "./claim-context.ts";

/** Something that happens to a claim of a host. */
export interface Move {
  readonly id: string;
  /** What becomes of the claim; `ledger` is that of its host, with the moves before it in it. */
  readonly change: (claim: Claim, ledger: LedgerDocument) => Applied;
  readonly principal: string;
  /** As the audit names it. */
  readonly action: string;
}

/** What came of one move; `held` is the claim as it stands now. */
export type Moved =
  | { readonly kind: "moved"; readonly held: Held<Claim>; readonly changed: boolean }
  | { readonly kind: "refused"; readonly held: Held<Claim>; readonly code: string; readonly text: string }
  | { readonly kind: "unknown" };

/** All moves of a list, in their order; `guard-lost`: the guard did not hold, and nothing from there on was written. */
export type MovesAnswer =
  | { readonly kind: "done"; readonly moved: readonly Moved[]; readonly revision: number }
  | { readonly kind: "guard-lost" };

/** Moves of one transaction: each compares, writes and audits its claim, and all of them have one ledger and one guard. */
const BATCH = 16;

/**
 * Moves claims of one host, each claim and the ledger in one transaction. What is answered was compared with the store:
 * also that a move changes nothing, or has no place.
 */
export async function moveClaims(
  context: ClaimContext,
  host: string,
  { moves, guard }: { readonly moves: readonly Move[]; readonly guard?: Compare | undefined },
): Promise<MovesAnswer> {
  const moved: Moved[] = [];
  let revision = 0;
  for (let from = 0; from < moves.length; from += BATCH) {
    const batch = moves.slice(from, from + BATCH);
    const answer = await context.lanes.run(host, () => moveBatch(context, host, { moves: batch, guard }));
    if (answer.kind === "guard-lost") return answer;
    moved.push(...answer.moved);
    revision = answer.revision;
  }
  return { kind: "done", moved, revision };
}

interface Batch {
  readonly moves: readonly Move[];
  readonly guard: Compare | undefined;
}

async function moveBatch(context: ClaimContext, host: string, batch: Batch): Promise<MovesAnswer> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const plan = await planBatch(context, host, batch);
    if (plan.transaction.compares.length === 0) {
      return { kind: "done", moved: plan.answer(0), revision: context.replica.cursor.revision };
    }
    const answer = await transact(context, plan.transaction);
    if (answer.kind === "written") {
      return { kind: "done", moved: plan.answer(answer.revision), revision: answer.revision };
    }
    if (answer.failed.some(({ key }) => key === batch.guard?.key)) return { kind: "guard-lost" };
  }
  throw contended(`A change of claims on ${host}`);
}

interface BatchPlan {
  readonly transaction: Transaction;
  readonly answer: (revision: number) => readonly Moved[];
}

/** What one claim has become so far; `text` is how it is stored. */
interface Moving {
  readonly stored: Held<Claim>;
  readonly text: string;
  claim: Claim;
}

async function planBatch(context: ClaimContext, host: string, { moves, guard }: Batch): Promise<BatchPlan> {
  const moving = await readMoving(context, host, moves);
  const held = findLedger(context, host);
  if (held === undefined) requireReadable(context, keyOf("ledger", host));
  const before = ledgerOf(held, host);
  let ledger = before;
  let isBehind = false;
  const audits: Write[] = [];
  const outcomes = moves.map((move): ((held: Held<Claim>) => Moved) | undefined => {
    const one = moving.get(move.id);
    if (one === undefined) return undefined;
    const applied = move.change(one.claim, ledger);
    if (applied.kind === "refused") return (now) => ({ ...applied, held: now });
    const changed = JSON.stringify(applied.claim) !== JSON.stringify(one.claim);
    if (changed) {
      audits.push(auditMove(context, move, { before: one.claim, after: applied.claim }));
      isBehind ||= lacks(ledger, one.claim);
      ledger = addClaim(ledger, applied.claim);
      one.claim = applied.claim;
    }
    return (now) => ({ kind: "moved", held: now, changed });
  });
  const written = [...moving.values()].filter(({ claim, text }) => JSON.stringify(claim) !== text);
  const compares = [...moving].map(([id, { stored }]) => compareWith(keyOf("claim", id), stored));
  const puts = written.map(({ claim }) => putClaim(claim));
  const ledgerKey = keyOf("ledger", host);
  if (ledger !== before || isBehind) compares.push(compareWith(ledgerKey, held));
  if (ledger !== before) puts.push({ kind: "put", key: ledgerKey, value: formatLedger(ledger) });
  if (guard !== undefined) compares.push(guard);
  return {
    transaction: { compares, writes: [...puts, ...audits] },
    answer: (revision) => {
      const now = ({ stored, claim, text }: Moving): Held<Claim> =>
        JSON.stringify(claim) === text ? stored : { document: claim, revision };
      return moves.map(({ id }, index) => {
        const one = moving.get(id);
        return one === undefined ? { kind: "unknown" } : (outcomes[index]?.(now(one)) ?? { kind: "unknown" });
      });
    },
  };
}

/**
 * Whether a ledger is older than a claim of its host, which another server made: what becomes of the claim would then
 * be written without it, and its room never come back.
 */
function lacks({ entries }: LedgerDocument, { id, state }: Claim): boolean {
  return holdsRoom(state) && !entries.some(({ claim }) => claim === id);
}

/** The claims that moves are about, each once; what is no claim of this host is left out. */
async function readMoving(
  context: ClaimContext,
  host: string,
  moves: readonly Move[],
): Promise<ReadonlyMap<string, Moving>> {
  const moving = new Map<string, Moving>();
  for (const id of new Set(moves.map((move) => move.id))) {
    const stored = await readClaim(context, id);
    if (stored?.document.host !== host) continue;
    moving.set(id, { stored, text: JSON.stringify(stored.document), claim: stored.document });
  }
  return moving;
}

/** The write that puts a claim. */
export function putClaim(claim: Claim): Write {
  return { kind: "put", key: keyOf("claim", claim.id), value: JSON.stringify(claim) };
}

function auditMove(
  context: ClaimContext,
  { id, principal, action }: Move,
  { before, after }: { readonly before: Claim; readonly after: Claim },
): Write {
  return auditOf(context, { principal, action, target: id, before: brief(before), after: brief(after) });
}

/** What of a claim the audit shows beside its making. */
function brief({ host, state, fence, reason, repairsDrift }: Claim): unknown {
  return {
    host,
    state,
    fence,
    ...(reason === undefined ? {} : { reason }),
    ...(repairsDrift === true ? { repairsDrift } : {}),
  };
}
