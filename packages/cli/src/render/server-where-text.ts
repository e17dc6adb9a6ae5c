// SPDX-License-Identifier: Apache-2.0

import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { ElsewhereKind } from "@berth/core/inventory/explain-elsewhere";
import { formatPlace } from "@berth/core/inventory/place";
import type { CandidatesAnswer, OutcomeItem } from "@berth/core/protocol/api/answers";
import { formatTable, indent, printable } from "./table.ts";
import { formatCandidates, formatPlatform, formatTitle } from "./where-text.ts";
import { remedyOf, roomOf, verdictOf } from "./wire.ts";
import { heading, OUTCOME_WORDS } from "./words.ts";

/** What becomes of places, in words that people act on. */
const KIND_WORDS: Readonly<Record<ElsewhereKind, string>> = {
  ...OUTCOME_WORDS,
  candidate: "candidate",
  "room-unknown": "room not known",
};

/** A server's answer to "where?" for a person. `source` is the profile that the answer holds. */
export function formatServerWhere(answer: CandidatesAnswer, source: MigrationProfile): string {
  const candidates = answer.candidates.map((item) => ({
    ...item,
    place: item,
    verdict: verdictOf(item.verdict),
    platform: verdictOf(item.platform),
    room: roomOf(item.room),
  }));
  const elsewhere = (answer.outcomes ?? []).filter(({ kind }) => kind !== "candidate");
  const sections = [
    formatTitle({ source, used: "", excludedHosts: answer.excludedHosts }),
    formatCandidates(candidates),
    formatPlatform(candidates),
    formatOutcomes(elsewhere),
    formatNearMiss(elsewhere, candidates.length),
    `Not checked: ${answer.notChecked.join("; ")}.`,
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function formatOutcomes(outcomes: readonly OutcomeItem[]): string {
  if (outcomes.length === 0) return "";
  const rows = outcomes.map((item) => [
    KIND_WORDS[item.kind],
    String(item.places),
    String(item.hosts),
    item.code,
    `${formatPlace(item.example)}: ${item.why}`,
  ]);
  const table = formatTable(["KIND", "PLACES", "HOSTS", "CODE", "FOR EXAMPLE"], rows);
  return `${heading("Why not elsewhere")} (a host counts where its nearest place does)\n${indent(table, 2)}`;
}

/** The nearest misses, one for each kind of "no". */
function formatNearMiss(outcomes: readonly OutcomeItem[], candidates: number): string {
  const misses = outcomes.filter(({ remedies }) => remedies.length > 0);
  if (misses.length === 0) return candidates === 0 ? "Nothing that Berth knows of would make a place." : "";
  const nearest = misses.filter(({ kind }, at) => misses.findIndex((other) => other.kind === kind) === at);
  return nearest
    .map(({ kind, example, why, remedies }, at) =>
      [
        `${heading(at === 0 ? "Nearest miss" : "Next")}  ${formatPlace(example)} (${KIND_WORDS[kind]}): ${printable(why)}.`,
        ...remedies.map((remedy) => `  mend it: ${printable(describeRemedy(remedyOf(remedy)))}`),
      ].join("\n"),
    )
    .join("\n");
}
