// SPDX-License-Identifier: Apache-2.0

import { DESIRED_WAIT_MAX_MS, type DesiredAnswer, type DesiredRequest } from "@berth/core/protocol/agent/agent-wire";
import type { Closing } from "./closing.ts";
import type { DesiredBoard } from "./desired-board.ts";
import type { DeskParts } from "./desk-parts.ts";

/** Without it each wait would make an error of its own, with a stack. */
const OVER = new Error("The wait is over");

/** One agent that asks what its host is to do. */
export interface Asking {
  readonly host: string;
  readonly request: DesiredRequest;
  /** Of the request: its end is that of the wait. */
  readonly signal: AbortSignal;
  /** Of the desk. */
  readonly closing: Closing;
  /** Paths of texts that the agent is to be asked for now. */
  readonly takeUnasked: () => readonly string[];
}

/**
 * Answers with news of a host's part, or at the end of the wait that there is none. What is older than what the agent has
 * seen is never told: a server that is behind waits until it is not, and says no more than how far it has come. Rejects
 * with the reason of the request's signal.
 */
export async function waitForDesired(
  parts: Pick<DeskParts, "replica" | "alarm">,
  board: DesiredBoard,
  { host, request, signal, closing, takeUnasked }: Asking,
): Promise<DesiredAnswer> {
  const { seen, waitMs } = request;
  const end = new AbortController();
  const stop = (): void => end.abort(OVER);
  const cancel = parts.alarm(Math.max(0, Math.min(waitMs, DESIRED_WAIT_MAX_MS)), stop);
  signal.addEventListener("abort", stop);
  const forget = closing.onClose(stop);
  if (signal.aborted || closing.isClosed || !(waitMs > 0)) stop();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { cursor } = parts.replica;
      const isBehind = seen !== undefined && seen.epoch === cursor.epoch && seen.revision > cursor.revision;
      const news = isBehind ? undefined : board.findNews(host, seen);
      const texts = takeUnasked();
      const asked = texts.length === 0 ? {} : { texts };
      if (news !== undefined) return { ...news, ...asked };
      if (end.signal.aborted || texts.length > 0) return { ...board.same(), ...asked };
      if (isBehind) await reachedOr(parts, seen.revision, end.signal);
      else await newsOr(board, host, end.signal);
    }
  } finally {
    cancel();
    signal.removeEventListener("abort", stop);
    forget();
  }
}

async function reachedOr({ replica }: Pick<DeskParts, "replica">, revision: number, end: AbortSignal): Promise<void> {
  try {
    await replica.reached(revision, end);
  } catch (error) {
    if (!end.aborted) throw error;
  }
}

/** Resolves with the next news of a host, or with the end. */
async function newsOr(board: DesiredBoard, host: string, end: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      forget();
      end.removeEventListener("abort", settle);
      resolve();
    };
    const forget = board.onNews(host, settle);
    end.addEventListener("abort", settle);
  });
}
