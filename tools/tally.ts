// SPDX-License-Identifier: Apache-2.0

/** What became of one check or one test case. */
export interface Outcome {
  readonly kind: "passed" | "failed" | "skipped" | "todo";
  /** The file relative to the root, or the name of a check. */
  readonly file: string;
  /** The names of the suites around a test case and its own; empty for a check. */
  readonly path: readonly string[];
  /** Why it failed, in full, or why it was not run. */
  readonly why: string;
  readonly ms: number;
}

/** The last line of a run. Only what passed or failed counts; the rest is named before it. */
export function formatTally(outcomes: readonly Outcome[]): string {
  return `${countOf(outcomes, "passed")} passed, ${countOf(outcomes, "failed")} failed`;
}

/** How many of the outcomes are of this kind. */
export function countOf(outcomes: readonly Outcome[], kind: Outcome["kind"]): number {
  return outcomes.filter((outcome) => outcome.kind === kind).length;
}

/** `FAILED file > suite > case`, and below it, indented, why. */
export function formatFailure(outcome: Outcome): string {
  const text = outcome.why.trimEnd().replace(/^(?=.)/gm, "    ");
  return `FAILED ${formatName(outcome)}\n${text}\n`;
}

/** `file > suite > case`. */
export function formatName(outcome: Outcome): string {
  return [outcome.file, ...outcome.path].join(" > ");
}

/** One line for each outcome that is neither passed nor failed. */
export function formatUnrun(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ kind }) => kind === "skipped" || kind === "todo")
    .map((outcome) => `${outcome.kind}: ${formatName(outcome)}${outcome.why === "" ? "" : ` (${outcome.why})`}`);
}
