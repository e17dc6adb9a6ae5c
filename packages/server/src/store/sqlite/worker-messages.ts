// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "@berth/core/protocol/error-codes";

import type * as port from "../store.ts";
import type { LogPage } from "../watch-log.ts";

/**
 * What a worker is started with. The writer holds the lock of the data directory; a reader opens what it made; a copier
 * writes a backup, and is ready when it stands.
 */
export type WorkerStart =
  | { readonly role: "writer"; readonly directory: string; readonly newEpoch: string }
  | { readonly role: "reader"; readonly directory: string }
  | { readonly role: "copier"; readonly directory: string; readonly target: string };

/** Said once by a worker that has opened its file. */
export interface Ready {
  readonly epoch: string;
  readonly revision: port.Revision;
}

/** One change of the log, in the order in which they share a commit. */
export type GroupItem =
  | { readonly kind: "transact"; readonly compares: readonly port.Compare[]; readonly writes: readonly LeasedWrite[] }
  /** Removes what was written with a lease. */
  | { readonly kind: "end-lease"; readonly lease: string }
  /** Forgets at most `count` revisions, up to this one. */
  | { readonly kind: "compact"; readonly revision: port.Revision; readonly count: number };

/** A write as it crosses to the worker: a lease by its id. */
export type LeasedWrite =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease: string | null }
  | { readonly kind: "delete"; readonly key: string };

export type ItemOutcome =
  | port.TransactionAnswer
  | { readonly kind: "lease-ended" }
  /** `missing`: the revision is yet to come. */
  | { readonly kind: "compacted"; readonly state: "done" | "more" | "missing" };

/** Request -> answer, by what is asked. */
export interface Questions {
  readonly commit: {
    readonly ask: readonly GroupItem[];
    readonly answer: { readonly outcomes: readonly ItemOutcome[]; readonly revision: port.Revision };
  };
  readonly read: { readonly ask: port.ReadRequest; readonly answer: port.ReadAnswer };
  readonly log: {
    readonly ask: { readonly after: port.Revision; readonly prefix: string };
    readonly answer: LogPage;
  };
  readonly close: { readonly ask: null; readonly answer: null };
}

export type QuestionName = keyof Questions;

/** A question as it crosses to the worker, with a number to know its answer by. */
export interface Asked {
  readonly id: number;
  readonly name: QuestionName;
  readonly ask: unknown;
}

export type Answered =
  | { readonly id: number; readonly kind: "answer"; readonly answer: unknown }
  | { readonly id: number; readonly kind: "error"; readonly error: WireError };

/** A coded error as it crosses from a worker: classes do not survive that. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly place?: string;
}
