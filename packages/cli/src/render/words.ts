// SPDX-License-Identifier: Apache-2.0

import { styleText } from "node:util";
import type { Reading } from "@berth/core/device/evidence";
import type { Verdict } from "@berth/core/compatibility/verdict";
import type { Outcome } from "@berth/core/placement/answer";
import { printable } from "./table.ts";

/** A reading in a cell: its value, `-` where nothing was there, `?` where it could not be read. */
export function cell(reading: Reading<string | number>): string {
  if (reading.kind === "known") return printable(String(reading.value));
  return reading.kind === "absent" ? "-" : "?";
}

/** A heading. Colour never carries meaning of its own. */
export function heading(text: string): string {
  return styleText("bold", text);
}

/** A verdict in two or three words. */
export function verdictWords(verdict: Verdict): string {
  if (verdict.kind === "compatible") return `compatible (${verdict.confidence})`;
  if (verdict.kind === "incompatible") return `incompatible (${rulesOf(verdict.reasons)})`;
  return `undetermined (${rulesOf(verdict.missing)})`;
}

function rulesOf(items: readonly { readonly rule: string }[]): string {
  return [...new Set(items.map((item) => item.rule))].join(", ");
}

/** "1 place", "3 places". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The kinds of "no", in words that people act on. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  "not-now": "not now",
  unknown: "unknown",
  "not-as-it-stands": "not as it stands",
  never: "never",
};
