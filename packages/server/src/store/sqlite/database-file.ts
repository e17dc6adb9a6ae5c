// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import { DatabaseSync } from "node:sqlite";

import { BerthError } from "@berth/core/protocol/berth-error";

import { explainStoreError } from "./sqlite-error.ts";

/** Version of the tables below; a file of a newer one is refused. */
export const STORE_FORMAT = 1;
/** "BRTH": says whose file it is (PRAGMA application_id). */
const APPLICATION_ID = 0x42525448;

// One row of the log is one revision, with everything that it changed: [key, value, created] or [key].
const SCHEMA = `
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE log (revision INTEGER PRIMARY KEY, changes TEXT NOT NULL) STRICT;
CREATE TABLE document (
  key TEXT NOT NULL UNIQUE, value TEXT NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL, lease TEXT
) STRICT;
CREATE INDEX document_lease ON document (lease) WHERE lease IS NOT NULL;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${STORE_FORMAT};
`;

// FULL: the log is on the disk before a commit returns. No memory map: a failing disk would be a signal, not an error.
const SETTINGS = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
PRAGMA cache_size = -16000;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
`;

/**
 * Opens the store's file for writing and makes it where there is none.
 *
 * @throws BerthError `store_format_newer`, `store_damaged` or what the file system says.
 */
export function openForWriting(file: string, newEpoch: string): DatabaseSync {
  makePrivate(file);
  return open({ file, readOnly: false }, (database) => {
    const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined;
    if (!isEmpty) checkFormat(database, file);
    database.exec(SETTINGS);
    if (!isEmpty) return;
    database.exec("BEGIN IMMEDIATE");
    database.exec(SCHEMA);
    database.prepare("INSERT INTO fact VALUES ('epoch', ?), ('compacted', '0')").run(newEpoch);
    database.exec("COMMIT");
  });
}

/** Opens the store's file beside its writer. What this connection sees is on the disk. */
export function openForReading(file: string): DatabaseSync {
  return open({ file, readOnly: true }, (database) => checkFormat(database, file));
}

/** Opens a file that is no running store, such as a backup, to change facts in it. */
export function openStanding(file: string): DatabaseSync {
  return open({ file, readOnly: false }, (database) => {
    checkFormat(database, file);
    database.exec("PRAGMA synchronous = FULL");
  });
}

function open(
  { file, readOnly }: { readonly file: string; readonly readOnly: boolean },
  prepare: (database: DatabaseSync) => void,
): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly, timeout: 10_000, enableForeignKeyConstraints: false });
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    throw explainStoreError(error, file);
  }
}

/**
 * Makes the file where there is none, for its owner alone; SQLite gives its other files the same mode. Only before any
 * connection: to close a file takes away the locks that this process has on it.
 */
function makePrivate(file: string): void {
  try {
    fs.closeSync(fs.openSync(file, "a", 0o600));
  } catch (error) {
    throw explainStoreError(error, file);
  }
}

function checkFormat(database: DatabaseSync, file: string): void {
  const owner = readPragma(database, "application_id");
  const format = readPragma(database, "user_version");
  if (owner !== APPLICATION_ID || format < 1) {
    throw new BerthError("store_damaged", `${file} is no store of Berth`, { place: file });
  }
  if (format > STORE_FORMAT) {
    const text = `${file} has store format ${format}, this Berth knows formats up to ${STORE_FORMAT}`;
    throw new BerthError("store_format_newer", text, { place: file });
  }
}

function readPragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** A fact about the whole store: `epoch`, `compacted`. */
export function readFact(database: DatabaseSync, name: "epoch" | "compacted"): string {
  const value = database.prepare("SELECT value FROM fact WHERE name = ?").get(name)?.["value"];
  if (typeof value === "string") return value;
  throw new BerthError("store_damaged", `The store does not know its ${name}`);
}

/** Newest revision. A log that was compacted to its end still knows it. */
export function readRevision(database: DatabaseSync): number {
  const newest = database.prepare("SELECT max(revision) AS newest FROM log").get()?.["newest"];
  return typeof newest === "number" ? newest : Number(readFact(database, "compacted"));
}
