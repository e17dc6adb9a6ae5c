// SPDX-License-Identifier: Apache-2.0

import type { Verdict } from "./verdict.ts";

/** Which "no" a verdict is; "not now" is a matter of room and is not told here. */
export type Nature = "never" | "not-as-it-stands" | "unknown";

/**
 * Tells a "no" that somebody can mend from one that nobody can. An incompatible verdict stands as long as one of its
 * reasons has no remedy. Undefined for a yes.
 */
export function findNature(verdict: Verdict): Nature | undefined {
  if (verdict.kind === "compatible") return undefined;
  if (verdict.kind === "undetermined") return "unknown";
  return verdict.reasons.every((reason) => reason.remedy !== undefined) ? "not-as-it-stands" : "never";
}
