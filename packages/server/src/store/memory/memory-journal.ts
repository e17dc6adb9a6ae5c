// SPDX-License-Identifier: Apache-2.0

import type { Alarm } from "../alarm.ts";
import type * as port from "../store.ts";
import type { LogPage } from "../watch-log.ts";
import { Bell } from "../watch-log.ts";

interface Kept {
  readonly document: port.StoredDocument;
  readonly lease: string | undefined;
}

export interface MemoryJournalOptions {
  readonly epoch: string;
  /** The time of leases. */
  readonly alarm: Alarm;
}

/**
 * The documents, every change since the last compaction, and the leases: what a disk or a cluster would hold. It outlives
 * the stores that are opened on it; several may be open at once, as replicas of a server have one cluster.
 */
export class MemoryJournal {
  readonly epoch: string;
  /** Rings with every new revision. */
  readonly bell: Bell = new Bell();
  readonly #alarm: Alarm;
  /** Lease -> cancels its alarm. */
  readonly #leases = new Map<string, () => void>();
  #granted = 0;
  /** Grows by one with each entry of the log. */
  revision: port.Revision = 0;
  #compacted: port.Revision = 0;
  readonly #documents = new Map<string, Kept>();
  /** Changes of the revision `#compacted + 1 + index`. */
  #log: (readonly port.Change[])[] = [];

  constructor({ epoch, alarm }: MemoryJournalOptions) {
    this.epoch = epoch;
    this.#alarm = alarm;
  }

  read(request: port.ReadRequest): Pick<port.ReadAnswer, "documents" | "more"> {
    const { key, prefix, limit = Number.POSITIVE_INFINITY, after } = request;
    if (prefix !== true) {
      const kept = this.#documents.get(key);
      return { documents: kept === undefined ? [] : [kept.document], more: false };
    }
    const isAsked = (name: string): boolean => name.startsWith(key) && (after === undefined || name > after);
    const keys = [...this.#documents.keys()].filter(isAsked).toSorted(byKey);
    const documents = keys.slice(0, limit).flatMap((name) => this.#documents.get(name)?.document ?? []);
    return { documents, more: keys.length > limit };
  }

  transact({ compares, writes }: port.Transaction): port.TransactionAnswer {
    const failed = compares.filter((compare) => !this.#holds(compare)).map(({ key }) => this.#explain(key));
    if (failed.length > 0) return { kind: "conflict", failed, revision: this.revision };
    this.#append(writes.filter((write) => write.kind === "put" || this.#documents.has(write.key)));
    return { kind: "written", revision: this.revision };
  }

  /** Answers the id of a new lease. */
  grantLease(ttlMs: number): string {
    this.#granted += 1;
    const id = `lease-${this.#granted}`;
    this.keepAlive(id, ttlMs);
    return id;
  }

  /** Starts the time of a lease anew. */
  keepAlive(id: string, ttlMs: number): void {
    this.#leases.get(id)?.();
    const cancel = this.#alarm(ttlMs, () => this.endLease(id));
    this.#leases.set(id, cancel);
  }

  hasLease(id: string): boolean {
    return this.#leases.has(id);
  }

  /** Removes what was written with a lease, in one revision. */
  endLease(id: string): void {
    this.#leases.get(id)?.();
    this.#leases.delete(id);
    const leased = [...this.#documents].filter(([, kept]) => kept.lease === id);
    this.#append(leased.map(([key]) => ({ kind: "delete", key })));
  }

  /** @throws RangeError for a revision that is yet to come. */
  compact(revision: port.Revision): void {
    if (revision > this.revision) {
      throw new RangeError(`Cannot compact at revision ${revision}: the store is at ${this.revision}`);
    }
    if (revision <= this.#compacted) return;
    this.#log = this.#log.slice(revision - this.#compacted);
    this.#compacted = revision;
  }

  readLog(after: port.Revision, prefix: string): LogPage {
    const newest = this.revision;
    if (after > newest || after < this.#compacted) return { kind: "gone", newest };
    const messages = this.#log.slice(after - this.#compacted).flatMap((all, at): port.WatchMessage[] => {
      const [first, ...rest] = all.filter((change) => keyOf(change).startsWith(prefix));
      const cursor = { epoch: this.epoch, revision: after + 1 + at };
      return first === undefined ? [] : [{ kind: "changes", cursor, changes: [first, ...rest] }];
    });
    return { kind: "page", messages, through: newest };
  }

  #holds(compare: port.Compare): boolean {
    const revision = this.#documents.get(compare.key)?.document.revision;
    return compare.kind === "absent" ? revision === undefined : revision === compare.revision;
  }

  #explain(key: string): port.Conflict {
    const document = this.#documents.get(key)?.document;
    return document === undefined ? { key } : { key, document };
  }

  #append(writes: readonly port.Write[]): void {
    if (writes.length === 0) return;
    this.revision += 1;
    const sorted = writes.toSorted((a, b) => byKey(a.key, b.key));
    this.#log.push(sorted.map((write) => this.#apply(write)));
    this.bell.ring();
  }

  #apply(write: port.Write): port.Change {
    const { revision } = this;
    if (write.kind === "delete") {
      this.#documents.delete(write.key);
      return { kind: "delete", key: write.key, revision };
    }
    const { key, value, lease } = write;
    const created = this.#documents.get(key)?.document.created ?? revision;
    const document = { key, value, revision, created };
    this.#documents.set(key, { document, lease: lease?.id });
    return { kind: "put", document };
  }
}

function keyOf(change: port.Change): string {
  return change.kind === "put" ? change.document.key : change.key;
}

function byKey(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
