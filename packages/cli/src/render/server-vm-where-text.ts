// SPDX-License-Identifier: Apache-2.0

import { describeRemedy } from "@berth/core/compatibility/describe-remedy";
import type { Remedy } from "@berth/core/compatibility/verdict";
import type { MigrationProfile } from "@berth/core/device/migration-profile";
import type { Outcome } from "@berth/core/placement/answer";
import type { VmCandidatesAnswer, VmItem } from "@berth/core/protocol/api/control-answers";
import { parseProfileDocument } from "@berth/core/protocol/profile-schema";
import { printable } from "./table.ts";
import {
  formatVmCandidates,
  formatVmCounts,
  formatVmPlatform,
  formatVmRefused,
  formatVmTitle,
  type ShownVmCandidate,
  type ShownVmRefused,
} from "./vm-where-text.ts";
import { remedyOf, verdictOf } from "./wire.ts";
import { counted, heading, OUTCOME_WORDS } from "./words.ts";

/** A server's answer about a VM as it is shown. */
export interface ShownVmAnswer {
  readonly vm: VmItem;
  readonly sources: readonly MigrationProfile[];
  readonly candidates: readonly ShownVmCandidate[];
  readonly elsewhere: readonly (ShownVmRefused & { readonly remedies: readonly Remedy[] })[];
  readonly elsewhereMore: number;
  readonly excludedHosts: readonly string[];
  readonly notChecked: readonly string[];
}

/** Reads what a server answered. An outcome that this version does not know counts as unknown. */
export function vmAnswerOf(answer: VmCandidatesAnswer, vm: VmItem): ShownVmAnswer {
  const { elsewhere = [], elsewhereMore = 0, excludedHosts, notChecked } = answer;
  return {
    vm,
    sources: answer.sources.map((source) => parseProfileDocument(source, "the server's answer")),
    candidates: answer.candidates.map(({ places, ...candidate }) => ({
      ...candidate,
      platform: verdictOf(candidate.platform),
      assignments: places.map(({ device, parent, type, slot, verdict }) => ({
        device,
        ...(slot === undefined ? {} : { slot }),
        judged: { place: { parent, type }, verdict: verdictOf(verdict) },
      })),
    })),
    elsewhere: elsewhere.map(({ host, outcome, codes, why, remedies }) => ({
      host,
      outcome: isOutcome(outcome) ? outcome : "unknown",
      codes: [codes[0] ?? "unknown", ...codes.slice(1)],
      why,
      remedies: remedies.map(remedyOf),
    })),
    elsewhereMore,
    excludedHosts,
    notChecked,
  };
}

function isOutcome(text: string): text is Outcome {
  return Object.hasOwn(OUTCOME_WORDS, text);
}

/** A server's answer about a whole VM for a person. */
export function formatServerVmWhere(answer: ShownVmAnswer, view: { readonly all: boolean }): string {
  const { vm, candidates, elsewhere, elsewhereMore } = answer;
  const more = `${counted(elsewhereMore, "more host")} ${elsewhereMore === 1 ? "has" : "have"} a place for no device of it.`;
  const sections = [
    formatVmTitle({ ...answer, host: vm.host }),
    formatVmCandidates(candidates),
    formatVmPlatform(candidates),
    view.all ? formatVmRefused(elsewhere) : formatVmCounts(elsewhere),
    elsewhereMore === 0 ? "" : more,
    formatNearMiss(answer),
    `Not checked: ${answer.notChecked.join("; ")}.`,
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function formatNearMiss({ candidates, elsewhere }: ShownVmAnswer): string {
  const nearest = elsewhere.find(({ remedies }) => remedies.length > 0);
  if (nearest === undefined) return candidates.length === 0 ? "Nothing that Berth knows of would make a place." : "";
  return [
    `${heading("Nearest miss")}  ${nearest.host} (${OUTCOME_WORDS[nearest.outcome]}): ${printable(nearest.why)}.`,
    ...nearest.remedies.map((remedy) => `  mend it: ${printable(describeRemedy(remedy))}`),
    "  ask again afterwards: all of its devices must have a place together",
  ].join("\n");
}
