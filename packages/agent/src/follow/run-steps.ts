// SPDX-License-Identifier: Apache-2.0

import type { ClaimReason } from "@berth/core/claim/claim";
import type { Step } from "@berth/core/provision/step";
import { executeSteps } from "../provision/execute-steps.ts";
import type { Purpose } from "../provision/journal.ts";
import type { FailureCode } from "../provision/outcome.ts";
import { recoverClaim } from "../provision/recover.ts";
import { explainFailure, explainStuck } from "./said.ts";
import type { Workbench } from "./workbench.ts";

/** What came of steps that were executed. */
export type Ran =
  | { readonly kind: "completed" }
  | { readonly kind: "cancelled" }
  /** All is taken back, and trying again is no use. */
  | { readonly kind: "failed"; readonly reason: ClaimReason }
  /** It is in the way for now. */
  | { readonly kind: "later"; readonly reason: ClaimReason };

/** Failures that say nothing about whether the devices can be made. */
const PASSING: ReadonlySet<FailureCode> = new Set(["cancelled", "interrupted", "journal_failed", "in_use"]);

/** A list of steps for one claim. */
export interface Task {
  readonly claim: string;
  readonly purpose: Purpose;
  readonly steps: readonly Step[];
  readonly signal?: AbortSignal;
}

/** Executes steps for a claim, whose journal says first what is about to be done. The owners' locks are held. */
export async function runSteps(bench: Workbench, { claim, ...task }: Task): Promise<Ran> {
  const { hands, journals, eye } = bench;
  try {
    const outcome = await journals.withJournal(claim, (journal) => executeSteps({ ...task, hands, journal }));
    bench.log(`claim ${claim}: ${task.purpose}, ${task.steps.length} steps: ${outcome.kind}`);
    if (outcome.kind === "completed") return outcome;
    if (outcome.kind === "stuck") return { kind: "later", reason: explainStuck(outcome) };
    if (outcome.unsettled !== undefined) return { kind: "later", reason: explainFailure(outcome.unsettled) };
    if (outcome.failure.code === "cancelled") return { kind: "cancelled" };
    const reason = explainFailure(outcome.failure);
    const isPassing = task.purpose === "unmake" || PASSING.has(outcome.failure.code);
    return { kind: isPassing ? "later" : "failed", reason };
  } finally {
    eye.noteChange();
  }
}

/** Settles the last run of a claim; what is still in the way, or undefined. The owners' locks are held. */
export async function settleRun(
  { hands, journals, eye, log }: Workbench,
  claim: string,
): Promise<ClaimReason | undefined> {
  try {
    const recovered = await journals.withJournal(claim, (journal) => recoverClaim({ hands, journal }));
    log(`claim ${claim}: an interrupted run is ${recovered.kind}`);
    if (recovered.kind === "stuck") return explainStuck(recovered);
    if (recovered.kind !== "undone" || recovered.unsettled === undefined) return undefined;
    return explainFailure(recovered.unsettled);
  } finally {
    eye.noteChange();
  }
}
