// SPDX-License-Identifier: Apache-2.0

import type { ChangeMessage, Generation } from "@berth/core/protocol/api/answers";

/** What a reader is told who stands somewhere: what it missed, or that it must read everything again. */
export type Missed =
  | { readonly kind: "messages"; readonly messages: readonly ChangeMessage[] }
  | { readonly kind: "reset"; readonly generation: Generation };

/** Messages that are kept for readers who come back. */
const KEPT = 1024;

/**
 * The changes of one inventory in order, one message a revision, to whoever listens. The latest messages are kept, so that a
 * reader who lost its connection goes on where it stood. Revisions have no gaps.
 */
export class ChangeFeed {
  readonly #epoch: string;
  readonly #kept: ChangeMessage[] = [];
  readonly #limit: number;
  readonly #listeners = new Set<(message: ChangeMessage) => void>();
  #revision = 0;

  constructor(epoch: string, limit: number = KEPT) {
    this.#epoch = epoch;
    this.#limit = limit;
  }

  get generation(): Generation {
    return { epoch: this.#epoch, revision: this.#revision };
  }

  /** Makes the next revision and tells every listener. A listener must not throw. */
  publish(changes: ChangeMessage["changes"]): Generation {
    this.#revision += 1;
    const message = { generation: this.generation, changes };
    this.#kept.push(message);
    if (this.#kept.length > this.#limit) this.#kept.shift();
    for (const listener of this.#listeners) listener(message);
    return message.generation;
  }

  /** Listens from now on; the answer ends it. */
  subscribe(listener: (message: ChangeMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What came after a generation; `reset` where that is of another epoch, of the future, or longer ago than what is kept. */
  since({ epoch, revision }: Generation): Missed {
    const oldest = this.#revision - this.#kept.length;
    if (epoch !== this.#epoch || revision > this.#revision || revision < oldest) {
      return { kind: "reset", generation: this.generation };
    }
    return { kind: "messages", messages: this.#kept.slice(revision - oldest) };
  }
}
