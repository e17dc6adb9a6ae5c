// SPDX-License-Identifier: Apache-2.0

import type { WatchMessage, WatchRequest } from "../store.ts";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseEvents, parseRevision } from "./document-coding.ts";
import { parseFailure } from "./etcd-failure.ts";
import type { KeySpace } from "./etcd-key.ts";
import { formatRange } from "./etcd-key.ts";
import type { EtcdMembers } from "./etcd-members.ts";
import type { EtcdMessage } from "./etcd-messages.ts";
import { WATCH } from "./etcd-methods.ts";
import { readAhead } from "./read-ahead.ts";

/** What a watch works with. */
export interface WatchContext {
  readonly members: EtcdMembers;
  readonly space: KeySpace;
  readonly epoch: string;
  readonly attemptMs: number;
  /** Where the store stands now; throws BerthError when the epoch is another one. */
  readonly readRevision: () => Promise<number>;
}

/** Most bytes that wait for a slow reader before his stream is ended, to be made again when he has read them. */
const AHEAD_BYTES = 16 * 1024 * 1024;

/** One stream's next step: messages to pass on, the news that all up to a revision were, or that history was cut off. */
type Step =
  | { readonly kind: "messages"; readonly messages: readonly WatchMessage[] }
  | { readonly kind: "progress"; readonly revision: number }
  | { readonly kind: "compacted" };

/**
 * Watches a prefix over as many streams as it takes: one that breaks is made again from the last revision that was passed
 * on. Ends with the signal, or after a reset.
 *
 * A stream begins at the cursor's own revision, whose changes are passed over, and not at the next one: etcd accepts a
 * start at the very revision it compacted, and may have thrown away a deletion of that revision.
 */
export async function* watchEtcd(context: WatchContext, request: WatchRequest): AsyncGenerator<WatchMessage> {
  const { members, epoch } = context;
  const { signal } = request;
  let { revision } = request.from;
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      const head = await orAborted(context.readRevision(), signal);
      if (head === undefined || signal.aborted) return;
      // A cursor ahead of the store is of a past that a restore took back.
      if (request.from.epoch !== epoch || revision > head) {
        yield { kind: "reset", cursor: { epoch, revision: head } };
        return;
      }
      for await (const step of readStream(context, request, revision)) {
        if (step.kind === "compacted") {
          yield { kind: "reset", cursor: { epoch, revision: await context.readRevision() } };
          return;
        }
        if (step.kind === "progress") {
          revision = Math.max(revision, step.revision);
          continue;
        }
        tries = 0;
        for (const message of step.messages) {
          if (signal.aborted || members.closed) return;
          yield message;
          revision = message.cursor.revision;
        }
      }
    } catch (error) {
      if (signal.aborted || members.closed) return;
      throwIfFinal(error);
    }
    await members.rest(tries);
  }
}

async function* readStream(context: WatchContext, request: WatchRequest, revision: number): AsyncGenerator<Step> {
  const { members, space, epoch, attemptMs } = context;
  const range = formatRange(space, request.prefix);
  if (range === undefined) throw new Error("A prefix without a range");
  const member = members.current();
  const ending = new AbortController();
  const signal = AbortSignal.any([request.signal, ending.signal]);
  // A member that does not begin in time is slow or cut off.
  const timer = setTimeout(() => ending.abort(), attemptMs);
  let after = revision;
  try {
    const create = { ...range, startRevision: BigInt(Math.max(1, revision)), progressNotify: true };
    const { answers } = await members.open(WATCH, { create }, { member, signal });
    const ahead = { most: AHEAD_BYTES, weigh: weighAnswer, stop: () => ending.abort(), signal };
    for await (const answer of readAhead(answers, ahead)) {
      clearTimeout(timer);
      if (answer.canceled) {
        if (answer.compactRevision > 0n) yield { kind: "compacted" };
        else members.leave(member);
        return;
      }
      if (answer.created) continue;
      const messages = parseEvents({ space, epoch, after }, answer.events);
      after = Math.max(after, reachedRevision(answer));
      yield messages.length > 0 ? { kind: "messages", messages } : { kind: "progress", revision: after };
    }
  } catch (error) {
    members.leave(member);
    throw error;
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

function weighAnswer({ events }: EtcdMessage<"WatchResponse">): number {
  return events.reduce((sum, { kv }) => sum + 100 + (kv?.value.length ?? 0), 0);
}

/**
 * How far an answer goes: to its last event; or without one to the revision it was made at, which etcd tells in its own time
 * through the same queue as events. (Progress that was asked for would not be in order with them before etcd 3.4.25 and 3.5.8.)
 */
function reachedRevision({ events, header }: EtcdMessage<"WatchResponse">): number {
  const last = events.at(-1);
  return parseRevision((last === undefined ? header?.revision : last.kv?.modRevision) ?? 0n);
}

/** Undefined: the signal came first, and the promise is left to itself. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const ended = Promise.withResolvers<undefined>();
  const end = (): void => ended.resolve(undefined);
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** A refusal, a cluster that is another one, and our own mistakes stay as they are however often they are tried. */
function throwIfFinal(error: unknown): void {
  if (error instanceof BerthError) {
    if (error.place !== undefined) throw error;
    return;
  }
  const failure = parseFailure(error);
  if (failure.kind === "refused") throw failure.error;
}
