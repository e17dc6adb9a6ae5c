// SPDX-License-Identifier: Apache-2.0

import type { Revision, WatchMessage, WatchRequest } from "./store.ts";

/** What a log says after a revision: at most a page of messages, and the revision up to which they tell everything. */
export type LogPage =
  | { readonly kind: "page"; readonly messages: readonly WatchMessage[]; readonly through: Revision }
  /** The log does not hold what follows: it was compacted, or that revision is yet to come. Carries the newest. */
  | { readonly kind: "gone"; readonly newest: Revision };

/** A log that can be read from any revision that it still holds. */
export interface LogSource {
  readonly epoch: string;
  /** Rings whenever the log grew, and when it is closed. */
  readonly bell: Bell;
  /** Newest revision that is known to be in the log. */
  newest(): Revision;
  isClosed(): boolean;
  read(after: Revision, prefix: string): Promise<LogPage>;
}

/**
 * Follows a log. Nothing is kept for a consumer: it reads the log at its own pace, so that a slow one costs no memory and
 * one that falls behind a compaction is reset.
 */
export async function* watchLog(source: LogSource, request: WatchRequest): AsyncGenerator<WatchMessage, void, void> {
  const { prefix, from, signal } = request;
  const isOver = (): boolean => signal.aborted || source.isClosed();
  if (isOver()) return;
  let at = from.revision;
  const isForeign = from.epoch !== source.epoch;
  const wake = (): void => source.bell.ring();
  signal.addEventListener("abort", wake);
  try {
    while (!isOver()) {
      const page = await source.read(isForeign ? source.newest() : at, prefix).catch((error: unknown) => {
        if (isOver()) return undefined;
        throw error;
      });
      if (page === undefined || isOver()) return;
      if (isForeign || page.kind === "gone") {
        const revision = page.kind === "page" ? page.through : page.newest;
        yield { kind: "reset", cursor: { epoch: source.epoch, revision } };
        return;
      }
      for (const message of page.messages) {
        yield message;
        if (isOver()) return;
      }
      at = Math.max(at, page.through);
      while (!isOver() && source.newest() <= at) await source.bell.wait();
    }
  } finally {
    signal.removeEventListener("abort", wake);
  }
}

/** Wakes everyone who waits. Whoever waits looks again: a ring says that something may have changed. */
export class Bell {
  #waiting: (() => void)[] = [];

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
