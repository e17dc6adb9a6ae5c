// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";

import { checkPrefix, checkRead, checkRevision, checkTransaction, checkTtl } from "../check-request.ts";
import type * as port from "../store.ts";
import type { LogPage, LogSource } from "../watch-log.ts";
import { watchLog } from "../watch-log.ts";
import type { MemoryJournal } from "./memory-journal.ts";

/**
 * Awaited before each operation takes effect and again before it is answered: a simulation decides there who is next, and
 * what is lost (a rejection before: nothing is written; after: it is, and the answer is lost).
 */
export type Turn = (moment: "before" | "after") => Promise<void>;

/** A store without a disk, for tests and simulations: it reads no clock and starts nothing by itself. */
export class MemoryStore implements port.Store {
  readonly epoch: string;
  readonly #journal: MemoryJournal;
  readonly #turn: Turn;
  #isClosed = false;

  constructor(journal: MemoryJournal, turn: Turn = () => Promise.resolve()) {
    this.epoch = journal.epoch;
    this.#journal = journal;
    this.#turn = turn;
  }

  async read(request: port.ReadRequest): Promise<port.ReadAnswer> {
    checkRead(request);
    return await this.#take(() => {
      const cursor = { epoch: this.epoch, revision: this.#journal.revision };
      return { ...this.#journal.read(request), cursor };
    });
  }

  async transact(transaction: port.Transaction): Promise<port.TransactionAnswer> {
    checkTransaction(transaction);
    return await this.#take(() => {
      for (const write of transaction.writes) {
        if (write.kind === "put" && write.lease !== undefined) this.#checkLease(write.lease.id);
      }
      return this.#journal.transact(transaction);
    });
  }

  watch(request: port.WatchRequest): AsyncIterable<port.WatchMessage> {
    checkPrefix(request.prefix);
    const journal = this.#journal;
    const source: LogSource = {
      epoch: this.epoch,
      bell: journal.bell,
      newest: () => journal.revision,
      isClosed: () => this.#isClosed,
      read: async (after, prefix): Promise<LogPage> => {
        await this.#turn("before");
        return journal.readLog(after, prefix);
      },
    };
    return watchLog(source, request);
  }

  async compact(revision: port.Revision): Promise<void> {
    checkRevision(revision);
    await this.#take(() => this.#journal.compact(revision));
  }

  async grantLease(ttlMs: number): Promise<port.Lease> {
    checkTtl(ttlMs);
    const id = await this.#take(() => this.#journal.grantLease(ttlMs));
    const keepAlive = (): Promise<void> =>
      this.#take(() => {
        this.#checkLease(id);
        this.#journal.keepAlive(id, ttlMs);
      });
    return { id, keepAlive, revoke: () => this.#take(() => this.#journal.endLease(id)) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#journal.bell.ring();
  }

  async #take<T>(effect: () => T): Promise<T> {
    await this.#turn("before");
    if (this.#isClosed) throw new BerthError("store_unavailable", "The store is closed");
    const answer = effect();
    await this.#turn("after");
    return answer;
  }

  #checkLease(id: string): void {
    if (!this.#journal.hasLease(id)) throw new BerthError("store_lease_ended", `The lease ${id} has ended`);
  }
}
