// SPDX-License-Identifier: Apache-2.0

import type { Change, StoredDocument, WatchMessage } from "../store.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import type { KeySpace } from "./etcd-key.ts";
import { fromBytes, parseKey } from "./etcd-key.ts";

/** A document from etcd's key and value. */
export function parseKeyValue(space: KeySpace, kv: EtcdMessage<"KeyValue">): StoredDocument {
  return {
    key: parseKey(space, kv.key),
    value: fromBytes(kv.value),
    revision: parseRevision(kv.modRevision),
    created: parseRevision(kv.createRevision),
  };
}

/** @throws RangeError for a revision beyond what a number holds exactly. */
export function parseRevision(revision: bigint): number {
  if (revision < 0n || revision > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`The revision ${revision} does not fit a number`);
  }
  return Number(revision);
}

/** What a watch's answer is read with. */
export interface EventReading {
  readonly space: KeySpace;
  readonly epoch: string;
  /** Changes of this revision and older ones are known. */
  readonly after: number;
}

/**
 * Cuts one answer of etcd, which holds whole revisions, oldest first, into one message a revision, changes sorted by key.
 */
export function parseEvents(reading: EventReading, events: readonly EtcdMessage<"Event">[]): readonly WatchMessage[] {
  const byRevision = new Map<number, Change[]>();
  for (const { type, kv } of events) {
    if (kv === undefined) continue;
    const revision = parseRevision(kv.modRevision);
    if (revision <= reading.after) continue;
    const change: Change =
      type === 0
        ? { kind: "put", document: parseKeyValue(reading.space, kv) }
        : { kind: "delete", key: parseKey(reading.space, kv.key), revision };
    const changes = byRevision.get(revision);
    if (changes === undefined) byRevision.set(revision, [change]);
    else changes.push(change);
  }
  return [...byRevision].flatMap(([revision, changes]): WatchMessage[] => {
    const [first, ...rest] = changes.toSorted(compareKeys);
    if (first === undefined) return [];
    return [{ kind: "changes", cursor: { epoch: reading.epoch, revision }, changes: [first, ...rest] }];
  });
}

function compareKeys(a: Change, b: Change): number {
  const [keyOfA, keyOfB] = [keyOf(a), keyOf(b)];
  return keyOfA < keyOfB ? -1 : Number(keyOfA > keyOfB);
}

function keyOf(change: Change): string {
  return change.kind === "put" ? change.document.key : change.key;
}
