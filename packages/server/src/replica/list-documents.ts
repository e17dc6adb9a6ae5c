// SPDX-License-Identifier: Apache-2.0

import { PREFIXES } from "../documents/keys.ts";
import type { Change, Cursor, Revision, Store, StoredDocument } from "../store/store.ts";
import { KEPT_KINDS } from "./stored-documents.ts";

/** Documents of one page: at most 16 MiB. */
const PAGE = 256;

/** What a store holds of the kinds that a replica keeps. */
export interface Listing {
  /** Where the first page was read: a watch from here tells everything that the pages may have missed. */
  readonly cursor: Cursor;
  /** What stood at the cursor, but for what changed while the pages were read. */
  readonly documents: readonly StoredDocument[];
  /** Keys of all documents met, also of those that are newer than the cursor. */
  readonly keys: ReadonlySet<string>;
  /** The newest revision met: a watch from the cursor comes to it. */
  readonly newest: Revision;
}

/** Lists in pages. What was written after the first page is left to the watch, so that each revision is told in its turn. */
export async function listDocuments(store: Store): Promise<Listing> {
  let cursor: Cursor | undefined;
  const documents: StoredDocument[] = [];
  for (const kind of KEPT_KINDS) {
    let after: string | undefined;
    for (;;) {
      const page = { key: PREFIXES[kind], prefix: true, limit: PAGE } as const;
      const answer = await store.read(after === undefined ? page : { ...page, after });
      cursor ??= answer.cursor;
      documents.push(...answer.documents);
      after = answer.documents.at(-1)?.key;
      if (!answer.more || after === undefined) break;
    }
  }
  const start = cursor ?? { epoch: store.epoch, revision: 0 };
  return {
    cursor: start,
    documents: documents.filter(({ revision }) => revision <= start.revision),
    keys: new Set(documents.map(({ key }) => key)),
    newest: documents.reduce((newest, { revision }) => Math.max(newest, revision), start.revision),
  };
}

/** What a listing says that is not known yet: newer documents, and deletions of those that it does not name. */
export function findNews(known: ReadonlyMap<string, Revision>, listing: Listing): readonly Change[] {
  const { cursor, documents, keys } = listing;
  const puts = documents
    .filter(({ key, revision }) => revision > (known.get(key) ?? -1))
    .map((document): Change => ({ kind: "put", document }));
  const gone = [...known.keys()].filter((key) => !keys.has(key)).toSorted();
  return [...puts, ...gone.map((key): Change => ({ kind: "delete", key, revision: cursor.revision + 1 }))];
}
