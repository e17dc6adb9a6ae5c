// SPDX-License-Identifier: Apache-2.0

import type { AuditItem } from "@berth/core/protocol/api/control-answers";
import { keyOf } from "../documents/keys.ts";
import type { AuditDocument } from "../documents/documents.ts";
import type { Store, Write } from "../store/store.ts";

/** Digits of milliseconds in a key: enough until the year 2286, and as text in the order of time. */
const TIME_DIGITS = 13;

/** The write that puts a change into the audit, for the transaction that makes the change. */
export function auditWrite(entry: AuditDocument): Write {
  const day = new Date(entry.atMs).toISOString().slice(0, 10);
  const time = String(entry.atMs).padStart(TIME_DIGITS, "0");
  return { kind: "put", key: keyOf("audit", `${day}/${time}-${entry.id}`), value: JSON.stringify(entry) };
}

/** Which part of the audit is wanted. */
export interface AuditQuery {
  /** Only this day, `2026-11-20`; absent: all days. */
  readonly day?: string;
  /** Entries after this key. */
  readonly after?: string;
  readonly limit: number;
}

export interface AuditPage {
  readonly items: readonly AuditItem[];
  /** Key to go on after; absent: this is the last page. */
  readonly next?: string;
}

/** Reads a part of the audit, oldest first. */
export async function listAudit(store: Store, query: AuditQuery): Promise<AuditPage> {
  const prefix = keyOf("audit", query.day === undefined ? "" : `${query.day}/`);
  const { documents, more } = await store.read({
    key: prefix,
    prefix: true,
    limit: query.limit,
    ...(query.after === undefined ? {} : { after: query.after }),
  });
  const items = documents.map(({ value }) => itemOf(JSON.parse(value) as AuditDocument));
  const last = documents.at(-1)?.key;
  return { items, ...(more && last !== undefined ? { next: last } : {}) };
}

function itemOf({ before, after, ...entry }: AuditDocument): AuditItem {
  return { ...entry, before: before ?? null, after: after ?? null };
}
