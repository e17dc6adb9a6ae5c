// SPDX-License-Identifier: Apache-2.0

import type { ChangeMessage, Generation } from "@berth/core/protocol/api/answers";

/** What a reader is told who stands somewhere: what it missed, or that it must read everything again. */
export type Missed =
  | { readonly kind: "messages"; readonly messages: readonly ChangeMessage[] }
  | { readonly kind: "reset"; readonly generation: Generation };

/** Messages that are kept for readers who come back. */
const KEPT = 1024;

/** What a feed may be told besides its epoch. */
export interface FeedOptions {
  /** Messages that are kept for readers who come back. */
  readonly keptMessages?: number;
  /** Where it begins; 0 unless said. */
  readonly revision?: number;
  /** Told of a listener that threw; nobody unless said. */
  readonly onListenerError?: (error: unknown) => void;
}

/**
 * The changes of one inventory in order, one message a revision, to whoever listens. The latest messages are kept, so that a
 * reader who lost its connection goes on where it stood. A revision without a message changed nothing: who stands between
 * two messages has missed what comes after, and nothing else.
 */
export class ChangeFeed {
  readonly #epoch: string;
  readonly #kept: ChangeMessage[] = [];
  readonly #limit: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<(message: ChangeMessage) => void>();
  #revision: number;
  /** Every message after it is kept. */
  #floor: number;

  /** Begins at a revision, with nothing known of what was before it. */
  constructor(epoch: string, { keptMessages = KEPT, revision = 0, onListenerError }: FeedOptions = {}) {
    this.#epoch = epoch;
    this.#limit = keptMessages;
    this.#onListenerError = onListenerError ?? ((): void => undefined);
    this.#revision = revision;
    this.#floor = revision;
  }

  get generation(): Generation {
    return { epoch: this.#epoch, revision: this.#revision };
  }

  /**
   * Makes a revision, the next one unless said, and tells every listener; one that throws keeps no other from hearing.
   * Throws RangeError for a revision that is not above the last.
   */
  publish(changes: ChangeMessage["changes"], revision: number = this.#revision + 1): Generation {
    if (!(revision > this.#revision)) {
      throw new RangeError(`Cannot publish revision ${revision}: the feed is at ${this.#revision}`);
    }
    this.#revision = revision;
    const message = { generation: this.generation, changes };
    this.#kept.push(message);
    if (this.#kept.length > this.#limit) this.#floor = this.#kept.shift()?.generation.revision ?? revision;
    for (const listener of this.#listeners) {
      try {
        listener(message);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
    return message.generation;
  }

  /** Moves on to a revision that changed nothing. An older one is let pass: it was reached before. */
  advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Begins here: whoever stood earlier, and now is before the first message that is kept, reads everything again. */
  forget(): void {
    this.#kept.length = 0;
    this.#floor = this.#revision;
  }

  /** Listens from now on; the answer ends it. */
  subscribe(listener: (message: ChangeMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What came after a generation; `reset` where that is of another epoch, of the future, or longer ago than what is kept. */
  since({ epoch, revision }: Generation): Missed {
    if (epoch !== this.#epoch || revision > this.#revision || revision < this.#floor) {
      return { kind: "reset", generation: this.generation };
    }
    return { kind: "messages", messages: this.#kept.filter(({ generation }) => generation.revision > revision) };
  }
}
