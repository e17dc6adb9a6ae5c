// SPDX-License-Identifier: Apache-2.0

import type { Effect, Step } from "@berth/core/provision/step";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { checkSteps } from "./effect-place.ts";
import { applyEffect } from "./effects.ts";
import type { Hands } from "./effects.ts";
import type { Journal, Purpose } from "./journal.ts";
import { findDifference, observe } from "./observe.ts";
import type { Sight } from "./observe.ts";
import type { Failure, Outcome, Progress } from "./outcome.ts";
import { failAt, findUser, note, report } from "./run.ts";
import type { Run } from "./run.ts";
import { isSettled, startRun, viewRun } from "./run-view.ts";
import type { Mark } from "./run-view.ts";
import { undoSteps } from "./undo-steps.ts";

/** What to execute, where, and where it is written down. */
export interface Execution {
  readonly purpose: Purpose;
  readonly steps: readonly Step[];
  readonly hands: Hands;
  /** The claim's own; whoever calls holds the pool owners' lock. */
  readonly journal: Journal;
  /** Stops between two steps, and takes back what was done. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Executes steps in order: look, write the intent down, do, look again. The first that fails has everything taken back
 * that was done before it. What was there before the first step is never taken for the steps' own work.
 *
 * Throws RangeError for steps that name impossible places, and while an earlier run of the claim waits for its
 * recovery; nothing was done then.
 */
export async function executeSteps({ purpose, steps, ...execution }: Execution): Promise<Outcome> {
  checkSteps(steps);
  const last = viewRun(execution.journal.records);
  if (last !== undefined && !isSettled(last)) {
    throw new RangeError("Cannot execute steps: the claim's last run has to be recovered first");
  }
  const run: Run = { ...execution, view: startRun({ purpose, steps }) };
  const failure = note(run, { kind: "begin", purpose, steps });
  if (failure !== undefined) return { kind: "undone", failure, undos: [], standing: [] };
  return advanceSteps(run);
}

/** Does what a run has not done yet, from its first step on. */
export async function advanceSteps(run: Run): Promise<Outcome> {
  for (const [index, step] of run.view.steps.entries()) {
    const mark = findMark(run, index, step);
    if (mark === undefined) continue;
    const at = { step: index, effect: step.effect };
    if (run.signal?.aborted === true) {
      return undoSteps(run, failAt(run, at, { code: "cancelled", why: "it was called off before this step" }));
    }
    report(run, "doing", index);
    const failure = await advanceStep(run, { ...at, mark, wanted: step });
    if (failure !== undefined) return undoSteps(run, failure);
    report(run, "done", index);
  }
  const failure = note(run, { kind: "end", as: "completed" });
  // What is not written down as completed would be taken back after a crash, with its user perhaps.
  return failure === undefined ? { kind: "completed" } : undoSteps(run, failure);
}

/** The mark of a step that is to be done; undefined where it was done. What has since gone is done again. */
function findMark(run: Run, index: number, { effect }: Step): Mark | undefined {
  const mark = run.view.marks[index] ?? { kind: "untouched" };
  if (mark.kind === "untouched" || mark.kind === "intended") return mark;
  const isMade = effect.kind === "create" || effect.kind === "start" || effect.kind === "define";
  if (!isMade) return undefined;
  return observe(effect, run.hands.look()).kind === "otherwise" ? { kind: "untouched" } : undefined;
}

interface Advance {
  readonly step: number;
  readonly effect: Effect;
  readonly mark: Mark;
  readonly wanted: Step;
}

async function advanceStep(run: Run, at: Advance): Promise<Failure | undefined> {
  const { step, effect, wanted } = at;
  const tree = run.hands.look();
  const sight = observe(effect, tree);
  const ready = checkReady(at, sight, tree);
  if (ready.kind === "refused") return failAt(run, at, ready);
  if (ready.kind === "needless") {
    return findWrongReading(run, at) ?? note(run, { kind: at.mark.kind === "intended" ? "done" : "skipped", step });
  }
  const user = findUser(effect, run.hands);
  if (user !== undefined && !isFreshType(effect)) return failAt(run, at, user);
  const before = sight.kind === "otherwise" && sight.text !== "" ? { before: sight.text } : {};
  const unwritten = note(run, { kind: "intent", step, ...before });
  if (unwritten !== undefined) return unwritten;
  const applied = await applyEffect(effect, run.hands);
  if (applied.kind === "failed") {
    // Somebody else made it since we looked: the undo must not touch it.
    if (applied.code === "already_there") note(run, { kind: "refused", step });
    return failAt(run, at, applied);
  }
  const after = observe(effect, run.hands.look());
  // What other attributes show may be worded differently; only a read-back may judge them.
  if (after.kind !== "as-wanted" && effect.kind !== "write" && effect.kind !== "set-ap-config") {
    const why = after.kind === "unknown" ? after.why : "it succeeded, and the host shows nothing of it";
    return failAt(run, at, { code: after.kind === "unknown" ? "unreadable" : "no_effect", why });
  }
  return findWrongReading(run, { ...at, wanted }) ?? note(run, { kind: "done", step });
}

function findWrongReading(run: Run, { step, effect, wanted }: Advance): Failure | undefined {
  if (wanted.readBack === undefined) return undefined;
  const difference = findDifference(wanted.readBack, run.hands.look());
  if (difference === undefined) return undefined;
  return { ...failAt(run, { step, effect }, { code: "read_back", why: difference }), path: wanted.readBack.path };
}

/** A function without a type has no user: nothing can open it. */
function isFreshType(effect: Effect): boolean {
  return effect.kind === "set-vgpu-type" && effect.typeNumber > 0;
}

type Ready =
  | { readonly kind: "ready" }
  /** The host is as the step wants it. */
  | { readonly kind: "needless" }
  | { readonly kind: "refused"; readonly code: Failure["code"]; readonly errno?: string; readonly why: string };

/** Decides by a fresh look whether an effect is due. What makes a device may only start from nothing. */
function checkReady({ effect, mark, wanted }: Advance, sight: Sight, tree: SysfsTree): Ready {
  if (sight.kind === "unknown" && effect.kind !== "write" && effect.kind !== "set-ap-config") {
    return { kind: "refused", code: "unreadable", errno: sight.errno, why: sight.why };
  }
  const isAgain = mark.kind === "intended";
  switch (effect.kind) {
    case "create":
    case "start":
    case "define":
      if (sight.kind !== "as-wanted") return { kind: "ready" };
      if (isAgain) return { kind: "needless" };
      return { kind: "refused", code: "already_there", errno: "EEXIST", why: "it was there before" };
    case "set-vgpu-type":
      if (sight.kind === "as-wanted" && (isAgain || effect.typeNumber === 0)) return { kind: "needless" };
      if (sight.kind === "absent" || effect.typeNumber === 0) return { kind: "ready" };
      if (sight.kind === "otherwise" && sight.text === "0") return { kind: "ready" };
      return { kind: "refused", code: "place_taken", errno: "EBUSY", why: "the function has a type already" };
    case "write":
    case "set-ap-config":
      return isEqualAlready(wanted, tree) ? { kind: "needless" } : { kind: "ready" };
    default:
      return sight.kind === "as-wanted" ? { kind: "needless" } : { kind: "ready" };
  }
}

function isEqualAlready({ skipWhenEqual, readBack }: Step, tree: SysfsTree): boolean {
  return skipWhenEqual === true && readBack !== undefined && findDifference(readBack, tree) === undefined;
}
