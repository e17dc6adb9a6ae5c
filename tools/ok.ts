// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { runScript } from "./run-script.ts";
import { findUntested, listTests, runBatch, runTests } from "./run-tests.ts";
import { countOf, formatFailure, formatTally, formatUnrun } from "./tally.ts";
import type { Outcome } from "./tally.ts";

/** Scripts of package.json; each counts as one in the tally. */
const CHECKS = ["format:check", "lint", "types", "layers", "sizes", "docs", "codes", "lock"];
const LANES = 2;
/** A slow suite that reports nothing for so long hangs. */
const SILENCE_MS = 180_000;
const USAGE = "node tools/ok.ts [--unit] [--slow] [--budget SECONDS] [PART-OF-A-TEST-FILE'S-PATH...]";

interface Wanted {
  readonly checks: boolean;
  readonly slow: boolean;
  /** Seconds for the whole run: a slow suite is not begun after it, and is stopped at it. */
  readonly budget: number;
  /** Only test files whose path contains one of these; all where there is none. */
  readonly parts: readonly string[];
}

const root = process.cwd();
const began = Date.now();

function parseWanted(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      unit: { type: "boolean", default: false },
      slow: { type: "boolean", default: false },
      budget: { type: "string", default: process.env["BERTH_TEST_BUDGET"] ?? "600" },
    },
  });
  const budget = Number(values.budget);
  if (!(budget > 0)) throw new RangeError(`Cannot parse the budget: expected seconds, got "${values.budget}"`);
  return { checks: !values.unit && positionals.length === 0, slow: values.slow, budget, parts: positionals };
}

async function runChecks(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...CHECKS];
  const lane = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { outcome, notes } = await runScript(root, name);
      outcomes.push(outcome);
      print([`${outcome.kind === "passed" ? "ok    " : "FAILED"} ${name} ${formatSeconds(outcome.ms)}`, ...notes]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return outcomes;
}

async function runUnitTests(files: readonly string[]): Promise<Outcome[]> {
  const outcomes = await runTests(root, files, LANES);
  const places = Map.groupBy(outcomes, ({ file }) => /^(packages\/[^/]+|[^/]+)/.exec(file)?.[0] ?? file);
  for (const [place, of] of [...places].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const failed = countOf(of, "failed");
    const fileCount = new Set(of.map(({ file }) => file)).size;
    print([`${failed === 0 ? "ok    " : "FAILED"} tests of ${place}: ${formatTally(of)} (${fileCount} files)`]);
  }
  return outcomes;
}

async function runSlowSuites(files: readonly string[], wanted: Wanted): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const file of files) {
    const leftMs = wanted.budget * 1000 - (Date.now() - began);
    const startedAt = Date.now();
    const unrun = wanted.slow ? `the time budget of ${wanted.budget} s is used up` : "slow; ./test and --slow run it";
    const of: readonly Outcome[] =
      wanted.slow && leftMs > 0
        ? (await runBatch(root, [file], { silenceMs: Math.min(leftMs, SILENCE_MS), totalMs: leftMs })).outcomes
        : [{ kind: "skipped", file, path: [], why: unrun, ms: 0 }];
    if (wanted.slow && leftMs > 0) {
      const mark = countOf(of, "failed") === 0 ? "ok    " : "FAILED";
      print([`${mark} ${file}: ${formatTally(of)} ${formatSeconds(Date.now() - startedAt)}`]);
    }
    outcomes.push(...of);
  }
  return outcomes;
}

async function runWanted(wanted: Wanted): Promise<Outcome[]> {
  const isWanted = (file: string): boolean =>
    wanted.parts.length === 0 || wanted.parts.some((part) => file.includes(part.replace(/^\.\//, "")));
  const tests = listTests(root);
  const unit = tests.unit.filter(isWanted);
  const slow = tests.slow.filter(isWanted);
  if (unit.length + slow.length === 0 && wanted.parts.length > 0) {
    throw new RangeError(`No test file's path contains ${wanted.parts.join(" or ")}`);
  }
  const outcomes = wanted.checks ? await runChecks() : [];
  outcomes.push(...(await runUnitTests(unit)));
  outcomes.push(...(await runSlowSuites(slow, wanted)));
  if (wanted.parts.length === 0) outcomes.push(...findUntested(root, outcomes));
  return outcomes;
}

function formatSeconds(ms: number): string {
  return `(${(ms / 1000).toFixed(1)} s)`;
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

try {
  const outcomes = await runWanted(parseWanted(process.argv.slice(2)));
  const failed = outcomes.filter(({ kind }) => kind === "failed");
  if (failed.length > 0) print(["", ...failed.map(formatFailure)]);
  print([...formatUnrun(outcomes), formatSeconds(Date.now() - began), formatTally(outcomes)]);
  process.exitCode = failed.length > 0 ? 1 : 0;
} catch (error) {
  const isUsage = error instanceof RangeError || (error instanceof TypeError && "code" in error);
  console.error(isUsage ? `${error.message}\nUsage: ${USAGE}` : error);
  print(["0 passed, 1 failed"]);
  process.exitCode = 1;
}
