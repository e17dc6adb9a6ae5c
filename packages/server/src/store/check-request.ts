// SPDX-License-Identifier: Apache-2.0

import type { ReadRequest, Transaction, Write } from "./store.ts";
import { DOCUMENT_MAX, KEY_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_MAX } from "./store.ts";

/** Printable ASCII without the space: every store then sorts keys alike, by byte as by code unit. */
const KEY = /^[\x21-\x7e]+$/;

/**
 * Checks a transaction before any store is asked, so that all of them refuse the same ones.
 *
 * @throws RangeError for more than `TRANSACTION_MAX` compares and writes, a key that is written twice, a document above
 * `DOCUMENT_MAX` bytes or with half a surrogate pair, documents of more than `TRANSACTION_BYTES_MAX` bytes together, or a
 * text that is no key.
 */
export function checkTransaction(transaction: Transaction): void {
  const { compares, writes } = transaction;
  const count = compares.length + writes.length;
  if (count > TRANSACTION_MAX) {
    throw new RangeError(`A transaction holds ${count} compares and writes, at most ${TRANSACTION_MAX} fit`);
  }
  for (const { key } of compares) checkKey(key);
  const written = new Set<string>();
  for (const write of writes) {
    checkKey(write.key);
    if (written.has(write.key)) throw new RangeError(`A transaction writes ${quote(write.key)} twice`);
    written.add(write.key);
    if (write.kind === "put") checkDocument(write.key, write.value);
  }
  checkBytes(writes);
}

/** @throws RangeError for a text that is no key or no prefix, or a limit that is no count above zero. */
export function checkRead({ key, prefix, limit, after }: ReadRequest): void {
  if (prefix === true) checkPrefix(key);
  else checkKey(key);
  if (after !== undefined) checkKey(after);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new RangeError(`A limit is a count above zero, not ${limit}`);
  }
}

/** The empty prefix is every key. @throws RangeError for a text with which no key can begin. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "") checkKey(prefix);
}

/** @throws RangeError for a time that is no count of milliseconds above zero. */
export function checkTtl(ttlMs: number): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs > 0) return;
  throw new RangeError(`A lease lasts a count of milliseconds above zero, not ${ttlMs}`);
}

/** @throws RangeError for a number that is no revision. */
export function checkRevision(revision: number): void {
  if (Number.isSafeInteger(revision) && revision >= 0) return;
  throw new RangeError(`A revision is a count, not ${revision}`);
}

function checkKey(key: string): void {
  if (key.length > KEY_MAX) throw new RangeError(`A key has ${key.length} characters, at most ${KEY_MAX} fit`);
  if (!KEY.test(key)) throw new RangeError(`A key is printable ASCII without spaces, not ${quote(key)}`);
}

function checkDocument(key: string, value: string): void {
  if (!value.isWellFormed()) throw new RangeError(`The document ${quote(key)} holds half a surrogate pair`);
  // A code unit is one to three bytes of UTF-8: most documents need not be counted.
  if (value.length * 3 <= DOCUMENT_MAX) return;
  const bytes = Buffer.byteLength(value, "utf8");
  if (bytes > DOCUMENT_MAX) {
    throw new RangeError(`The document ${quote(key)} has ${bytes} bytes, at most ${DOCUMENT_MAX} fit`);
  }
}

function checkBytes(writes: readonly Write[]): void {
  const texts = writes.flatMap((write) => (write.kind === "put" ? [write.value] : []));
  if (texts.reduce((sum, { length }) => sum + length * 3, 0) <= TRANSACTION_BYTES_MAX) return;
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text, "utf8"), 0);
  if (bytes > TRANSACTION_BYTES_MAX) {
    throw new RangeError(`A transaction writes ${bytes} bytes, at most ${TRANSACTION_BYTES_MAX} fit`);
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
