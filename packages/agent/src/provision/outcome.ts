// SPDX-License-Identifier: Apache-2.0

/** Why a step failed. */
export type FailureCode =
  /** The kernel refused the write; `errno` says how. */
  | "refused"
  /** The pool has no room, or somebody else's type stands there: a stranger took the place. */
  | "place_taken"
  /** A device or definition of that name was there before. */
  | "already_there"
  /** Somebody uses the device, or it cannot be told whether anybody does. */
  | "in_use"
  /** What stands there cannot be read, so that it cannot be told whose it is. */
  | "unreadable"
  /** What was read afterwards is not what was wanted. */
  | "read_back"
  /** The write or command succeeded, and the host shows nothing of it. */
  | "no_effect"
  | "command_failed"
  | "command_missing"
  | "timed_out"
  | "cancelled"
  /** A crash came in between, and the recovery takes it back. */
  | "interrupted"
  /** Intent or result could not be written down; nothing is done that is not. */
  | "journal_failed";

/** A failure with where it happened. */
export interface Failure {
  readonly code: FailureCode;
  /** Index of the step. */
  readonly step: number;
  /** The step's sentence. */
  readonly text: string;
  /** The attribute, device or definition on the host. */
  readonly path?: string;
  /** The kernel's name, such as ENOSPC. */
  readonly errno?: string;
  readonly why: string;
}

/** What became of taking back one step. */
export type Undo =
  | { readonly kind: "undone"; readonly step: number; readonly text: string }
  /** There was nothing of ours to take back. */
  | { readonly kind: "nothing-left"; readonly step: number; readonly text: string }
  /** It is still there: kept in the journal, tried again by every recovery. */
  | { readonly kind: "stuck"; readonly step: number; readonly text: string; readonly failure: Failure };

/** What was taken back after a failure. */
export interface Unwound {
  readonly failure: Failure;
  /** In the order in which they were taken back: last step first. */
  readonly undos: readonly Undo[];
  /** Steps that were done and have nothing to take back by themselves, ascending. */
  readonly standing: readonly number[];
  /** The journal could not be closed: the host is as said, and a recovery is still due. */
  readonly unsettled?: Failure;
}

/** What executing, or recovering, a list of steps came to. */
export type Outcome =
  | { readonly kind: "completed" }
  | ({ readonly kind: "undone" } & Unwound)
  /** Something could not be taken back and needs attention; `undos` names it. */
  | ({ readonly kind: "stuck" } & Unwound);

/** One line of progress: a step begins, ends, or is taken back. */
export interface Progress {
  readonly kind: "doing" | "done" | "undoing" | Undo["kind"];
  readonly step: number;
  readonly of: number;
  readonly text: string;
}
