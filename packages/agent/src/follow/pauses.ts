// SPDX-License-Identifier: Apache-2.0

import type { ClaimReason } from "@berth/core/claim/claim";

/** What failed and is tried again later, after pauses that grow. */
export interface Pauses {
  /** Why it is not yet tried again; undefined: it is due. `wanted` says what is wanted: something else is due at once. */
  find(name: string, wanted: string): ClaimReason | undefined;
  add(name: string, wanted: string, reason: ClaimReason): void;
  forget(name: string): void;
}

const FIRST_MS = 2000;
const LONGEST_MS = 300_000;

interface Pause {
  readonly wanted: string;
  readonly reason: ClaimReason;
  readonly failures: number;
  readonly sinceMs: number;
}

/** Makes the pauses of one agent; they end with it: after a start everything is tried at once. */
export function makePauses(now: () => number): Pauses {
  const pauses = new Map<string, Pause>();
  return {
    find: (name, wanted) => {
      const pause = pauses.get(name);
      if (pause === undefined || pause.wanted !== wanted) return undefined;
      const age = now() - pause.sinceMs;
      // A clock that was set back ends a pause: nothing waits longer than it is meant to.
      return age >= 0 && age < lengthOf(pause.failures) ? pause.reason : undefined;
    },
    add: (name, wanted, reason) => {
      const before = pauses.get(name);
      const failures = before?.wanted === wanted ? before.failures + 1 : 1;
      pauses.set(name, { wanted, reason, failures, sinceMs: now() });
    },
    forget: (name) => void pauses.delete(name),
  };
}

function lengthOf(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
}
