// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { DatabaseSync } from "node:sqlite";

import { BerthError } from "@berth/core/protocol/berth-error";

import type { Cursor } from "../store.ts";
import { lockDirectory, storeFile, syncPath } from "./data-directory.ts";
import { openForReading, openStanding, readFact, readRevision } from "./database-file.ts";
import { explainStoreError } from "./sqlite-error.ts";

/**
 * Copies a running store into a new file, as it is at one revision. The target stays empty until the copy is whole and on
 * the disk.
 *
 * @throws BerthError `store_exists` or `output_failed`.
 */
export function writeBackup(file: string, target: string): Cursor {
  const part = `${target}.${randomUUID()}.part`;
  reserve(target);
  try {
    const source = openForReading(file);
    try {
      // SQLite fills an empty file; this one is for its owner alone.
      fs.writeFileSync(part, "", { mode: 0o600, flag: "wx" });
      source.prepare("VACUUM INTO ?").run(part);
    } finally {
      source.close();
    }
    const cursor = settleCopy(part, () => undefined);
    fs.renameSync(part, target);
    syncPath(path.dirname(path.resolve(target)));
    return cursor;
  } catch (error) {
    fs.rmSync(part, { force: true });
    fs.rmSync(target, { force: true });
    const text = error instanceof Error ? error.message : String(error);
    throw new BerthError("output_failed", `Cannot write the backup ${target}: ${text}`, {
      place: target,
      cause: error,
    });
  }
}

export interface RestoreOptions {
  /** File that a backup wrote. */
  readonly backup: string;
  /** Data directory that holds no store. */
  readonly directory: string;
  /** A random one where absent. */
  readonly newEpoch?: string;
}

/**
 * Makes a store of a backup, in a data directory without one. It has a new epoch: whoever stands at a cursor of the old
 * store, which may have gone on after the backup, is reset.
 *
 * @throws BerthError `store_exists`, `store_locked`, `file_not_found`, `store_damaged`, `store_format_newer`.
 */
export function restoreBackup({ backup: from, directory, newEpoch = randomUUID() }: RestoreOptions): Cursor {
  if (!fs.existsSync(from)) throw new BerthError("file_not_found", `There is no backup ${from}`, { place: from });
  const lock = lockDirectory(directory);
  const file = storeFile(directory);
  const part = `${file}.part`;
  try {
    if (fs.existsSync(file)) throw new BerthError("store_exists", `${directory} holds a store`, { place: directory });
    fs.copyFileSync(from, part);
    const cursor = settleCopy(part, (database) => {
      database.prepare("UPDATE fact SET value = ? WHERE name = 'epoch'").run(newEpoch);
    });
    fs.renameSync(part, file);
    syncPath(directory);
    return cursor;
  } catch (error) {
    fs.rmSync(part, { force: true });
    throw explainStoreError(error, from);
  } finally {
    lock.release();
  }
}

/** Checks a copy that nobody else has open, changes it, and brings it to the disk as one file. */
function settleCopy(part: string, change: (database: DatabaseSync) => void): Cursor {
  const database = openStanding(part);
  try {
    database.exec("PRAGMA journal_mode = DELETE");
    const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (found !== "ok") throw new BerthError("store_damaged", `${part} is damaged: ${String(found)}`, { place: part });
    change(database);
    return { epoch: readFact(database, "epoch"), revision: readRevision(database) };
  } finally {
    database.close();
    syncPath(part);
  }
}

function reserve(target: string): void {
  try {
    fs.closeSync(fs.openSync(target, "wx", 0o600));
  } catch (error) {
    const isThere = error instanceof Error && "code" in error && error.code === "EEXIST";
    const code = isThere ? "store_exists" : "output_failed";
    const text = isThere ? "there is a file" : error instanceof Error ? error.message : String(error);
    throw new BerthError(code, `Cannot write the backup ${target}: ${text}`, { place: target, cause: error });
  }
}
