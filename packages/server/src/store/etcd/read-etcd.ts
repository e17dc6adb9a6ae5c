// SPDX-License-Identifier: Apache-2.0

import type { ReadAnswer, ReadRequest, StoredDocument } from "../store.ts";
import { parseKeyValue, parseRevision } from "./document-coding.ts";
import type { KeySpace } from "./etcd-key.ts";
import { formatKey, formatRange } from "./etcd-key.ts";
import type { EtcdMembers } from "./etcd-members.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import { RANGE } from "./etcd-methods.ts";

export interface ReadContext {
  readonly members: EtcdMembers;
  readonly space: KeySpace;
  readonly epoch: string;
}

/** A page begins small, and grows until it holds about so much: large documents in large numbers fit no one message. */
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_FIRST = 64;
const PAGE_MAX = 8192;
/** How often a read whose revision was compacted under its pages begins anew. */
const RESTARTS_MAX = 5;

/** Reads one key, or a prefix page by page, all pages at the revision of the first: one moment, however long it takes. */
export async function readDocuments(context: ReadContext, request: ReadRequest): Promise<ReadAnswer> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await (request.prefix === true ? readPages(context, request) : readKey(context, request.key));
    } catch (error) {
      const compacted = error instanceof RangeError && error.message.includes("has been compacted");
      if (!compacted || restarts >= RESTARTS_MAX) throw error;
    }
  }
}

async function readKey(context: ReadContext, key: string): Promise<ReadAnswer> {
  const answer = await context.members.ask(RANGE, { key: formatKey(context.space, key) });
  return formatAnswer(context, answer, { documents: parseDocuments(context, answer), more: false });
}

async function readPages(context: ReadContext, { key, limit, after }: ReadRequest): Promise<ReadAnswer> {
  const wanted = limit ?? Number.MAX_SAFE_INTEGER;
  const documents: StoredDocument[] = [];
  let first: EtcdMessage<"RangeResponse"> | undefined;
  let size = PAGE_FIRST;
  let last = after;
  for (;;) {
    const range = formatRange(context.space, key, last);
    // Nothing can follow; where the store stands is still to be read.
    if (range === undefined) {
      first ??= await context.members.ask(RANGE, { key: formatKey(context.space, "") });
      return formatAnswer(context, first, { documents, more: false });
    }
    const count = Math.min(size, wanted - documents.length);
    const answer: EtcdMessage<"RangeResponse"> = await context.members.ask(RANGE, {
      ...range,
      limit: BigInt(count),
      ...(first?.header && { revision: first.header.revision }),
    });
    first ??= answer;
    const page = parseDocuments(context, answer);
    // One by one: a page may hold more than fit the arguments of a call.
    for (const document of page) documents.push(document);
    if (!answer.more || documents.length >= wanted)
      return formatAnswer(context, first, { documents, more: answer.more });
    last = page.at(-1)?.key;
    size = planPage(answer);
  }
}

/** As many documents of the size of these as fit a page. */
function planPage({ kvs }: EtcdMessage<"RangeResponse">): number {
  const bytes = kvs.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0);
  return Math.max(PAGE_FIRST, Math.min(PAGE_MAX, Math.floor((PAGE_BYTES * kvs.length) / Math.max(1, bytes))));
}

function parseDocuments({ space }: ReadContext, { kvs }: EtcdMessage<"RangeResponse">): readonly StoredDocument[] {
  return kvs.map((kv) => parseKeyValue(space, kv));
}

function formatAnswer(
  { epoch }: ReadContext,
  { header }: EtcdMessage<"RangeResponse">,
  found: { readonly documents: readonly StoredDocument[]; readonly more: boolean },
): ReadAnswer {
  return { ...found, cursor: { epoch, revision: parseRevision(header?.revision ?? 0n) } };
}
