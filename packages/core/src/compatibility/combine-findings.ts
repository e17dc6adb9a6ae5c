// SPDX-License-Identifier: Apache-2.0

import { NO_FINDINGS, type Findings } from "./verdict.ts";

/** Joins findings, keeping their order. Most rules have nothing to say of most pairs, and then nothing is built. */
export function combineFindings(parts: readonly Findings[]): Findings {
  const [first, ...others] = parts.filter((part) => part !== NO_FINDINGS);
  if (first === undefined) return NO_FINDINGS;
  return others.reduce(joinFindings, first);
}

function joinFindings(found: Findings, more: Findings): Findings {
  return {
    agreements: joinLists(found.agreements, more.agreements),
    reasons: joinLists(found.reasons, more.reasons),
    missing: joinLists(found.missing, more.missing),
    restsOn: joinLists(found.restsOn, more.restsOn),
    claims: joinLists(found.claims, more.claims),
    notes: joinLists(found.notes, more.notes),
  };
}

function joinLists<T>(list: readonly T[], more: readonly T[]): readonly T[] {
  if (more.length === 0) return list;
  return list.length === 0 ? more : [...list, ...more];
}
