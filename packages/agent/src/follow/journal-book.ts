// SPDX-License-Identifier: Apache-2.0

import type { JournalFile } from "../provision/journal-file.ts";
import { forgetJournal, listJournals, openJournal } from "../provision/journal-file.ts";
import type { Journal, JournalRecord } from "../provision/journal.ts";
import { nameErrno } from "../provision/errno-name.ts";
import { isSettled, listMade, viewRun } from "../provision/run-view.ts";

/** What is known of a claim from its journal. */
export type Chronicle =
  | { readonly kind: "kept"; readonly records: readonly JournalRecord[] }
  /** Nobody knows what happened: nothing of this claim is touched. */
  | { readonly kind: "damaged"; readonly why: string };

/** Where journals are kept: the state directory, or one that dies on purpose in a test. */
export interface JournalShelf {
  list(): readonly string[];
  open(claim: string): JournalFile;
  forget(claim: string): void;
}

/** The journals of a host, read once and kept in memory as they grow. */
export interface JournalBook {
  /** Claims that have a journal, sorted. */
  claims(): readonly string[];
  /** A claim without a journal has a chronicle without records. */
  read(claim: string): Chronicle;
  /** Runs a task with the claim's journal open, made where it is missing. Throws as `openJournal` does. */
  withJournal<T>(claim: string, task: (journal: Journal) => Promise<T>): Promise<T>;
  forget(claim: string): void;
}

/** The journals of a state directory. */
export function openJournalShelf(directory: string): JournalShelf {
  return {
    list: () => listJournals(directory),
    open: (claim) => openJournal(directory, claim),
    forget: (claim) => forgetJournal(directory, claim),
  };
}

/** Reads every journal of a shelf. Throws what the file system throws for the directory; a damaged journal is told of. */
export function openJournalBook(shelf: JournalShelf): JournalBook {
  const known = new Map<string, Chronicle>(shelf.list().map((claim) => [claim, readChronicle(shelf, claim)]));
  return {
    claims: () => [...known.keys()].sort(),
    read: (claim) => known.get(claim) ?? { kind: "kept", records: [] },
    withJournal: async (claim, task) => {
      const journal = shelf.open(claim);
      try {
        return await task(journal);
      } finally {
        journal.close();
        known.set(claim, { kind: "kept", records: [...journal.records] });
      }
    },
    forget: (claim) => {
      shelf.forget(claim);
      known.delete(claim);
    },
  };
}

/** Whether the last run of a claim waits for its recovery. */
export function isOpen(records: readonly JournalRecord[]): boolean {
  const run = viewRun(records);
  return run !== undefined && !isSettled(run);
}

/** Whether a journal has nothing left to tell: no run is open, and nothing that was made stands by it. */
export function isBlank(records: readonly JournalRecord[]): boolean {
  return !isOpen(records) && listMade(records).length === 0;
}

function readChronicle(shelf: JournalShelf, claim: string): Chronicle {
  try {
    const journal = shelf.open(claim);
    journal.close();
    viewRun(journal.records);
    return { kind: "kept", records: [...journal.records] };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return { kind: "damaged", why: error.message };
    return { kind: "damaged", why: `reading it fails with ${nameErrno(error)}` };
  }
}
