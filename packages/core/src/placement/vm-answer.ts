// SPDX-License-Identifier: Apache-2.0

import type { Remedy, Verdict } from "../compatibility/verdict.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { VirtualMachine } from "../device/virtual-machine.ts";
import type { Memory } from "../compatibility/pair.ts";
import type { EmptyHost, Judged, Outcome, Refused } from "./answer.ts";
import type { Strategy } from "./request.ts";

/** Which devices move together: those of a VM that its host shows, or named ones. */
export type VmDevices =
  | { readonly host: string; readonly vm: string }
  | { readonly host: string; readonly devices: readonly [string, ...string[]] };

/** Where may all devices of a VM go, together? */
export type VmPlacementRequest = VmDevices & {
  readonly strategy: Strategy;
  /** Wanted NUMA node at the destination for all devices; undefined: for each the one of its own parent. */
  readonly numaNode?: number;
  /** Hosts that are not to be used; the VM's own never is. */
  readonly exceptHosts?: readonly string[];
  readonly memory?: Memory;
};

/** The place of one device of the VM. */
export interface VmAssignment {
  /** Id of the device at the source. */
  readonly device: string;
  /** The place, judged as one of several devices of a VM where there are several; its room is that before any take. */
  readonly judged: Judged;
  /** Placement slot that it takes, where the pool has slots and they are known. */
  readonly slot?: number;
}

/** A host with a place for every device of the VM, all at once. */
export interface VmCandidate {
  readonly host: string;
  /** In the order of the devices; no two take the same room. */
  readonly assignments: readonly VmAssignment[];
  /** Of the platform for the whole VM, over all pairs: R10. */
  readonly platform: Verdict;
  /** 1 is best. */
  readonly rank: number;
  /** Why it stands where it stands, most important first. */
  readonly because: readonly string[];
  /** False: the search was cut off, and another pairing on this host may be better. */
  readonly isBest: boolean;
}

/** A device of the VM that has no place on a host. */
export interface VmObstacle {
  readonly device: string;
  /** The place that is nearest to a yes. */
  readonly nearest: Refused;
}

/** A host where the VM as a whole has no place. */
export interface VmRefused {
  readonly host: string;
  readonly outcome: Outcome;
  /** Stable codes: those of the nearest places, or `no_room_together`, `room_unknown`, `search_cut_off`. */
  readonly codes: readonly [string, ...string[]];
  /** One sentence for a person: which device has no place, and why. */
  readonly why: string;
  /** Devices without any place of their own, the farthest from a yes first. Empty: each has one, but not all together. */
  readonly obstacles: readonly VmObstacle[];
}

/** A refused host and what would give each device without a place one; whether all then fit together is asked again. */
export interface VmNearMiss {
  readonly refused: VmRefused;
  readonly remedies: readonly [Remedy, ...Remedy[]];
}

/** The whole answer to "where may this VM go?". Every host is a candidate, in `elsewhere`, empty or excluded. */
export interface VmPlacementAnswer {
  readonly host: string;
  /** Absent where devices were named. */
  readonly vm?: VirtualMachine;
  /** Profiles of the devices, sorted by id. */
  readonly sources: readonly MigrationProfile[];
  /** Best first, one a host. */
  readonly candidates: readonly VmCandidate[];
  /** Nearest first, then by host. */
  readonly elsewhere: readonly VmRefused[];
  readonly nearMisses: readonly VmNearMiss[];
  readonly emptyHosts: readonly EmptyHost[];
  /** Sorted. */
  readonly excludedHosts: readonly string[];
  /** What nobody looked at; printed with every answer. */
  readonly notChecked: readonly string[];
}
