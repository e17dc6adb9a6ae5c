// SPDX-License-Identifier: Apache-2.0

import { parseStored } from "../replica/read-document.ts";
import type { Held } from "../replica/replica.ts";
import type { Revision, TransactionAnswer, Write } from "../store/store.ts";

/** Documents at which it is first looked for such as the replica shows by now. */
const SWEEP_AT = 1024;

/** A document as this process last met it in the store; `held` undefined: there was none. */
interface Met {
  readonly value: string | undefined;
  readonly revision: Revision;
  readonly asOf: Revision;
  /** This process wrote it. */
  readonly isOwn: boolean;
  /** Parsed when it is first asked for. */
  held?: Held<unknown>;
}

/**
 * Documents that this process wrote, or met in a conflict, and that its replica may not show yet: so that nobody waits for
 * the watch to decide on the newest one. What the replica has caught up with is forgotten.
 */
export class NewestDocuments {
  readonly #met = new Map<string, Met>();
  readonly #reached: () => Revision;
  #sweepAt = SWEEP_AT;

  /** `reached`: the revision up to which the replica shows everything. */
  constructor(reached: () => Revision) {
    this.#reached = reached;
  }

  /** What stands under a key as far as this process knows: what it met last, or what its replica shows. */
  find<T>(key: string, shown: Held<T> | undefined): Held<T> | undefined {
    const met = this.#met.get(key);
    if (met === undefined) return shown;
    if (met.asOf <= this.#reached()) {
      this.#met.delete(key);
      return shown;
    }
    if (met.value === undefined) return undefined;
    met.held ??= readMet(key, met.value, met);
    return met.held as Held<T>;
  }

  /** Documents that are kept. */
  get size(): number {
    return this.#met.size;
  }

  /** Whether the newest that is known of a key is not yet in the replica. */
  has(key: string): boolean {
    const met = this.#met.get(key);
    return met !== undefined && met.asOf > this.#reached();
  }

  /** Takes in what a transaction wrote, or what it found instead. */
  absorb(answer: TransactionAnswer, writes: readonly Write[]): void {
    const { revision: asOf } = answer;
    if (answer.kind === "conflict") {
      for (const { key, document } of answer.failed) {
        this.#meet(key, { value: document?.value, revision: document?.revision ?? asOf, asOf, isOwn: false });
      }
      return;
    }
    for (const write of writes) {
      this.#meet(write.key, {
        value: write.kind === "put" ? write.value : undefined,
        revision: asOf,
        asOf,
        isOwn: true,
      });
    }
  }

  #meet(key: string, met: Met): void {
    const before = this.#met.get(key);
    if (before === undefined || before.asOf <= met.asOf) this.#met.set(key, met);
    if (this.#met.size < this.#sweepAt) return;
    // Nobody asked for these again.
    this.sweep([...this.#met.keys()]);
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#met.size);
  }

  /** Forgets what the replica shows by now. */
  sweep(keys: Iterable<string>): void {
    for (const key of keys) {
      if (!this.has(key)) this.#met.delete(key);
    }
  }
}

/** What this process wrote is read as it is; what others wrote is held against what it is to be. Throws `store_damaged`. */
function readMet(key: string, value: string, { revision, isOwn }: Met): Held<unknown> {
  if (isOwn) return { document: JSON.parse(value) as unknown, revision };
  return parseStored({ key, value, revision, created: revision });
}
