// SPDX-License-Identifier: Apache-2.0

import type { ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { keyOf, sha256 } from "../documents/keys.ts";
import type { IdemDocument } from "../documents/documents.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Write } from "../store/store.ts";
import type { Caller } from "./claim-book.ts";
import { readDocument, type ClaimContext } from "./claim-context.ts";

/** How long the answer to a key is kept at least, milliseconds: a day. */
const KEPT_MS: number = 24 * 60 * 60 * 1000;
/** Longest list of hosts that were tried, characters, that is kept whole. */
const TRIED_MAX = 16 * 1024;
/** Most answers that one run looks at. */
const LOOKED_AT = 50;

type Granted = Extract<ClaimDecisionAnswer, { readonly kind: "granted" }>;

/** The key of the answer to a request; undefined where the caller gave none. */
export function answerKey({ principal, idempotency }: Caller): string | undefined {
  if (idempotency === undefined) return undefined;
  return keyOf("idem", `${encodeURIComponent(principal)}/${sha256(idempotency.key)}`);
}

/**
 * The write that keeps an answer. Its revision is the claim's and is filled in when it is given again; what was in the way
 * of other hosts is left out where it is very long.
 */
export function keepAnswer(context: ClaimContext, caller: Caller, answer: Granted): readonly Write[] {
  const key = answerKey(caller);
  if (key === undefined || caller.idempotency === undefined) return [];
  const { request } = caller.idempotency;
  const isLong = JSON.stringify(answer.tried).length > TRIED_MAX;
  const kept = isLong ? { ...answer, tried: [] } : answer;
  const document: IdemDocument = { request, answer: kept, atMs: context.now() };
  return [{ kind: "put", key, value: JSON.stringify(document) }];
}

/** The answer that was given to this request, read from the store; undefined where there is none. */
export async function readAnswer(context: ClaimContext, caller: Caller): Promise<Granted | undefined> {
  const key = answerKey(caller);
  const held = key === undefined ? undefined : await readDocument(context.replica, key);
  return held === undefined ? undefined : answerIn(context, caller, held as Held<IdemDocument>);
}

/**
 * The answer in a document, as it was given. Throws BerthError `idempotency_mismatch` where the key was used with another
 * request.
 */
export function answerIn(context: ClaimContext, caller: Caller, { document, revision }: Held<IdemDocument>): Granted {
  if (document.request !== caller.idempotency?.request) {
    throw new BerthError("idempotency_mismatch", "The idempotency key was used with another request", {
      expected: "the same request again, or another key",
    });
  }
  return grantedAt(context, document.answer as Granted, revision);
}

/** A grant with the revision that wrote it. */
export function grantedAt({ replica }: ClaimContext, answer: Granted, revision: number): Granted {
  const generation = { epoch: replica.store.epoch, revision };
  return { ...answer, generation, claim: { ...answer.claim, revision } };
}

/** Forgets answers that were kept long enough: a part of them with every run, round and round. */
export function makeAnswerSweep(context: ClaimContext): (guard: Compare | undefined) => Promise<void> {
  let after: string | undefined;
  return async (guard) => {
    const key = keyOf("idem", "");
    const from = after === undefined ? {} : { after };
    const { documents, more } = await context.replica.store.read({ key, prefix: true, limit: LOOKED_AT, ...from });
    after = more ? documents.at(-1)?.key : undefined;
    const due = documents.filter(({ value }) => (JSON.parse(value) as IdemDocument).atMs + KEPT_MS <= context.now());
    if (due.length === 0) return;
    await context.replica.store.transact({
      compares: guard === undefined ? [] : [guard],
      writes: due.map((document) => ({ kind: "delete", key: document.key })),
    });
  };
}
