// SPDX-License-Identifier: Apache-2.0

import type { Room } from "../capacity/pool.ts";
import type { Remedy, Verdict } from "../compatibility/verdict.ts";
import type { Usage } from "../device/device-use.ts";
import type { Place } from "../inventory/place.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";

/** A place, with everything that was found about it. */
export interface Judged {
  readonly place: Place;
  /** Of the device pair: R1-R9 and R11. */
  readonly verdict: Verdict;
  /** Of the platform: R10. */
  readonly platform: Verdict;
  /** How many more devices like the source fit on this parent. */
  readonly room: Room;
  /** What would make room, where there is none and room is worth having: nothing at a place that is never one. */
  readonly roomRemedy?: Remedy;
}

/** A place that is compatible, may be used on its platform as far as is known, and has room. */
export interface Candidate extends Judged {
  /** 1 is best. */
  readonly rank: number;
  /** Why it stands where it stands, most important first. */
  readonly because: readonly string[];
}

/** What keeps a place from being a candidate: the four kinds of "no", product.md. */
export type Outcome = "unknown" | "not-now" | "not-as-it-stands" | "never";

/** A place that is no candidate. */
export interface Refused extends Judged {
  readonly outcome: Outcome;
  /** Stable codes of everything that is in the way, most telling first: reason codes, missing codes, `no_room`, `room_unknown`. */
  readonly codes: readonly [string, ...string[]];
  /** One sentence for a person. */
  readonly why: string;
}

/** How many parents, and on how many hosts, are refused for one reason: each parent counted at its nearest place. */
export interface Count {
  readonly outcome: Outcome;
  readonly code: string;
  readonly text: string;
  readonly parents: number;
  readonly hosts: readonly string[];
}

/** The refused place that needs least to become a candidate, and what. */
export interface NearMiss {
  readonly refused: Refused;
  readonly remedies: readonly Remedy[];
  /** How many devices like the source would fit on the same host by the same remedies; a shared pool counts once. */
  readonly opens: number;
}

/** A host that could not offer anything, and why: nothing that matters was found on it. */
export interface EmptyHost {
  readonly host: string;
  readonly why: string;
}

/** A parent that could not offer anything, on a host that has others: it lists no type. */
export interface EmptyParent {
  readonly host: string;
  readonly parent: string;
  readonly why: string;
}

/** A device that exists, that nobody uses, and into which the state could be loaded as far as is known. It is not ranked. */
export interface ExistingDevice {
  readonly host: string;
  readonly device: string;
  readonly parent: string;
  readonly type: string;
  readonly verdict: Verdict;
  readonly platform: Verdict;
}

/** The whole answer to "where?". */
export interface PlacementAnswer {
  readonly source: MigrationProfile;
  /** Who uses the source. */
  readonly sourceUsage: Usage;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** Each parent at its nearest place, nearest first; sorted by outcome, host, parent. */
  readonly elsewhere: readonly Refused[];
  /** Every refused place, also the other types of a parent; sorted by host, parent, type. */
  readonly refused: readonly Refused[];
  readonly counts: readonly Count[];
  readonly nearMisses: readonly NearMiss[];
  readonly emptyHosts: readonly EmptyHost[];
  /** Sorted by host, then parent. With candidates, elsewhere and empty hosts: every parent that was searched. */
  readonly emptyParents: readonly EmptyParent[];
  /** Unused devices of the source's type on the hosts searched; sorted by host, then device. */
  readonly existing: readonly ExistingDevice[];
  /** Hosts left out on request or as the source's own. */
  readonly excludedHosts: readonly string[];
  /** What nobody looked at; printed with every answer. */
  readonly notChecked: readonly string[];
}
