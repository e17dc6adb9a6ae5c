// SPDX-License-Identifier: Apache-2.0

import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import type { Side, Verdict } from "@berth/core/compatibility/verdict";
import { printable } from "./table.ts";
import { heading, verdictWords } from "./words.ts";

interface Line {
  readonly mark: "no" | "?" | "yes" | "same";
  readonly rule: string;
  readonly code: string;
  readonly text: string;
  readonly source?: Side | undefined;
  readonly destination?: Side | undefined;
  readonly remedy?: string | undefined;
}

/** A verdict with every finding and, under each, both values and where they were read. */
export function formatVerdict(title: string, verdict: Verdict): string {
  const agreements = verdict.agreements.map((item) => ({ ...item, mark: "same" as const }));
  const findings = [...agreements, ...linesOf(verdict)];
  const lines = [heading(`${title}: ${verdictWords(verdict)}`), ...findings.flatMap(formatLine)];
  for (const claim of verdict.kind === "compatible" ? verdict.claims : []) {
    lines.push(
      `  set  ${claim.rule.padEnd(4)} ${printable(claim.attribute)} = ${printable(claim.value)} as part of claiming it`,
    );
  }
  for (const note of verdict.notes) lines.push(`  note ${note.rule.padEnd(4)} ${printable(note.text)} [${note.code}]`);
  for (const pack of verdict.packs) {
    lines.push(`  pack ${pack.name} ${pack.version} ${pack.digest.slice(0, "sha256:".length + 12)}`);
  }
  return lines.join("\n");
}

function linesOf(verdict: Verdict): readonly Line[] {
  if (verdict.kind === "compatible") {
    return verdict.restsOn.map((item) => ({ ...item, mark: "yes", text: `${item.text} (${item.confidence})` }));
  }
  const missing = verdict.missing.map((item) => ({ ...item, mark: "?" as const, remedy: wordsOf(item.remedy) }));
  if (verdict.kind === "undetermined") return missing;
  const reasons = verdict.reasons.map((item) => ({ ...item, mark: "no" as const, remedy: wordsOf(item.remedy) }));
  return [...reasons, ...missing];
}

function wordsOf(remedy: Parameters<typeof describeRemedy>[0] | undefined): string | undefined {
  return remedy === undefined ? undefined : describeRemedy(remedy);
}

function formatLine(line: Line): readonly string[] {
  const lines = [`  ${line.mark.padEnd(4)} ${line.rule.padEnd(4)} ${printable(line.text)} [${line.code}]`];
  if (line.source !== undefined) lines.push(formatSide("source", line.source));
  if (line.destination !== undefined) lines.push(formatSide("destination", line.destination));
  if (line.remedy !== undefined) lines.push(`            remedy       ${printable(line.remedy)}`);
  return lines;
}

function formatSide(name: string, side: Side): string {
  const value = side.value === undefined ? "nothing" : printable(side.value);
  const text = side.evidence.text;
  const raw = text === undefined || text === side.value ? "" : `, raw text ${printable(JSON.stringify(shorten(text)))}`;
  return `            ${name.padEnd(12)} ${value}  (${side.evidence.host} ${printable(side.evidence.path)}${raw})`;
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
