// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Transaction, TransactionAnswer } from "../store.ts";
import { noAnswer, parseFailure, storeClosed } from "./etcd-failure.ts";
import type { KeySpace } from "./etcd-key.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import type { OperationSlots } from "./operation-slots.ts";
import type { Init } from "./etcd-methods.ts";
import type { Fenced, Operation } from "./transaction-coding.ts";
import {
  formatCheck,
  formatFence,
  formatTransaction,
  parseCheck,
  parseFence,
  parseOutcome,
} from "./transaction-coding.ts";

/** What a transaction works with. Members are behind it, so that tests can lose any request and any answer. */
export interface TransactContext {
  readonly space: KeySpace;
  readonly slots: OperationSlots;
  /** Asks one member once; turns to the next one when it fails. */
  readonly tryTxn: (request: Init<"TxnRequest">) => Promise<EtcdMessage<"TxnResponse">>;
  /** Waits before the next try. */
  readonly rest: (tries: number) => Promise<void>;
  readonly now: () => number;
  readonly deadlineMs: number;
  readonly isClosed: () => boolean;
}

/** How far a transaction came. `again`: nothing was written, nor ever will be by what was sent so far. */
type Progress =
  | { readonly kind: "done"; readonly answer: TransactionAnswer }
  | { readonly kind: "again"; readonly operation: Operation };

/**
 * Does a transaction once, however often it takes to ask.
 *
 * When an answer is lost, the slot is first fenced: either the lost request was done, then its mark stands in the slot and is
 * the answer; or it was not, and then it never will be, however late it comes, because the slot has moved. Only then is it
 * sent again. So neither its own success nor a straggler can be taken for another's write.
 */
export async function transactEtcd(context: TransactContext, transaction: Transaction): Promise<TransactionAnswer> {
  const deadline = context.now() + context.deadlineMs;
  if (transaction.writes.length === 0) return await checkCompares(context, transaction, deadline);
  let operation = await newOperation(context);
  let leases = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      const progress = await tryOnce(context, { transaction, operation }, deadline);
      if (progress.kind === "done") return progress.answer;
      operation = progress.operation;
      if (context.now() >= deadline) throw noAnswer([], new Error("A transaction was lost again and again"));
    } catch (error) {
      // The lease may be the slot's own, taken away behind our back; a second time it is the caller's.
      const ended = error instanceof BerthError && error.code === "store_lease_ended";
      if (!ended || leases > 0) throw error;
      leases += 1;
      await context.slots.forgetLease(operation.slot.lease);
      operation = await newOperation(context);
    }
    await context.rest(tries);
  }
}

async function tryOnce(
  context: TransactContext,
  asked: { readonly transaction: Transaction; readonly operation: Operation },
  deadline: number,
): Promise<Progress> {
  const { operation } = asked;
  const { slots, space } = context;
  let answer: EtcdMessage<"TxnResponse">;
  try {
    answer = await context.tryTxn(formatTransaction(space, asked.transaction, operation));
  } catch (error) {
    const failure = parseFailure(error);
    if (failure.kind === "unknown") return await fence(context, operation, deadline);
    slots.giveBack(operation.slot, operation.slot.revision);
    throw failure.error;
  }
  const outcome = parseOutcome(space, asked, answer);
  if (outcome.kind === "lost-slot") return { kind: "again", operation: await newOperation(context) };
  slots.giveBack(operation.slot, outcome.slotRevision);
  return { kind: "done", answer: outcome.answer };
}

/** Finds out what became of an operation whose answer was lost. `store_unavailable` where that cannot be found out. */
async function fence(context: TransactContext, operation: Operation, deadline: number): Promise<Progress> {
  const fenced = await askAgain(context, formatFence(operation), deadline);
  const found: Fenced = parseFence(operation, fenced);
  if (found.kind === "unknown") {
    throw new BerthError("store_unavailable", "A transaction's answer was lost, and etcd forgot what became of it");
  }
  if (found.kind === "free") {
    // Another id: the first one's late arrivals stay apart from the next try.
    const slot = { ...operation.slot, revision: found.slotRevision };
    return { kind: "again", operation: { id: randomUUID(), slot } };
  }
  context.slots.giveBack(operation.slot, found.slotRevision);
  return { kind: "done", answer: found.answer };
}

async function checkCompares(
  context: TransactContext,
  { compares }: Transaction,
  deadline: number,
): Promise<TransactionAnswer> {
  return parseCheck(context.space, compares, await askAgain(context, formatCheck(context.space, compares), deadline));
}

/** Asks until there is an answer; only for what may be done twice. */
async function askAgain(
  context: TransactContext,
  request: Init<"TxnRequest">,
  deadline: number,
): Promise<EtcdMessage<"TxnResponse">> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await context.tryTxn(request);
    } catch (error) {
      if (context.isClosed()) throw storeClosed();
      const failure = parseFailure(error);
      if (failure.kind === "refused") throw failure.error;
      if (context.now() >= deadline) throw noAnswer([], error);
    }
    await context.rest(tries);
  }
}

async function newOperation({ slots }: TransactContext): Promise<Operation> {
  return { id: randomUUID(), slot: await slots.take() };
}
