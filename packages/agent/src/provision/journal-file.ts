// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { quoteText } from "@berth/core/device/quoted-text";
import { makePrivateDirectory, syncDirectory } from "./durable-file.ts";
import { nameErrno } from "./errno-name.ts";
import type { Written } from "./host-writer.ts";
import { formatRecord, parseJournal } from "./journal.ts";
import type { Journal, JournalRecord } from "./journal.ts";
import { isSettled, viewRun } from "./run-view.ts";

/** A journal that is open; it holds a file until it is closed. */
export interface JournalFile extends Journal {
  close(): void;
}

/** Claim ids as they may stand in a file name. */
const CLAIM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const SUFFIX = ".journal";
const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;

/**
 * Opens the journal of a claim in the state directory, and makes both where they are missing. A torn last line is cut
 * off. Throws RangeError for an id that is no file name, SyntaxError for a damaged journal, and what the file system
 * throws.
 */
export function openJournal(directory: string, claim: string): JournalFile {
  const path = pathOf(directory, claim);
  makePrivateDirectory(directory);
  const file = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    const { records, length } = parseJournal(fs.readFileSync(file, "utf8"));
    fs.ftruncateSync(file, length);
    fs.fsyncSync(file);
    syncDirectory(directory);
    return new OpenJournal(file, [...records], length);
  } catch (error) {
    fs.closeSync(file);
    throw error;
  }
}

/** Claims that have a journal, sorted: after a start each of them is to be recovered. */
export function listJournals(directory: string): readonly string[] {
  let names: readonly string[];
  try {
    names = fs.readdirSync(directory);
  } catch (error) {
    if (nameErrno(error) === "ENOENT") return [];
    throw error;
  }
  const claims = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
  return claims.filter((claim) => CLAIM.test(claim)).sort();
}

/**
 * Removes the journal of a claim of which nothing is left and the control plane knows it. Throws RangeError while its
 * last run is open or something of it is stuck: what it says is then all that is known.
 */
export function forgetJournal(directory: string, claim: string): void {
  const path = pathOf(directory, claim);
  const journal = openJournal(directory, claim);
  journal.close();
  const run = viewRun(journal.records);
  if (run !== undefined && !isSettled(run)) {
    throw new RangeError(`Cannot forget claim ${claim}: its last run has not been settled`);
  }
  fs.unlinkSync(path);
  syncDirectory(directory);
}

function pathOf(directory: string, claim: string): string {
  if (CLAIM.test(claim)) return `${directory}/${claim}${SUFFIX}`;
  throw new RangeError(`Cannot keep a journal: expected the id of a claim, got ${quoteText(claim)}`);
}

/** Owns the file. Every record is on disk before `append` returns. */
class OpenJournal implements JournalFile {
  readonly #file: number;
  readonly #records: JournalRecord[];
  #length: number;
  #state: "open" | "broken" | "closed" = "open";

  constructor(file: number, records: JournalRecord[], length: number) {
    this.#file = file;
    this.#records = records;
    this.#length = length;
  }

  get records(): readonly JournalRecord[] {
    return this.#records;
  }

  append(record: JournalRecord): Written {
    if (this.#state !== "open") return { kind: "failed", errno: "EBADF", why: `the journal is ${this.#state}` };
    const bytes = Buffer.from(formatRecord(record), "utf8");
    try {
      for (let at = 0; at < bytes.length;) {
        at += fs.writeSync(this.#file, bytes, at, bytes.length - at, this.#length + at);
      }
      fs.fsyncSync(this.#file);
    } catch (error) {
      const errno = nameErrno(error);
      this.#takeBack();
      return { kind: "failed", errno, why: `writing the journal fails with ${errno}` };
    }
    this.#length += bytes.length;
    this.#records.push(record);
    return { kind: "written" };
  }

  close(): void {
    if (this.#state !== "closed") fs.closeSync(this.#file);
    this.#state = "closed";
  }

  /** Cuts off half a record. Where even that fails nothing more is written: the half line must stay the last. */
  #takeBack(): void {
    try {
      fs.ftruncateSync(this.#file, this.#length);
      fs.fsyncSync(this.#file);
    } catch {
      this.#state = "broken";
    }
  }
}
