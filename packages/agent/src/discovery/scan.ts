// SPDX-License-Identifier: Apache-2.0

import type { Evidence, EvidenceSource } from "@berth/core/device/evidence";
import type { Problem, ProblemCode } from "@berth/core/device/problem";
import type { SysfsTree, Unread } from "../host/sysfs-tree.ts";

/** One look at one host: where it reads, and the problems it met so far. */
export interface Scan {
  readonly tree: SysfsTree;
  readonly host: string;
  /** By code and path: the same thing read twice is one problem. */
  readonly problems: Map<string, Problem>;
}

/** Most problems that are kept; the last one then says that there were more. */
export const MAX_PROBLEMS = 10_000;

/** Most entries of one directory that are looked at. */
export const MAX_ENTRIES = 4096;

const MAX_TEXT = 200;
const MAX_MESSAGE = 500;

/** Starts a look at a host. */
export function startScan(tree: SysfsTree, host: string): Scan {
  return { tree, host, problems: new Map() };
}

/** What a problem says, besides the host. */
export interface Finding {
  readonly code: ProblemCode;
  readonly path: string;
  readonly message: string;
  readonly text?: string;
}

/** Takes a problem down. Control characters are escaped: a hostile tree must not write to a terminal. */
export function noteProblem(scan: Scan, finding: Finding): void {
  const path = escapeControls(finding.path);
  const key = `${finding.code} ${path}`;
  if (scan.problems.has(key) || scan.problems.size > MAX_PROBLEMS) return;
  if (scan.problems.size === MAX_PROBLEMS) {
    const message = `More than ${MAX_PROBLEMS} problems: the rest is not listed`;
    scan.problems.set("rest", { code: "too_many_entries", host: scan.host, path: "/", message });
    return;
  }
  const text = finding.text === undefined ? {} : { text: escapeControls(finding.text.slice(0, MAX_TEXT)) };
  const message = escapeControls(finding.message.slice(0, MAX_MESSAGE));
  scan.problems.set(key, { code: finding.code, host: scan.host, path, message, ...text });
}

/** Takes down why a file could not be read. Absence is no problem here: the caller knows whether it may be. */
export function noteUnread(scan: Scan, path: string, unread: Unread): void {
  if (unread.kind === "absent") return;
  if (unread.kind === "failed") {
    noteProblem(scan, { code: "attribute_unreadable", path, message: `${unread.errno}: ${unread.why}` });
    return;
  }
  const code = unread.errno === "EXDEV" ? "link_outside_root" : "link_loop";
  noteProblem(scan, { code, path, message: `Not followed: ${unread.why}` });
}

/** Problems in the order of their paths. */
export function listProblems(scan: Scan): readonly Problem[] {
  return [...scan.problems.values()].sort((a, b) => compare(a.path, b.path) || compare(a.code, b.code));
}

/** What evidence says beside the path. */
export interface Seen {
  /** `sysfs` unless said. */
  readonly source?: EvidenceSource;
  readonly text?: string;
}

/** Evidence of a path on the host of a scan. */
export function evidenceOf(scan: Scan, path: string, seen: Seen = {}): Evidence {
  const evidence = { host: scan.host, source: seen.source ?? "sysfs", path: escapeControls(path) };
  return seen.text === undefined ? evidence : { ...evidence, text: seen.text };
}

/** Orders two texts by code unit. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Writes control and formatting characters and lone surrogates as `\\u....`. */
export function escapeControls(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u${hex(character.codePointAt(0) ?? 0)}`);
}

function hex(code: number): string {
  return code.toString(16).padStart(4, "0");
}
