// SPDX-License-Identifier: Apache-2.0

/** One violation of a rule of this repository. */
export interface Finding {
  /** Path relative to the root of the repository. */
  readonly file: string;
  /** Counted from 1; absent where the whole file is meant. */
  readonly line?: number;
  /** One sentence without a full stop. */
  readonly text: string;
}

/** What a check of the repository found: it passes when `findings` is empty. */
export interface CheckReport {
  readonly findings: readonly Finding[];
  /** Sentences that a person should read although nothing failed, such as what was not checked and why. */
  readonly notes: readonly string[];
}

/** A finding as `file:line: text`, which editors and terminals turn into a link. */
export function formatFinding(finding: Finding): string {
  const place = finding.line === undefined ? finding.file : `${finding.file}:${finding.line}`;
  return `${place}: ${finding.text}`;
}

/** Sorts by file, then line, then text. */
export function compareFindings(a: Finding, b: Finding): number {
  return compareText(a.file, b.file) || (a.line ?? 0) - (b.line ?? 0) || compareText(a.text, b.text);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
