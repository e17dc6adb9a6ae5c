// SPDX-License-Identifier: Apache-2.0

import type { Effect } from "@berth/core/provision/step";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import { deviceFolder } from "./effect-place.ts";
import { applyEffect } from "./effects.ts";
import { observe } from "./observe.ts";
import type { Sight } from "./observe.ts";
import type { Failure, Outcome, Undo } from "./outcome.ts";
import { failAt, findUser, note, report, textOf } from "./run.ts";
import type { Run } from "./run.ts";
import type { Mark, RunView } from "./run-view.ts";

/**
 * Takes back what a run has done, last step first, and goes on where one cannot be taken back: each has its own answer.
 * Safe to repeat: what is not there any more counts as taken back, and what is not ours is left alone.
 */
export async function undoSteps(run: Run, failure: Failure): Promise<Outcome> {
  const unwritten: (Failure | undefined)[] = [];
  if (run.view.failure === undefined) unwritten.push(note(run, { kind: "undoing", failure }));
  const undos: Undo[] = [];
  for (let step = run.view.steps.length - 1; step >= 0; step--) {
    const undo = await undoStep(run, step);
    if (undo === undefined) continue;
    undos.push(undo);
    const result = undo.kind === "stuck" ? { kind: undo.kind, step, failure: undo.failure } : { kind: "undone", step };
    unwritten.push(note(run, result as Parameters<typeof note>[1]));
    report(run, undo.kind, step);
  }
  const kind = undos.some((undo) => undo.kind === "stuck") ? "stuck" : "undone";
  unwritten.push(note(run, { kind: "end", as: kind }));
  const unsettled = unwritten.find((told) => told !== undefined);
  const standing = listStanding(run.view);
  return { kind, failure, undos, standing, ...(unsettled === undefined ? {} : { unsettled }) };
}

/** Steps that were done, or may have been, and have nothing to take back by themselves. */
export function listStanding({ steps, marks }: RunView): readonly number[] {
  return [...marks.keys()].filter((index) => isDone(marks[index]) && steps[index]?.undo === undefined);
}

function isDone(mark: Mark | undefined): boolean {
  return mark?.kind === "intended" || mark?.kind === "done" || mark?.kind === "stuck";
}

async function undoStep(run: Run, index: number): Promise<Undo | undefined> {
  const step = run.view.steps[index];
  const mark = run.view.marks[index];
  if (step?.undo === undefined || mark === undefined || !isDone(mark)) return undefined;
  const { effect, undo } = step;
  const said = { step: index, text: textOf(run, index) };
  const tree = run.hands.look();
  const sight = observe(undo, tree);
  if (isTakenBack(sight, mark) || isForeign(effect, sight, tree)) return { kind: "nothing-left", ...said };
  report(run, "undoing", index);
  const at = { step: index, effect: undo };
  const user = findUser(undo, run.hands);
  if (user !== undefined) return { kind: "stuck", ...said, failure: failAt(run, at, user) };
  const applied = await applyEffect(undo, run.hands);
  const after = observe(undo, run.hands.look());
  if (isTakenBack(after, mark)) return { kind: "undone", ...said };
  if (applied.kind === "failed") return { kind: "stuck", ...said, failure: failAt(run, at, applied) };
  // An attribute that cannot be read has said all it ever says by taking the write.
  if (after.kind === "unknown" && undo.kind === "write") return { kind: "undone", ...said };
  const code = after.kind === "unknown" ? "unreadable" : "no_effect";
  const why = after.kind === "unknown" ? after.why : "it was taken back without an error and is still there";
  return { kind: "stuck", ...said, failure: failAt(run, at, { code, why }) };
}

/** It is as the undo wants it, as it was before, or gone together with its device. */
function isTakenBack(sight: Sight, mark: Mark): boolean {
  if (sight.kind === "as-wanted" || sight.kind === "absent") return true;
  const before = "before" in mark ? mark.before : undefined;
  return sight.kind === "otherwise" && before !== undefined && sight.text === before;
}

/**
 * Whether what stands there now is somebody else's: another type than the one that was set or created. Before the
 * step there was nothing, so whatever is of this very type is ours.
 */
function isForeign(effect: Effect, sight: Sight, tree: SysfsTree): boolean {
  if (effect.kind === "set-vgpu-type") return sight.kind === "otherwise" && sight.text !== String(effect.typeNumber);
  if (effect.kind !== "create") return false;
  const type = tree.resolve(`${deviceFolder(effect.uuid)}/mdev_type`);
  return type.kind === "path" && type.path.slice(type.path.lastIndexOf("/") + 1) !== effect.type;
}
