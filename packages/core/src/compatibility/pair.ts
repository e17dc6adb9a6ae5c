// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../device/migration-profile.ts";
import type { LoadedPack } from "./packs/pack.ts";
import type { Policy } from "./policy.ts";
import type { Findings } from "./verdict.ts";

/** What an outcome was remembered from: a probe of R8, or recorded moves of R4 (c). Keys are made by `pairKey`. */
export interface Memory {
  /** R8: answers of destinations' drivers, by pair key. */
  readonly probes: Readonly<Record<string, ProbeAnswer>>;
  /** R4 (c): how many moves between these two classes succeeded. */
  readonly successes: Readonly<Record<string, number>>;
}

/** What a destination's driver said to a `migration_version` write. */
export interface ProbeAnswer {
  readonly accepted: boolean;
  /** Raw errno name of a refusal. */
  readonly errno?: string;
  /** The host whose driver answered. */
  readonly host: string;
  /** What the same driver said at the other level (type or device), where both were asked: disagreeing is its bug. */
  readonly otherLevelAccepted?: boolean;
}

export const NO_MEMORY: Memory = { probes: {}, successes: {} };

/** One question: may the state of `source` be loaded into `destination`? The relation has a direction. */
export interface Pair {
  readonly source: MigrationProfile;
  readonly destination: MigrationProfile;
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  readonly memory: Memory;
}

/** One rule: pure, total, every failing part reported. */
export type Rule = (pair: Pair) => Findings;
