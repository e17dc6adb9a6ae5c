// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import type { Change, Cursor, Store, StoredDocument, WatchMessage, Write } from "./store.ts";

/** Collects messages until one of this revision or later, a reset, or the end. */
export async function watchUntil(
  store: Store,
  request: { readonly prefix: string; readonly from: Cursor },
  revision: number,
): Promise<WatchMessage[]> {
  const ending = new AbortController();
  const seen: WatchMessage[] = [];
  for await (const message of store.watch({ ...request, signal: ending.signal })) {
    seen.push(message);
    // A reset ends by itself: a store that goes on after it shows here.
    if (message.kind === "changes" && message.cursor.revision >= revision) ending.abort();
  }
  return seen;
}

export async function increment(store: Store, key: string): Promise<void> {
  let document = await readOne(store, key);
  for (;;) {
    assert.ok(document);
    const answer = await store.transact({
      compares: [{ kind: "revision", key, revision: document.revision }],
      writes: [putOf(key, String(Number(document.value) + 1))],
    });
    if (answer.kind === "written") return;
    document = answer.failed[0]?.document;
  }
}

export async function write(store: Store, writes: readonly Write[]): Promise<number> {
  const answer = await store.transact({ compares: [], writes });
  assert.equal(answer.kind, "written");
  return answer.revision;
}

export async function put(store: Store, values: Readonly<Record<string, string>>): Promise<number> {
  return await write(
    store,
    Object.entries(values).map(([key, value]) => putOf(key, value)),
  );
}

export function putOf(key: string, value: string): Write {
  return { kind: "put", key, value };
}

export function putChange(document: StoredDocument): Change {
  return { kind: "put", document };
}

/** A document that nobody wrote again since it was made. */
export function documentOf(key: string, value: string, revision: number): StoredDocument {
  return { key, value, revision, created: revision };
}

export async function readOne(store: Store, key: string): Promise<StoredDocument | undefined> {
  return (await store.read({ key })).documents[0];
}

export async function readAll(store: Store): Promise<Record<string, string>> {
  return valuesOf(await store.read({ key: "", prefix: true }));
}

export async function cursorOf(store: Store): Promise<Cursor> {
  return (await store.read({ key: "p/cursor" })).cursor;
}

export function valuesOf({ documents }: { readonly documents: readonly StoredDocument[] }): Record<string, string> {
  return Object.fromEntries(documents.map(({ key, value }) => [key, value]));
}

export function keysOf(documents: readonly StoredDocument[]): string[] {
  return documents.map(({ key }) => key);
}

export function changesOf(message: WatchMessage): readonly Change[] {
  return message.kind === "changes" ? message.changes : [];
}

export function revisionsOf(messages: readonly WatchMessage[]): number[] {
  return messages.map(({ cursor }) => cursor.revision);
}

/** What stands after all these changes, sorted by key. */
export function replay(messages: readonly WatchMessage[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const change of messages.flatMap(changesOf)) {
    if (change.kind === "put") values.set(change.document.key, change.document.value);
    else values.delete(change.key);
  }
  return Object.fromEntries([...values].toSorted(([a], [b]) => byCodeUnit(a, b)));
}

export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
