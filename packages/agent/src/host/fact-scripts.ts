// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import { known, unreadable } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { Problem, ProblemCode } from "@berth/core/device/problem";
import { escapeControls } from "../discovery/scan.ts";
import { nameErrno } from "../provision/errno-name.ts";
import { parseFacts } from "./parse-facts.ts";
import { runFactScript } from "./run-fact-script.ts";

/** What the scripts of a host say, and what was wrong with them. */
export interface ScriptFacts {
  readonly facts: Readonly<Record<string, Reading<string>>>;
  readonly problems: readonly Problem[];
}

/** Where scripts are found, and how they are run. */
export interface FactScriptParts {
  /** The host's name in the fleet. */
  readonly host: string;
  /** `FACT_SCRIPTS` on a live host. */
  readonly directory: string;
  readonly now: () => number;
  /** 5 s. */
  readonly timeoutMs?: number;
  /** How long what was said is believed: 5 min. */
  readonly keepMs?: number;
  /** Whom scripts run as where this process is root: nobody. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Whom scripts have to belong to: root. */
  readonly owner?: number;
}

export const FACT_SCRIPTS = "/etc/berth/facts.d";

const NOBODY = { uid: 65_534, gid: 65_534 };
const TIMEOUT_MS = 5000;
const KEEP_MS = 300_000;
const MAX_SCRIPTS = 64;
/** Write permission of group and others. */
const OTHERS_WRITE = 0o022;
const OTHERS_EXECUTE = 0o001;

/**
 * Makes the reader of a host's fact scripts. A call runs them all, one after the other, in the order of their names, or
 * tells again what they said a short while ago. Never rejects for what scripts do: that is in `problems`, and a script
 * that fails says nothing: what it said before is not kept.
 */
export function makeFactReader(parts: FactScriptParts): () => Promise<ScriptFacts> {
  let last: { readonly said: Promise<ScriptFacts>; readonly atMs: number } | undefined;
  return () => {
    const atMs = parts.now();
    const age = last === undefined ? -1 : atMs - last.atMs;
    if (last !== undefined && age >= 0 && age < (parts.keepMs ?? KEEP_MS)) return last.said;
    last = { said: runScripts(parts), atMs };
    return last.said;
  };
}

async function runScripts(parts: FactScriptParts): Promise<ScriptFacts> {
  const told: Told = { host: parts.host, readings: new Map(), problems: [] };
  for (const name of listScripts(parts, told)) {
    const path = `${parts.directory}/${name}`;
    const wrong = checkScript(path, parts);
    if (wrong !== undefined) noteFailure(told, path, `It is not run: ${wrong}`);
    else await runScript(parts, path, told);
  }
  const facts = Object.fromEntries([...told.readings].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { facts, problems: told.problems };
}

interface Told {
  readonly host: string;
  readonly readings: Map<string, Reading<string>>;
  readonly problems: Problem[];
}

/** Without the folder there are no scripts; a folder that others may change is as good as scripts of theirs. */
function listScripts({ directory, owner = 0 }: FactScriptParts, told: Told): readonly string[] {
  try {
    const stat = fs.lstatSync(directory);
    const wrong = stat.isDirectory() ? findForeignHand(stat, owner) : "it is no folder";
    if (wrong !== undefined) {
      noteFailure(told, directory, `No script in it is run: ${wrong}`);
      return [];
    }
    const names = fs.readdirSync(directory).sort();
    if (names.length > MAX_SCRIPTS) {
      noteFailure(told, directory, `Only the first ${MAX_SCRIPTS} of ${names.length} scripts are run`);
    }
    return names.slice(0, MAX_SCRIPTS);
  } catch (error) {
    const errno = nameErrno(error);
    if (errno !== "ENOENT") noteFailure(told, directory, `The folder cannot be read: ${errno}`);
    return [];
  }
}

/** Why a script is not run; undefined: it may be. */
function checkScript(path: string, { owner = 0 }: FactScriptParts): string | undefined {
  try {
    const stat = fs.lstatSync(path);
    if (!stat.isFile()) return "it is no regular file";
    const hand = findForeignHand(stat, owner);
    if (hand !== undefined) return hand;
    return (stat.mode & OTHERS_EXECUTE) === 0 ? "others than its owner may not execute it" : undefined;
  } catch (error) {
    return `it cannot be read: ${nameErrno(error)}`;
  }
}

function findForeignHand({ uid, mode }: fs.Stats, owner: number): string | undefined {
  if (uid !== owner) return `it belongs to user ${uid}`;
  return (mode & OTHERS_WRITE) === 0 ? undefined : "others than its owner may write to it";
}

async function runScript(parts: FactScriptParts, path: string, told: Told): Promise<void> {
  const { timeoutMs = TIMEOUT_MS, user = NOBODY } = parts;
  const isRoot = process.getuid?.() === 0;
  const end = await runFactScript({ path, timeoutMs, ...(isRoot ? { user } : {}) });
  if (end.kind === "failed") {
    noteFailure(told, path, `It says nothing: ${end.why}`);
    return;
  }
  const { facts, wrong } = parseFacts(end.stdout);
  for (const why of wrong) noteFailure(told, path, why);
  for (const [name, value] of facts) addFact(told, { path, name, value });
}

/** Two scripts that say different things about one fact say nothing about it. */
function addFact(told: Told, said: { readonly path: string; readonly name: string; readonly value: string }): void {
  const { path, name, value } = said;
  const evidence = { host: told.host, source: "script" as const, path: escapeControls(path), text: value };
  const before = told.readings.get(name);
  if (before === undefined) told.readings.set(name, known(value, evidence));
  else if (before.kind !== "known" || before.value !== value) {
    const why = `${before.evidence.path} and ${path} say different things about ${name}`;
    told.readings.set(name, unreadable(why, evidence));
    noteProblem(told, { code: "facts_disagree", path, message: `Not believed: ${why}` });
  }
}

function noteFailure(told: Told, path: string, message: string): void {
  noteProblem(told, { code: "fact_script_failed", path, message });
}

function noteProblem(told: Told, { code, path, message }: { code: ProblemCode; path: string; message: string }): void {
  told.problems.push({ code, host: told.host, path: escapeControls(path), message: escapeControls(message) });
}
