// SPDX-License-Identifier: Apache-2.0

import { CONFIDENCES, type Assumption, type Confidence, type Findings, type Missing, type PackUse } from "./verdict.ts";
import type { RuleId, Verdict } from "./verdict.ts";

/**
 * Turns what the rules found into one answer. Any reason makes it incompatible, with what is missing beside it; else
 * anything missing makes it undetermined; else it is compatible at the confidence of its weakest rule. A yes that would
 * rest on nothing is undetermined: `rule` names the rule that should have said what it rests on.
 */
export function decideVerdict(found: Findings, packs: readonly PackUse[], rule: RuleId): Verdict {
  const common = { agreements: found.agreements, claims: found.claims, notes: found.notes, packs };
  const [reason, ...reasons] = found.reasons;
  if (reason !== undefined) {
    return { kind: "incompatible", reasons: [reason, ...reasons], missing: found.missing, ...common };
  }
  const [missing, ...more] = found.missing;
  if (missing !== undefined) return { kind: "undetermined", missing: [missing, ...more], ...common };
  const [assumption, ...others] = found.restsOn;
  if (assumption === undefined) return { kind: "undetermined", missing: [nothingToRestOn(rule)], ...common };
  const restsOn = [assumption, ...others] as const;
  return { kind: "compatible", confidence: weakest(restsOn), restsOn, ...common };
}

function nothingToRestOn(rule: RuleId): Missing {
  return { rule, code: "nothing_to_rest_on", text: "No rule found anything that a yes could rest on" };
}

function weakest(restsOn: readonly [Assumption, ...Assumption[]]): Confidence {
  const found = CONFIDENCES.findLast((confidence) =>
    restsOn.some((assumption) => assumption.confidence === confidence),
  );
  return found ?? restsOn[0].confidence;
}
