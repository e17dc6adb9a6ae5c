// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync, StatementSync } from "node:sqlite";

import type * as port from "../store.ts";
import type { LogPage } from "../watch-log.ts";
import { readFact, readRevision } from "./database-file.ts";
import type { LoggedChange } from "./group-writer.ts";
import { parseDocument } from "./group-writer.ts";

/** A page of the log ends after so many revisions or characters: a reader far behind does not hold up the others. */
const PAGE_REVISIONS = 500;
const PAGE_CHARACTERS = 1_000_000;
/** Follows every character of a key. */
const AFTER_KEYS = "\u007f";

/** Reads documents and the log, each answer from one snapshot. */
export class LogReader {
  readonly epoch: string;
  readonly #database: DatabaseSync;
  readonly #one: StatementSync;
  readonly #prefix: StatementSync;
  readonly #log: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.epoch = readFact(database, "epoch");
    const columns = "SELECT key, value, revision, created FROM document";
    this.#one = database.prepare(`${columns} WHERE key = ?`);
    this.#prefix = database.prepare(`${columns} WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?`);
    this.#log = database.prepare("SELECT revision, changes FROM log WHERE revision > ? ORDER BY revision LIMIT ?");
  }

  get revision(): port.Revision {
    return readRevision(this.#database);
  }

  read({ key, prefix, limit, after = "" }: port.ReadRequest): port.ReadAnswer {
    return this.#inSnapshot(() => {
      const cursor = { epoch: this.epoch, revision: this.revision };
      if (prefix !== true) return { documents: this.#one.all(key).map(parseDocument), cursor, more: false };
      // One more than asked for tells whether there is more; -1 is no limit.
      const count = limit === undefined ? -1 : limit + 1;
      const documents = this.#prefix.all(key, key + AFTER_KEYS, after, count).map(parseDocument);
      const more = limit !== undefined && documents.length > limit;
      return { documents: more ? documents.slice(0, limit) : documents, cursor, more };
    });
  }

  readLog(after: port.Revision, prefix: string): LogPage {
    return this.#inSnapshot(() => {
      const newest = this.revision;
      if (after > newest || after < Number(readFact(this.#database, "compacted"))) return { kind: "gone", newest };
      const messages: port.WatchMessage[] = [];
      let through = after;
      let characters = 0;
      for (const row of this.#log.iterate(after, PAGE_REVISIONS)) {
        const text = String(row["changes"]);
        through = Number(row["revision"]);
        const changes = parseChanges({ text, revision: through, prefix });
        const cursor = { epoch: this.epoch, revision: through };
        if (changes !== undefined) messages.push({ kind: "changes", cursor, changes });
        characters += text.length;
        if (characters > PAGE_CHARACTERS) break;
      }
      return { kind: "page", messages, through };
    });
  }

  #inSnapshot<T>(look: () => T): T {
    this.#database.exec("BEGIN");
    try {
      return look();
    } finally {
      this.#database.exec("ROLLBACK");
    }
  }
}

interface LoggedRevision {
  readonly text: string;
  readonly revision: port.Revision;
  readonly prefix: string;
}

function parseChanges({ text, revision, prefix }: LoggedRevision): [port.Change, ...port.Change[]] | undefined {
  // The row was written by this program: its shape is known.
  const logged = JSON.parse(text) as readonly LoggedChange[];
  const [first, ...rest] = logged
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value, created]): port.Change => {
      if (value === undefined || created === undefined) return { kind: "delete", key, revision };
      return { kind: "put", document: { key, value, revision, created } };
    });
  return first === undefined ? undefined : [first, ...rest];
}
