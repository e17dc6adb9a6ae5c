// SPDX-License-Identifier: Apache-2.0

import { writeSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import type { Outcome } from "./tally.ts";

/** A line of the report: `node tools/test-batch.ts FILE...` writes one JSON document a line to descriptor 3. */
export type BatchLine =
  | { readonly kind: "started"; readonly file: string; readonly name: string }
  | { readonly kind: "outcome"; readonly outcome: Outcome }
  | { readonly kind: "end" };

type Verdict = Parameters<typeof outcomeOf>[0];

// All files run in this one process: that is several times as fast as a process for each. A test therefore leaves the
// process as it found it: working directory, environment, exit code.
const files = process.argv.slice(2);
const suites: string[] = [];
// All files are loaded before the first case runs: suites are filled then, and may hang or end the process.
registerHooks({
  load(url, context, next) {
    const file = url.startsWith("file:") ? fileURLToPath(url) : "";
    if (files.includes(file)) report({ kind: "started", file, name: "(loading)" });
    return next(url, context);
  },
});
const events = run({ files, isolation: "none" });
// Listeners are called at once, where a reader of the stream would wait for a case that never ends.
// Sent in order of execution: the last one names the culprit when the process does not survive.
events.on("test:dequeue", ({ file = "", name }) => report({ kind: "started", file, name }));
// Sent in order of definition, a suite before what is inside it.
events.on("test:start", ({ nesting, name }) => suites.splice(nesting, suites.length, name));
events.on("test:pass", (data) => reportOutcome(outcomeOf({ ...data, hasPassed: true })));
events.on("test:fail", (data) => reportOutcome(outcomeOf({ ...data, hasPassed: false })));
events.on("test:diagnostic", ({ message }) => reportOutcome(lateOutcomeOf(message)));
// Should a failure be told to nobody above, the exit code still says that there was one.
events.on("test:summary", ({ success }) => {
  if (!success) process.exitCode = 1;
});
events.on("end", () => report({ kind: "end" }));
events.resume();

function reportOutcome(outcome: Outcome | undefined): void {
  if (outcome !== undefined) report({ kind: "outcome", outcome });
}

function report(line: BatchLine): void {
  writeSync(3, `${JSON.stringify(line)}\n`);
}

interface Details {
  readonly type?: string | undefined;
  readonly duration_ms: number;
  readonly error?: unknown;
}

/** The runner names the file where a case is written down: for a contract that is `x.contract.ts`, whoever runs it. */
function outcomeOf(data: {
  readonly hasPassed: boolean;
  readonly file?: string | undefined;
  readonly name: string;
  readonly nesting: number;
  readonly details: Details;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
}): Outcome | undefined {
  const file = data.file ?? "";
  const isFile = data.nesting === 0 && data.name === file;
  const outcome = {
    file,
    path: isFile ? [] : [...suites.slice(0, data.nesting), data.name],
    ms: data.details.duration_ms,
  };
  if (isMarked(data.skip)) return { ...outcome, kind: "skipped", why: textOf(data.skip) };
  if (isMarked(data.todo)) return { ...outcome, kind: "todo", why: textOf(data.todo) };
  // The runner reports a file that registers nothing as one test that passed.
  if (data.hasPassed && isFile) return { ...outcome, kind: "failed", why: "The file registers no test" };
  const isSuite = data.details.type === "suite";
  if (data.hasPassed) return isSuite ? undefined : { ...outcome, kind: "passed", why: "" };
  const { failureType, cause } = failureOf(data.details.error);
  return failureType === "subtestsFailed" ? undefined : { ...outcome, kind: "failed", why: inspectError(cause) };
}

/** An error that a test threw after it had passed is only told in words. */
function lateOutcomeOf(message: string): Outcome | undefined {
  const found = /^Error: .*? at (.+?):\d+:\d+ generated asynchronous activity after/s.exec(message);
  if (found?.[1] === undefined) return undefined;
  return { kind: "failed", file: resolve(found[1]), path: [], why: message, ms: 0 };
}

function isMarked(mark: Verdict["skip"]): boolean {
  return mark !== undefined && mark !== false;
}

function textOf(mark: Verdict["skip"]): string {
  return typeof mark === "string" ? mark : "";
}

function failureOf(error: unknown): { readonly failureType: unknown; readonly cause: unknown } {
  if (!(error instanceof Error)) return { failureType: undefined, cause: error };
  const failureType: unknown = Object.entries(error).find(([key]) => key === "failureType")?.[1];
  return { failureType, cause: error.cause ?? error };
}

/** The error in full; frames of Node's own test runner are left out. */
function inspectError(cause: unknown): string {
  if (typeof cause === "string") return cause;
  const text = inspect(cause, { depth: 8, maxStringLength: 10_000, breakLength: 110 });
  return text.replace(
    /^ +at (?:.* \()?node:(?:internal\/(?:test_runner|async_hooks|modules|timers|process)|async_hooks)\b.*\n?/gm,
    "",
  );
}
