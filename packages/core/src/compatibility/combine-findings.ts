// SPDX-License-Identifier: Apache-2.0

import type { Findings } from "./verdict.ts";

/** Joins findings, keeping their order. */
export function combineFindings(parts: readonly Findings[]): Findings {
  return {
    agreements: parts.flatMap((part) => part.agreements),
    reasons: parts.flatMap((part) => part.reasons),
    missing: parts.flatMap((part) => part.missing),
    restsOn: parts.flatMap((part) => part.restsOn),
    claims: parts.flatMap((part) => part.claims),
    notes: parts.flatMap((part) => part.notes),
  };
}
