// SPDX-License-Identifier: Apache-2.0

import type { Compare, Conflict, Transaction, TransactionAnswer, Write } from "../store.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import type { Bytes, KeySpace } from "./etcd-key.ts";
import { formatKey, fromBytes, toBytes } from "./etcd-key.ts";
import { parseKeyValue, parseRevision } from "./document-coding.ts";
import type { Init } from "./etcd-methods.ts";

const EQUAL = 0;
const CREATE_REVISION = 1;
const MOD_REVISION = 2;

/**
 * Where a transaction leaves its operation's id: a key of this store alone, written by each transaction that writes, and
 * compared with the revision at which it was written last. So a transaction that was sent twice is done once, and one
 * whose answer was lost is recognised.
 */
export interface Slot {
  readonly key: Bytes;
  /** Takes the key away when the store is long gone. */
  readonly lease: bigint;
  /** 0: never written. */
  readonly revision: bigint;
}

/** One transaction under way. */
export interface Operation {
  readonly id: string;
  readonly slot: Slot;
}

/**
 * etcd's transaction: every compare and the slot's, then the writes and the slot's; or else the slot and each compared
 * document are read. One that only deletes leaves the slot alone where there is nothing to delete: it writes nothing then.
 */
export function formatTransaction(space: KeySpace, transaction: Transaction, operation: Operation): Init<"TxnRequest"> {
  const { compares, writes } = transaction;
  const { slot, id } = operation;
  const mark: Init<"RequestOp"> = { put: { key: slot.key, value: toBytes(id), lease: slot.lease } };
  const write = [...writes.map((one) => formatWrite(space, one)), mark];
  const onlyDeletes = writes.every(({ kind }) => kind === "delete");
  return {
    compare: [compareSlot(slot), ...compares.map((compare) => formatCompare(space, compare))],
    success: onlyDeletes
      ? [{ txn: { compare: writes.map(({ key }) => compareAbsent(space, key)), failure: write } }]
      : write,
    failure: [{ range: { key: slot.key } }, ...compares.map(({ key }) => formatRead(space, key))],
  };
}

/** Compares alone: nothing is written, so that it may be asked again and again. */
export function formatCheck(space: KeySpace, compares: readonly Compare[]): Init<"TxnRequest"> {
  return {
    compare: compares.map((compare) => formatCompare(space, compare)),
    failure: compares.map(({ key }) => formatRead(space, key)),
  };
}

/** Takes the slot away from a transaction whose answer was lost: if it comes late, it fails. */
export function formatFence(operation: Operation): Init<"TxnRequest"> {
  const { slot, id } = operation;
  return {
    compare: [compareSlot(slot)],
    success: [{ put: { key: slot.key, value: toBytes(`${id} fenced`), lease: slot.lease } }],
    failure: [{ range: { key: slot.key } }],
  };
}

/**
 * What became of an operation. `lost-slot`: nothing of it was written, and the slot is of no more use.
 * `slotRevision` is what the next operation compares the slot with.
 */
export type Outcome =
  | { readonly kind: "settled"; readonly answer: TransactionAnswer; readonly slotRevision: bigint }
  | { readonly kind: "lost-slot" };

/** Reads the answer to `formatTransaction`. */
export function parseOutcome(
  space: KeySpace,
  asked: { readonly transaction: Transaction; readonly operation: Operation },
  answer: EtcdMessage<"TxnResponse">,
): Outcome {
  const { slot, id } = asked.operation;
  const revision = answer.header?.revision ?? 0n;
  if (answer.succeeded) {
    const nothingToDelete = answer.responses[0]?.txn?.succeeded === true;
    const written: TransactionAnswer = { kind: "written", revision: parseRevision(revision) };
    return { kind: "settled", answer: written, slotRevision: nothingToDelete ? slot.revision : revision };
  }
  const [stands, ...documents] = answer.responses;
  const mark = stands?.range?.kvs[0];
  if (mark !== undefined && fromBytes(mark.value) === id) return settleWritten(mark);
  if ((mark?.modRevision ?? 0n) !== slot.revision) return { kind: "lost-slot" };
  const conflict = parseConflict(space, asked.transaction.compares, { revision, documents });
  return { kind: "settled", answer: conflict, slotRevision: slot.revision };
}

/** Reads the answer to `formatCheck`. */
export function parseCheck(
  space: KeySpace,
  compares: readonly Compare[],
  answer: EtcdMessage<"TxnResponse">,
): TransactionAnswer {
  const revision = answer.header?.revision ?? 0n;
  if (answer.succeeded) return { kind: "written", revision: parseRevision(revision) };
  return parseConflict(space, compares, { revision, documents: answer.responses });
}

/** What a fence found: the operation's own success, a slot that is free for another try, or no slot. */
export type Fenced =
  | { readonly kind: "free"; readonly slotRevision: bigint }
  | { readonly kind: "settled"; readonly answer: TransactionAnswer; readonly slotRevision: bigint }
  | { readonly kind: "unknown" };

/** Reads the answer to `formatFence`. An earlier fence whose answer was lost counts as this one. */
export function parseFence({ id }: Operation, answer: EtcdMessage<"TxnResponse">): Fenced {
  if (answer.succeeded) return { kind: "free", slotRevision: answer.header?.revision ?? 0n };
  const mark = answer.responses[0]?.range?.kvs[0];
  const value = mark === undefined ? undefined : fromBytes(mark.value);
  if (mark !== undefined && value === id) return settleWritten(mark);
  if (mark !== undefined && value === `${id} fenced`) return { kind: "free", slotRevision: mark.modRevision };
  return { kind: "unknown" };
}

function settleWritten(mark: EtcdMessage<"KeyValue">): Extract<Outcome, { kind: "settled" }> {
  const answer: TransactionAnswer = { kind: "written", revision: parseRevision(mark.modRevision) };
  return { kind: "settled", answer, slotRevision: mark.modRevision };
}

function parseConflict(
  space: KeySpace,
  compares: readonly Compare[],
  found: { readonly revision: bigint; readonly documents: readonly EtcdMessage<"ResponseOp">[] },
): TransactionAnswer {
  const failed = compares.flatMap((compare, at): Conflict[] => {
    const kv = found.documents[at]?.range?.kvs[0];
    const expected = compare.kind === "absent" ? undefined : BigInt(compare.revision);
    if (kv?.modRevision === expected) return [];
    return [kv === undefined ? { key: compare.key } : { key: compare.key, document: parseKeyValue(space, kv) }];
  });
  return { kind: "conflict", failed, revision: parseRevision(found.revision) };
}

function formatCompare(space: KeySpace, compare: Compare): Init<"Compare"> {
  if (compare.kind === "absent") return compareAbsent(space, compare.key);
  // etcd takes revision 0 for "not there", the store for no revision of a document: nothing stands at -1.
  const modRevision = compare.revision === 0 ? -1n : BigInt(compare.revision);
  return { result: EQUAL, target: MOD_REVISION, key: formatKey(space, compare.key), modRevision };
}

function compareAbsent(space: KeySpace, key: string): Init<"Compare"> {
  return { result: EQUAL, target: CREATE_REVISION, key: formatKey(space, key), createRevision: 0n };
}

function compareSlot({ key, revision }: Slot): Init<"Compare"> {
  return { result: EQUAL, target: MOD_REVISION, key, modRevision: revision };
}

function formatWrite(space: KeySpace, write: Write): Init<"RequestOp"> {
  const key = formatKey(space, write.key);
  if (write.kind === "delete") return { deleteRange: { key } };
  const value = toBytes(write.value);
  return { put: write.lease === undefined ? { key, value } : { key, value, lease: BigInt(write.lease.id) } };
}

function formatRead(space: KeySpace, key: string): Init<"RequestOp"> {
  return { range: { key: formatKey(space, key) } };
}
