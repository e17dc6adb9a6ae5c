// SPDX-License-Identifier: Apache-2.0

import type { Verdict } from "@berth/core/compatibility/verdict";
import type { Room } from "@berth/core/capacity/pool";
import type { Outcome } from "@berth/core/placement/answer";

/** Exit codes are an interface (README, "Exit codes"). */
export const EXIT = { yes: 0, failed: 1, usage: 2, no: 3, undetermined: 4, noRoom: 5 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One move: both verdicts must be yes, and there must be room. Unknown is never yes. */
export function exitCodeOfCheck(check: {
  readonly verdict: Verdict;
  readonly platform: Verdict;
  readonly room: Room | undefined;
}): ExitCode {
  const kinds = [check.verdict.kind, check.platform.kind];
  if (kinds.includes("incompatible")) return EXIT.no;
  if (kinds.includes("undetermined")) return EXIT.undetermined;
  if (check.room === undefined || check.room.atLeast >= 1) return EXIT.yes;
  return check.room.atMost < 1 ? EXIT.noRoom : EXIT.undetermined;
}

/**
 * A whole search: yes with a berth whose platform is known to work; undetermined with a berth whose platform is not
 * known, or where only unknowns stand in the way; no room where places are compatible and full; otherwise no.
 */
export function exitCodeOfWhere(answer: {
  readonly candidates: readonly { readonly platform: Verdict }[];
  readonly refused: readonly { readonly outcome: Outcome }[];
}): ExitCode {
  if (answer.candidates.some(({ platform }) => platform.kind === "compatible")) return EXIT.yes;
  if (answer.candidates.length > 0) return EXIT.undetermined;
  const outcomes = new Set(answer.refused.map(({ outcome }) => outcome));
  if (outcomes.has("unknown")) return EXIT.undetermined;
  return outcomes.has("not-now") ? EXIT.noRoom : EXIT.no;
}
