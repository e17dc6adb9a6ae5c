// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync, StatementSync } from "node:sqlite";

import type { Compare, Conflict, StoredDocument, TransactionAnswer } from "../store.ts";
import { readFact, readRevision } from "./database-file.ts";
import type { GroupItem, ItemOutcome, LeasedWrite, Questions } from "./worker-messages.ts";

/** A commit of which nobody can say whether it is on the disk. */
export class CommitInDoubt extends Error {
  override readonly name: string = "CommitInDoubt";
}

type GroupAnswer = Questions["commit"]["answer"];

/** Writes groups of changes, each group with one commit: the disk is waited for once, whoever many wait for it. */
export class GroupWriter {
  revision: number;
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #compacted: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.revision = readRevision(database);
    this.#compacted = Number(readFact(database, "compacted"));
  }

  /**
   * Writes a group in its order; each item sees those before it. A conflict fails alone; an error of the disk fails all of
   * them, and nothing is written.
   *
   * @throws CommitInDoubt where the disk failed so late that the group may be found written after a restart.
   */
  commit(items: readonly GroupItem[]): GroupAnswer {
    const before = { revision: this.revision, compacted: this.#compacted };
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const outcomes = items.map((item) => this.#apply(item));
      this.#finish(before.revision !== this.revision || before.compacted !== this.#compacted);
      return { outcomes, revision: this.revision };
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.revision = before.revision;
      this.#compacted = before.compacted;
      throw error;
    }
  }

  /** Removes every document of a lease, in one revision: none outlives the process that granted it. */
  removeLeased(): void {
    const keys = this.#statements.allLeased.all().map(keyOfRow);
    if (keys.length === 0) return;
    this.#database.exec("BEGIN IMMEDIATE");
    this.#append(keys.map((key) => ({ kind: "delete", key })));
    this.#database.exec("COMMIT");
  }

  /** Nothing changed: then nothing need reach the disk. */
  #finish(hasChanged: boolean): void {
    if (!hasChanged) return this.#database.exec("ROLLBACK");
    try {
      this.#database.exec("COMMIT");
    } catch (error) {
      throw isFull(error) ? error : new CommitInDoubt("The disk failed during a commit", { cause: error });
    }
  }

  #apply(item: GroupItem): ItemOutcome {
    switch (item.kind) {
      case "transact":
        return this.#transact(item);
      case "end-lease":
        this.#append(this.#statements.leased.all(item.lease).map((row) => ({ kind: "delete", key: keyOfRow(row) })));
        return { kind: "lease-ended" };
      case "compact":
        return { kind: "compacted", state: this.#compact(item.revision, item.count) };
    }
  }

  #transact({ compares, writes }: Extract<GroupItem, { kind: "transact" }>): TransactionAnswer {
    const failed = compares.flatMap((compare) => this.#check(compare));
    if (failed.length > 0) return { kind: "conflict", failed, revision: this.revision };
    this.#append(writes);
    return { kind: "written", revision: this.revision };
  }

  #check(compare: Compare): Conflict[] {
    const { key } = compare;
    const revision = this.#statements.version.get(key)?.["revision"];
    if (compare.kind === "absent" ? revision === undefined : revision === compare.revision) return [];
    const row = this.#statements.document.get(key);
    return [row === undefined ? { key } : { key, document: parseDocument(row) }];
  }

  #append(writes: readonly LeasedWrite[]): void {
    const revision = this.revision + 1;
    const changes = writes.flatMap((write) => this.#write(write, revision));
    if (changes.length === 0) return;
    changes.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
    this.#statements.log.run(revision, JSON.stringify(changes));
    this.revision = revision;
  }

  #write(write: LeasedWrite, revision: number): LoggedChange[] {
    const { key } = write;
    if (write.kind === "delete") return this.#statements.delete.run(key).changes === 0 ? [] : [[key]];
    const { value, lease } = write;
    const row = this.#statements.put.get(key, value, revision, revision, lease);
    return [[key, value, Number(row?.["created"])]];
  }

  #compact(revision: number, count: number): "done" | "more" | "missing" {
    if (revision > this.revision) return "missing";
    if (revision <= this.#compacted) return "done";
    this.#compacted = Math.min(revision, this.#compacted + count);
    this.#statements.forget.run(this.#compacted);
    this.#statements.compacted.run(String(this.#compacted));
    return this.#compacted === revision ? "done" : "more";
  }
}

/** A put with value and creation, or a delete, as the log holds it. */
export type LoggedChange = readonly [key: string, value: string, created: number] | readonly [key: string];

type Row = Readonly<Record<string, unknown>>;

/** A row of `document`. */
export function parseDocument(row: Row): StoredDocument {
  return {
    key: keyOfRow(row),
    value: String(row["value"]),
    revision: Number(row["revision"]),
    created: Number(row["created"]),
  };
}

function keyOfRow(row: Row): string {
  return String(row["key"]);
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 13;
}

function prepareStatements(database: DatabaseSync): Readonly<Record<StatementName, StatementSync>> {
  const prepare = (sql: string): StatementSync => database.prepare(sql);
  return {
    version: prepare("SELECT revision FROM document WHERE key = ?"),
    document: prepare("SELECT key, value, revision, created FROM document WHERE key = ?"),
    put: prepare(`INSERT INTO document (key, value, revision, created, lease) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision, lease = excluded.lease
      RETURNING created`),
    delete: prepare("DELETE FROM document WHERE key = ?"),
    leased: prepare("SELECT key FROM document WHERE lease = ?"),
    allLeased: prepare("SELECT key FROM document WHERE lease IS NOT NULL"),
    log: prepare("INSERT INTO log (revision, changes) VALUES (?, ?)"),
    forget: prepare("DELETE FROM log WHERE revision <= ?"),
    compacted: prepare("UPDATE fact SET value = ? WHERE name = 'compacted'"),
  };
}

type StatementName =
  "version" | "document" | "put" | "delete" | "leased" | "allLeased" | "log" | "forget" | "compacted";
