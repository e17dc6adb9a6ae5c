// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { join, relative } from "node:path";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { isCode, isTestFile, listFiles } from "./repository-files.ts";
import type { Outcome } from "./tally.ts";
import type { BatchLine } from "./test-batch.ts";

/** How often a share of the tests is begun, each time without the file that stopped it. */
const MAX_TRIES = 3;

/** When a process that runs tests is stopped. */
export interface Patience {
  /** Longest time without any sign of life, in milliseconds. */
  readonly silenceMs: number;
  /** Longest time in all, in milliseconds. */
  readonly totalMs: number;
}

/** Test files of the repository, sorted: slow suites are named `x.slow.test.ts` and stand apart. */
export function listTests(root: string): { readonly unit: string[]; readonly slow: string[] } {
  const files = listFiles(root).filter((file) => isCode(file) && file.endsWith(".test.ts"));
  return {
    unit: files.filter((file) => !file.endsWith(".slow.test.ts")),
    slow: files.filter((file) => file.endsWith(".slow.test.ts")),
  };
}

/** Runs test files in `lanes` processes side by side. Every file yields at least one outcome. */
export async function runTests(root: string, files: readonly string[], lanes: number): Promise<Outcome[]> {
  const shares = Array.from({ length: lanes }, (_, lane) => files.filter((_file, index) => index % lanes === lane));
  return (await Promise.all(shares.map((share) => runShare(root, share)))).flat();
}

/** What a process that died or hung did not come to is tried again without the culprit; not for ever, it takes time. */
async function runShare(root: string, files: readonly string[]): Promise<Outcome[]> {
  const patience = { silenceMs: 60_000, totalMs: Number.POSITIVE_INFINITY };
  const outcomes: Outcome[] = [];
  let left = files;
  for (let tries = 0; left.length > 0 && tries < MAX_TRIES; tries += 1) {
    const ran = await runBatch(root, left, patience);
    outcomes.push(...ran.outcomes);
    left = ran.owed;
  }
  const why = `Not run: ${MAX_TRIES} processes that came to others before it did not end well`;
  return [...outcomes, ...left.map((file): Outcome => ({ kind: "failed", file, path: [], why, ms: 0 }))];
}

/** What came of one process: every file has an outcome or is owed one. */
export interface BatchRun {
  readonly outcomes: readonly Outcome[];
  readonly owed: readonly string[];
}

/** Runs test files in one process. If it dies or hangs, the file that it was in fails, and what it left out is owed. */
export async function runBatch(root: string, files: readonly string[], patience: Patience): Promise<BatchRun> {
  const outcomes: Outcome[] = [];
  const seen = { file: "", name: "", ended: false };
  const began = Date.now();
  const child = spawnBatch(root, files);
  const watch = watchOver(child, patience);
  for await (const text of createInterface({ input: child.report })) {
    watch.renew();
    const line = parseLine(text);
    if (line?.kind === "outcome") outcomes.push({ ...line.outcome, file: relative(root, line.outcome.file) });
    if (line?.kind === "started") Object.assign(seen, { file: relative(root, line.file), name: line.name });
    if (line?.kind === "end") seen.ended = true;
  }
  const end = await child.ended;
  const isExplained = end === "exit code 0" || outcomes.some(({ kind }) => kind === "failed");
  if (seen.ended && isExplained) return { outcomes, owed: [] };
  const silent = files.filter((file) => !outcomes.some((outcome) => outcome.file === file));
  const culprit = seen.file === "" ? (silent[0] ?? "") : seen.file;
  const reason = watch.reason() ?? `The process did not end well (${end})`;
  const why = `${reason}, in ${culprit} > ${seen.name}\n${child.output()}`;
  outcomes.push({ kind: "failed", file: culprit, path: [], why, ms: Date.now() - began });
  return { outcomes, owed: seen.ended ? [] : silent.filter((file) => file !== culprit) };
}

/** A process that is killed may leave half a line behind; whole ones come from test-batch.ts. */
function parseLine(text: string): BatchLine | undefined {
  try {
    return JSON.parse(text) as BatchLine;
  } catch {
    return undefined;
  }
}

interface Batch {
  readonly report: Readable;
  /** How the process ended, in words. */
  readonly ended: Promise<string>;
  /** What it printed, the last 20,000 characters. */
  output(): string;
  stop(): void;
}

function spawnBatch(root: string, files: readonly string[]): Batch {
  const script = join(import.meta.dirname, "test-batch.ts");
  const paths = files.map((file) => join(root, file));
  const args = ["--disable-warning=ExperimentalWarning", script, ...paths];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-20_000);
    });
  }
  const ended = new Promise<string>((settle) => {
    child.on("error", (error) => settle(error.message));
    child.on("close", (code, signal) => settle(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  return { report: child.stdio[3] as Readable, ended, output: () => printed, stop: () => child.kill("SIGKILL") };
}

function watchOver(child: Batch, patience: Patience): { renew(): void; reason(): string | undefined } {
  let reason: string | undefined;
  const stop = (why: string): void => {
    reason ??= why;
    child.stop();
  };
  const hush = setTimeout(() => stop(`Stopped after ${patience.silenceMs / 1000} s of silence`), patience.silenceMs);
  const isEndless = patience.totalMs === Number.POSITIVE_INFINITY;
  const whole = isEndless
    ? undefined
    : setTimeout(() => stop(`Stopped after ${patience.totalMs / 1000} s`), patience.totalMs);
  void child.ended.then(() => {
    clearTimeout(hush);
    clearTimeout(whole);
  });
  return { renew: () => hush.refresh(), reason: () => reason };
}

/** A failure for each package that has sources and of which no test was run. */
export function findUntested(root: string, outcomes: readonly Outcome[]): Outcome[] {
  const sources = listFiles(root).filter((file) => file.startsWith("packages/") && isCode(file) && !isTestFile(file));
  const packages = new Set(sources.map((file) => file.split("/").slice(0, 2).join("/")));
  const ran = outcomes.filter(({ kind }) => kind === "passed" || kind === "failed");
  const untested = [...packages].filter((name) => !ran.some(({ file }) => file.startsWith(`${name}/`)));
  const why = "The package has sources, and no test of it was run";
  return untested.map((file) => ({ kind: "failed", file, path: [], why, ms: 0 }));
}
