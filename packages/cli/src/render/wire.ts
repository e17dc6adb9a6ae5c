// SPDX-License-Identifier: Apache-2.0

import type { Room } from "@berth/core/capacity/pool";
import type { Remedy, Verdict } from "@berth/core/compatibility/verdict";
import type { Wire } from "@berth/core/protocol/api/answers";

/** Room as it was before it travelled: no limit is null on the wire. */
export function roomOf({ atLeast, atMost }: Wire<Room>): Room {
  return { atLeast: atLeast ?? Number.POSITIVE_INFINITY, atMost: atMost ?? Number.POSITIVE_INFINITY };
}

/** A verdict as it was before it travelled: none of its numbers is without a limit. */
export function verdictOf(verdict: Wire<Verdict>): Verdict {
  return verdict as Verdict;
}

/** A remedy as it was before it travelled. */
export function remedyOf(remedy: Wire<Remedy>): Remedy {
  return remedy as Remedy;
}
