// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";

import { quoteText } from "@berth/core/device/quoted-text";
import type { Step } from "@berth/core/provision/step";
import type { Written } from "./host-writer.ts";
import type { Failure } from "./outcome.ts";

/** What a run is for: making a claim's devices, which is taken back on failure, or unmaking them, which is not. */
export type Purpose = "make" | "unmake";

/** One line of a claim's journal. Numbers are indices of the steps that the last `begin` names. */
export type JournalRecord =
  /** A run begins; what was before it is settled. */
  | { readonly kind: "begin"; readonly purpose: Purpose; readonly steps: readonly Step[] }
  /** Written before an effect; `before` is what the attribute said then. */
  | { readonly kind: "intent"; readonly step: number; readonly before?: string }
  /** The host was as wanted before: nothing was done, so nothing is taken back. */
  | { readonly kind: "skipped"; readonly step: number }
  /** The effect is there, and what was read back is right. */
  | { readonly kind: "done"; readonly step: number }
  /** The effect did not come about. */
  | { readonly kind: "refused"; readonly step: number }
  /** From here on everything is taken back, whatever happens. */
  | { readonly kind: "undoing"; readonly failure: Failure }
  | { readonly kind: "undone"; readonly step: number }
  | { readonly kind: "stuck"; readonly step: number; readonly failure: Failure }
  | { readonly kind: "end"; readonly as: "completed" | "undone" | "stuck" };

/** What is known of a claim on this host, in the order in which it happened. */
export interface Journal {
  readonly records: readonly JournalRecord[];
  /** Adds a record. `written` means that it is on disk; after a failure it is as if it had not been tried. */
  append(record: JournalRecord): Written;
}

/** A journal's text with what could be read of it. */
export interface ParsedJournal {
  readonly records: readonly JournalRecord[];
  /** Bytes of the whole lines; what is behind them was torn by a crash and never counted. */
  readonly length: number;
}

const KINDS: ReadonlySet<string> = new Set<JournalRecord["kind"]>([
  "begin",
  "intent",
  "skipped",
  "done",
  "refused",
  "undoing",
  "undone",
  "stuck",
  "end",
]);
/** Hexadecimal digits of the check sum that begins a line. */
const SUM_LENGTH = 16;

/** Writes a record as one line: check sum, space, JSON, newline. */
export function formatRecord(record: JournalRecord): string {
  const json = JSON.stringify(record);
  return `${sumOf(json)} ${json}\n`;
}

/**
 * Reads a journal. Its last line may be torn: every line is on disk before the next is begun, so only the last can be.
 * Throws SyntaxError for any other line that is not as it was written: then nobody knows what happened.
 */
export function parseJournal(text: string): ParsedJournal {
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  const records: JournalRecord[] = [];
  let length = Buffer.byteLength(text) - Buffer.byteLength(rest);
  for (const [index, line] of lines.entries()) {
    const record = parseRecord(line);
    if (record !== undefined) {
      records.push(record);
      continue;
    }
    if (index < lines.length - 1 || rest !== "") {
      throw new SyntaxError(
        `Cannot parse journal line ${index + 1}: its check sum does not fit, got ${quoteText(line)}`,
      );
    }
    length -= Buffer.byteLength(line) + 1;
  }
  return { records, length };
}

/** A line as `formatRecord` wrote it; undefined for one that was torn. */
function parseRecord(line: string): JournalRecord | undefined {
  const json = line.slice(SUM_LENGTH + 1);
  if (line.length < SUM_LENGTH + 3 || line !== `${sumOf(json)} ${json}`) return undefined;
  const value = JSON.parse(json) as { readonly kind?: unknown };
  if (typeof value.kind === "string" && KINDS.has(value.kind)) return value as JournalRecord;
  throw new SyntaxError(`Cannot parse journal: unknown record ${quoteText(String(value.kind))}`);
}

function sumOf(json: string): string {
  return createHash("sha256").update(json).digest("hex").slice(0, SUM_LENGTH);
}
