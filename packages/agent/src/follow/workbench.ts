// SPDX-License-Identifier: Apache-2.0

import type { WantedClaim } from "@berth/core/provision/desired-state";
import type { Hands } from "../provision/effects.ts";
import type { FenceFile } from "../provision/fence-file.ts";
import type { PoolLocks } from "../provision/pool-lock.ts";
import type { DesiredFile } from "./desired-file.ts";
import type { HostEye } from "./host-eye.ts";
import type { JournalBook } from "./journal-book.ts";
import type { Pauses } from "./pauses.ts";
import type { RefusalFile } from "./refusal-file.ts";

/** All that following works with on one host. */
export interface Workbench {
  readonly hands: Hands;
  readonly eye: HostEye;
  readonly locks: PoolLocks;
  readonly journals: JournalBook;
  readonly fences: FenceFile;
  readonly refusals: RefusalFile;
  readonly newest: DesiredFile;
  readonly pauses: Pauses;
  readonly log: (line: string) => void;
}

/** One claim that is to be followed. */
export interface Order {
  readonly wanted: WantedClaim;
  /** Ids of parents that were handed over. */
  readonly adopted: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}
