// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";

import { BerthError } from "@berth/core/protocol/berth-error";

import type { Alarm } from "../alarm.ts";
import { setRealAlarm } from "../alarm.ts";
import { checkPrefix, checkRead, checkRevision, checkTransaction, checkTtl } from "../check-request.ts";
import type * as port from "../store.ts";
import type { LogSource } from "../watch-log.ts";
import { Bell, watchLog } from "../watch-log.ts";
import { GroupQueue } from "./group-queue.ts";
import { LeaseTable } from "./lease-table.ts";
import { WorkerLink } from "./worker-link.ts";
import type { LeasedWrite } from "./worker-messages.ts";

export interface SqliteStoreOptions {
  /** Data directory; made where it is missing. */
  readonly directory: string;
  /** The time of leases; the process's own where absent. */
  readonly alarm?: Alarm;
  /** Epoch of a store that is made; a random one where absent. */
  readonly newEpoch?: string;
}

/** Revisions that one commit forgets: a compaction does not hold up who waits behind it. */
const COMPACT_COUNT = 2000;

/**
 * Opens the embedded store: one SQLite file, one thread that writes it and one that reads it.
 *
 * @throws BerthError `store_locked`, `store_format_newer`, `store_damaged`, `store_read_only` or `store_full`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { directory, newEpoch = randomUUID() } = options;
  const { link: writer, ready } = await WorkerLink.open({ role: "writer", directory, newEpoch });
  try {
    const { link: reader } = await WorkerLink.open({ role: "reader", directory });
    return new SqliteStore({ writer, reader, ...ready, directory, alarm: options.alarm ?? setRealAlarm });
  } catch (error) {
    await writer.close();
    throw error;
  }
}

interface Parts {
  readonly writer: WorkerLink;
  readonly reader: WorkerLink;
  readonly epoch: string;
  readonly revision: port.Revision;
  readonly directory: string;
  readonly alarm: Alarm;
}

/** The embedded store. `openSqliteStore` makes it. */
export class SqliteStore implements port.Store {
  readonly epoch: string;
  readonly #parts: Parts;
  readonly #queue: GroupQueue;
  readonly #leases: LeaseTable;
  readonly #bell = new Bell();
  #newest: port.Revision;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.epoch = parts.epoch;
    this.#parts = parts;
    this.#newest = parts.revision;
    this.#queue = new GroupQueue(async (items) => {
      const answer = await parts.writer.ask("commit", items);
      this.#newest = Math.max(this.#newest, answer.revision);
      this.#bell.ring();
      return answer;
    });
    this.#leases = new LeaseTable(parts.alarm, async (lease) => {
      await this.#queue.push({ kind: "end-lease", lease });
    });
  }

  async read(request: port.ReadRequest): Promise<port.ReadAnswer> {
    checkRead(request);
    this.#checkOpen();
    return await this.#parts.reader.ask("read", request);
  }

  async transact({ compares, writes }: port.Transaction): Promise<port.TransactionAnswer> {
    checkTransaction({ compares, writes });
    this.#checkOpen();
    const leased = writes.map((write) => this.#resolveLease(write));
    const outcome = await this.#queue.push({ kind: "transact", compares, writes: leased });
    if (outcome.kind === "written" || outcome.kind === "conflict") return outcome;
    throw new Error(`A transaction was answered with ${outcome.kind}`);
  }

  watch(request: port.WatchRequest): AsyncIterable<port.WatchMessage> {
    checkPrefix(request.prefix);
    const source: LogSource = {
      epoch: this.epoch,
      bell: this.#bell,
      newest: () => this.#newest,
      isClosed: () => this.#isClosed,
      read: (after, prefix) => this.#parts.reader.ask("log", { after, prefix }),
    };
    return watchLog(source, request);
  }

  async compact(revision: port.Revision): Promise<void> {
    checkRevision(revision);
    for (;;) {
      this.#checkOpen();
      const outcome = await this.#queue.push({ kind: "compact", revision, count: COMPACT_COUNT });
      if (outcome.kind !== "compacted" || outcome.state === "done") return;
      if (outcome.state === "missing")
        throw new RangeError(`Cannot compact at revision ${revision}: it is yet to come`);
    }
  }

  async grantLease(ttlMs: number): Promise<port.Lease> {
    checkTtl(ttlMs);
    this.#checkOpen();
    return this.#leases.grant(ttlMs);
  }

  /**
   * Writes a consistent copy into a new file while the store goes on, and answers what it holds.
   *
   * @throws BerthError `store_exists` where there is a file, `output_failed` where it cannot be written.
   */
  async backup(target: string): Promise<port.Cursor> {
    this.#checkOpen();
    const { link, ready } = await WorkerLink.open({ role: "copier", directory: this.#parts.directory, target });
    await link.close();
    return ready;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#leases.close();
    this.#bell.ring();
    await this.#queue.drain();
    await this.#parts.reader.close();
    await this.#parts.writer.close();
  }

  #resolveLease(write: port.Write): LeasedWrite {
    if (write.kind === "delete") return write;
    const { kind, key, value, lease } = write;
    if (lease !== undefined) this.#leases.check(lease.id);
    return { kind, key, value, lease: lease?.id ?? null };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new BerthError("store_unavailable", "The store is closed");
  }
}
