// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";

import { BerthError } from "@berth/core/protocol/berth-error";

import { explainStoreError, findResultCode, SQLITE_BUSY } from "./sqlite-error.ts";

/** The store's file in its data directory. SQLite keeps two more beside it (`-wal`, `-shm`). */
export function storeFile(directory: string): string {
  return path.join(directory, "store.sqlite");
}

/** Holds a data directory for this process; the system lets go of it when the process ends, however it ends. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Makes the directory where it is missing, and locks it. The lock is SQLite's own on an empty database `lock`: Node has
 * no call for file locks. Who holds it stands in `lock.pid`, for people.
 *
 * @throws BerthError `store_locked` naming the process that has it; `store_read_only` or `store_full`.
 */
export function lockDirectory(directory: string): DirectoryLock {
  try {
    makeDirectory(directory);
    return takeLock(directory);
  } catch (error) {
    throw explainStoreError(error, directory);
  }
}

function takeLock(directory: string): DirectoryLock {
  const database = new DatabaseSync(path.join(directory, "lock"), { timeout: 0 });
  const pidFile = path.join(directory, "lock.pid");
  try {
    // Readers of the empty database are let in, a second writer is not.
    database.exec("BEGIN IMMEDIATE");
    fs.writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o644 });
  } catch (error) {
    database.close();
    if (findResultCode(error) !== SQLITE_BUSY) throw error;
    const holder = readHolder(pidFile);
    throw new BerthError("store_locked", `The data directory ${directory} belongs to ${holder}`, { place: directory });
  }
  return { release: () => database.close() };
}

function readHolder(pidFile: string): string {
  try {
    const text = fs.readFileSync(pidFile, "utf8").trim();
    return /^\d+$/.test(text) ? `process ${text}` : "another process";
  } catch {
    return "another process";
  }
}

/** A directory that was just made is not there after a power cut unless its parent is synced. */
function makeDirectory(directory: string): void {
  if (fs.existsSync(directory)) return;
  const parent = path.dirname(path.resolve(directory));
  makeDirectory(parent);
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!fs.existsSync(directory)) throw error;
  }
  syncPath(parent);
}

/** Brings a file's content, or a directory's entries, to the disk. */
export function syncPath(at: string): void {
  const descriptor = fs.openSync(at, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
