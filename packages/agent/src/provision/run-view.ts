// SPDX-License-Identifier: Apache-2.0

import type { Effect, Step } from "@berth/core/provision/step";
import { identityOf } from "./effect-place.ts";
import type { JournalRecord, Purpose } from "./journal.ts";
import type { Failure } from "./outcome.ts";

/** How far a step has come. */
export type Mark =
  | { readonly kind: "untouched" }
  /** It may have been done. */
  | { readonly kind: "intended"; readonly before?: string }
  | { readonly kind: "done"; readonly before?: string }
  | { readonly kind: "skipped" }
  | { readonly kind: "refused" }
  | { readonly kind: "undone" }
  | { readonly kind: "stuck"; readonly before?: string };

/** The last run of a claim, as its journal tells it. */
export interface RunView {
  readonly purpose: Purpose;
  readonly steps: readonly Step[];
  /** One for each step. */
  readonly marks: readonly Mark[];
  /** Set once taking back has begun. */
  readonly failure?: Failure;
  readonly end?: "completed" | "undone" | "stuck";
}

/** Sums up the last run; undefined where none was begun. Throws RangeError for a record of a step that is not there. */
export function viewRun(records: readonly JournalRecord[]): RunView | undefined {
  const start = records.findLastIndex(({ kind }) => kind === "begin");
  const begin = records[start];
  if (begin?.kind !== "begin") return undefined;
  return records.slice(start + 1).reduce(addRecord, startRun(begin));
}

/** A run with one more record. */
export function addRecord(run: RunView, record: JournalRecord): RunView {
  switch (record.kind) {
    case "begin":
      return startRun(record);
    case "undoing":
      return { ...run, failure: record.failure };
    case "end":
      return { ...run, end: record.as };
    default: {
      const mark = run.marks[record.step];
      if (mark === undefined) throw new RangeError(`Cannot read journal: there is no step ${record.step + 1}`);
      return { ...run, marks: run.marks.with(record.step, markOf(record, mark)) };
    }
  }
}

/** A run of which nothing has been done. */
export function startRun({ purpose, steps }: Pick<RunView, "purpose" | "steps">): RunView {
  return { purpose, steps, marks: steps.map(() => ({ kind: "untouched" })) };
}

/**
 * UUIDs and addresses at which a claim made a device, or meant to and may have, and did not take it away since; sorted.
 * Whatever else stands on the host is not the claim's work.
 */
export function listMade(records: readonly JournalRecord[]): readonly string[] {
  const made = new Set<string>();
  let steps: readonly Step[] = [];
  for (const record of records) {
    if (record.kind === "begin") steps = record.steps;
    const effect = "step" in record ? steps[record.step]?.effect : undefined;
    if (effect === undefined) continue;
    if (isMaking(effect)) {
      if (record.kind === "intent") made.add(identityOf(effect));
      if (record.kind === "undone" || record.kind === "refused") made.delete(identityOf(effect));
    } else if (isTaking(effect) && (record.kind === "done" || record.kind === "skipped")) {
      made.delete(identityOf(effect));
    }
  }
  return [...made].sort();
}

function isMaking(effect: Effect): boolean {
  return (
    effect.kind === "create" || effect.kind === "start" || (effect.kind === "set-vgpu-type" && effect.typeNumber > 0)
  );
}

function isTaking(effect: Effect): boolean {
  return effect.kind === "remove" || effect.kind === "stop" || effect.kind === "set-vgpu-type";
}

/** Whether nothing is left to be done for a run: it was completed, or all of it was taken back. */
export function isSettled({ end }: RunView): boolean {
  return end === "completed" || end === "undone";
}

type StepRecord = Extract<JournalRecord, { readonly step: number }>;

/** The first `before` stands: a step that is tried again after a crash finds what it wrote itself. */
function markOf(record: StepRecord, mark: Mark): Mark {
  const known = "before" in mark && mark.before !== undefined ? { before: mark.before } : {};
  if (record.kind === "intent") {
    return { kind: "intended", ...(record.before === undefined ? {} : { before: record.before }), ...known };
  }
  return record.kind === "done" || record.kind === "stuck" ? { kind: record.kind, ...known } : { kind: record.kind };
}
