// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { Revision } from "../store/store.ts";

interface Wait {
  readonly revision: Revision;
  readonly end: (reason?: Error) => void;
}

/** Those who wait until a revision is reached. */
export class RevisionWaits {
  #reached: Revision;
  #closed: Error | undefined;
  readonly #waits = new Set<Wait>();

  constructor(reached: Revision) {
    this.#reached = reached;
  }

  /** Resolves when everything up to the revision is there; rejects with the signal's reason, and when all is closed. */
  async wait(revision: Revision, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (revision <= this.#reached) return;
    if (this.#closed !== undefined) throw this.#closed;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal?.reason);
    const wait: Wait = { revision, end: (reason) => (reason === undefined ? resolve() : reject(reason)) };
    signal?.addEventListener("abort", abort, { once: true });
    this.#waits.add(wait);
    try {
      await promise;
    } finally {
      this.#waits.delete(wait);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Everything up to the revision is there. */
  reach(revision: Revision): void {
    this.#reached = Math.max(this.#reached, revision);
    for (const wait of this.#waits) if (wait.revision <= this.#reached) wait.end();
  }

  /** Nothing more will come. */
  close(): void {
    this.#closed ??= new BerthError("store_unavailable", "The replica is closed");
    for (const wait of this.#waits) wait.end(this.#closed);
  }
}
