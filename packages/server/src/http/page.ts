// SPDX-License-Identifier: Apache-2.0

import type { Generation, Page } from "@berth/core/protocol/api/answers";
import { PAGE_DEFAULT } from "@berth/core/protocol/api/endpoint";
import { BerthError } from "@berth/core/protocol/berth-error";

/** Where an entry stands in its list: compared text by text, by code unit. */
export type PageKey = readonly string[];

/** What a caller asked of a list. */
export interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
  /** Name of the list: a cursor of one is none of another. */
  readonly list: string;
}

/** A list in the order of its keys, which are distinct. */
export interface Listed<T> {
  /** The entries from a key on, or all of them; entries before the key may be among them. */
  readonly entries: (after: PageKey | undefined) => Iterable<T>;
  readonly keyOf: (entry: T) => PageKey;
}

/**
 * One page: the entries after the cursor's. The cursor holds the last key that was given and no position, so that entries
 * which come or go between two pages neither hide nor repeat another one.
 */
export function cutPage<T>(generation: Generation, listed: Listed<T>, request: PageRequest): Page<T> {
  const limit = request.limit ?? PAGE_DEFAULT;
  const after = request.cursor === undefined ? undefined : parseCursor(request.cursor, request.list);
  const items: T[] = [];
  for (const entry of listed.entries(after)) {
    if (after !== undefined && compareKeys(listed.keyOf(entry), after) <= 0) continue;
    const last = items.at(-1);
    if (items.length === limit && last !== undefined) {
      return { generation, items, next: formatCursor(request.list, listed.keyOf(last)) };
    }
    items.push(entry);
  }
  return { generation, items };
}

/** Negative where `a` comes first. */
export function compareKeys(a: PageKey, b: PageKey): number {
  for (const [index, text] of a.entries()) {
    const other = b[index];
    if (other === undefined || text > other) return 1;
    if (text < other) return -1;
  }
  return a.length - b.length;
}

/** Writes a cursor of a list. */
export function formatCursor(list: string, key: PageKey): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString("base64url");
}

/** Reads a cursor of a list; undefined stands for none. Throws BerthError `cursor_malformed`. */
export function parseCursor(cursor: string, list: string): PageKey {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (Array.isArray(value) && value.every((part) => typeof part === "string") && value[0] === list) {
      return value.slice(1);
    }
  } catch {
    // Not JSON: no cursor of ours, as below.
  }
  throw cursorMalformed(cursor);
}

/** The coded error for a cursor that this list never gave. */
export function cursorMalformed(cursor: string): BerthError {
  return new BerthError("cursor_malformed", `${JSON.stringify(cursor.slice(0, 80))} is no cursor of this list`, {
    place: "cursor",
    expected: "the `next` of the page before, unchanged",
  });
}
