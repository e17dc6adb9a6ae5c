// SPDX-License-Identifier: Apache-2.0

import type { Effect } from "@berth/core/provision/step";
import { identityOf, placeOf } from "./effect-place.ts";
import type { Hands } from "./effects.ts";
import type { Journal, JournalRecord } from "./journal.ts";
import type { Failure, Progress } from "./outcome.ts";
import { addRecord } from "./run-view.ts";
import type { RunView } from "./run-view.ts";

/** A list of steps under way. */
export interface Run {
  readonly hands: Hands;
  readonly journal: Journal;
  /** Looked at between steps. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** What the journal says, and what is known although it could not be written there. */
  view: RunView;
}

/** Writes a record down. A record of what has happened holds in memory even where the disk refuses it. */
export function note(run: Run, record: JournalRecord): Failure | undefined {
  const written = run.journal.append(record);
  if (written.kind === "written" || record.kind !== "intent") run.view = addRecord(run.view, record);
  if (written.kind === "written") return undefined;
  const step = "step" in record ? record.step : 0;
  const { errno } = written;
  const why = written.why ?? `writing the journal fails with ${errno}`;
  return { code: "journal_failed", step, text: textOf(run, step), errno, why };
}

/** A failure of one step, at the place of an effect of it. */
export function failAt(
  run: Run,
  at: { readonly step: number; readonly effect: Effect },
  told: Pick<Failure, "code" | "why"> & { readonly errno?: string },
): Failure {
  const { code, errno, why } = told;
  const where = { step: at.step, text: textOf(run, at.step), path: placeOf(at.effect) };
  return { code, ...where, ...(errno === undefined ? {} : { errno }), why };
}

/** Tells whoever watches. */
export function report(run: Run, kind: Progress["kind"], step: number): void {
  run.onProgress?.({ kind, step, of: run.view.steps.length, text: textOf(run, step) });
}

/** The sentence of a step. */
export function textOf(run: Run, step: number): string {
  return run.view.steps[step]?.text ?? "";
}

/**
 * Why an effect must not be done now: it takes a device away, or changes it as a whole, and somebody uses it. The
 * kernel would wait for the user to let go, or tear the device out of a running guest.
 */
export function findUser(
  effect: Effect,
  hands: Hands,
): (Pick<Failure, "code" | "why"> & { errno: string }) | undefined {
  if (effect.kind !== "remove" && effect.kind !== "stop" && !effect.kind.startsWith("set-")) return undefined;
  const use = hands.useOf(identityOf(effect));
  if (use.kind === "free") return undefined;
  const why = use.kind === "in-use" ? `it is used by ${use.by}` : `it cannot be told whether it is used: ${use.why}`;
  return { code: "in_use", errno: "EBUSY", why };
}
