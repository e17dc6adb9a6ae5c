// SPDX-License-Identifier: Apache-2.0

import { checkSteps } from "./effect-place.ts";
import type { Hands } from "./effects.ts";
import { advanceSteps } from "./execute-steps.ts";
import type { Journal, Purpose } from "./journal.ts";
import { observe } from "./observe.ts";
import type { Sight } from "./observe.ts";
import type { Failure, Outcome, Progress } from "./outcome.ts";
import type { Run } from "./run.ts";
import { viewRun } from "./run-view.ts";
import type { RunView } from "./run-view.ts";
import { listStanding, undoSteps } from "./undo-steps.ts";

/** What to do about a run that was interrupted. */
export type Repair = "finish" | "undo";

/** Decides it from the run and from how the host looks now, one sight for each step. Pure. */
export type PlanRepair = (run: RunView, sights: readonly Sight[]) => Repair;

/** What a recovery needs. */
export interface Recovery {
  readonly hands: Hands;
  /** The claim's own; whoever calls holds the pool owners' lock. */
  readonly journal: Journal;
  /** `planByPurpose` where it is left out. */
  readonly planRepair?: PlanRepair;
  readonly onProgress?: (progress: Progress) => void;
}

/** What was found or made of a claim's last run; `nothing`: none was ever begun. */
export type Recovered = (Outcome & { readonly purpose: Purpose }) | { readonly kind: "nothing" };

/**
 * Settles the last run of a claim after a crash at any instant: finishes it or takes it back, from what its journal says
 * and a fresh look at the host. A run that was settled is only told again; taking back that was begun is gone on with,
 * and what was stuck is tried again. May itself be interrupted and repeated any number of times.
 */
export async function recoverClaim(recovery: Recovery): Promise<Recovered> {
  const view = viewRun(recovery.journal.records);
  if (view === undefined) return { kind: "nothing" };
  return { ...(await settleRun(recovery, view)), purpose: view.purpose };
}

async function settleRun({ planRepair, ...recovery }: Recovery, view: RunView): Promise<Outcome> {
  if (view.end === "completed") return { kind: "completed" };
  checkSteps(view.steps);
  const run: Run = { ...recovery, view };
  if (view.end === "undone" && view.failure !== undefined) {
    return { kind: "undone", failure: view.failure, undos: [], standing: listStanding(view) };
  }
  if (view.failure !== undefined) return undoSteps(run, view.failure);
  const tree = recovery.hands.look();
  const sights = view.steps.map(({ effect }) => observe(effect, tree));
  const repair = (planRepair ?? planByPurpose)(view, sights);
  return repair === "finish" ? advanceSteps(run) : undoSteps(run, describeInterruption(view));
}

/** Finishes what takes devices away, which nothing can bring back, and takes back what was to be made. */
export function planByPurpose({ purpose }: RunView): Repair {
  return purpose === "unmake" ? "finish" : "undo";
}

function describeInterruption({ steps, marks }: RunView): Failure {
  const found = marks.findIndex(({ kind }) => kind === "untouched" || kind === "intended");
  const step = found < 0 ? Math.max(0, steps.length - 1) : found;
  const why = "the agent stopped before the steps were done";
  return { code: "interrupted", step, text: steps[step]?.text ?? "", why };
}
