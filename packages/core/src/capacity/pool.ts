// SPDX-License-Identifier: Apache-2.0

import type { PoolOwner } from "../device/parent-device.ts";

/**
 * How many more devices fit, as an interval. Equal ends: known. Where a law or an owner is unknown the interval is what
 * can be proved, never a guess: after a take under an unknown law it is 0 to what was there before.
 */
export interface Room {
  readonly atLeast: number;
  /** Infinity where the law has no limit. */
  readonly atMost: number;
}

/** What one device of a type takes from its pool. */
export interface Consumption {
  /** Amount of each counter, in the unit that the law names. One-size pools: `framebuffer` in MiB. */
  readonly counters: Readonly<Record<string, number>>;
  /** Slots pools: how many placement slots, and at which starts it may sit. */
  readonly slots?: { readonly length: number; readonly starts: readonly number[] };
}

/** The arithmetic of a pool: what its types share and how. */
export type PoolLaw =
  /** Every device takes an amount of each counter (i915 GVT-g, mtty's ports, DSA work queues). */
  | { readonly kind: "counters"; readonly total: Readonly<Record<string, Room>> }
  /** All devices have one framebuffer size at a time, several types may share it (NVIDIA equal-size mode). MiB. */
  | { readonly kind: "one-size"; readonly totalMib: number }
  /** Devices sit at placement slots (NVIDIA mixed-size, MIG). */
  | { readonly kind: "slots"; readonly slots: number }
  /** Named units, each held by one device (vfio-ap APQNs, vfio-ccw subchannels). */
  | { readonly kind: "units"; readonly units: readonly string[] }
  /** Nothing is shared and nothing runs out. */
  | { readonly kind: "unbounded" }
  | { readonly kind: "unknown"; readonly why: string };

/** Who says that a pool has its law: a pack (by name), the readings themselves (with the sum that proves it), nobody. */
export type LawOrigin =
  | { readonly kind: "declared"; readonly pack: string }
  | { readonly kind: "inferred"; readonly proof: string }
  | { readonly kind: "unknown" };

/** A device that sits in a pool. */
export interface Occupant {
  /** Device id; for a claim that the host does not show yet, the claim's device id. */
  readonly id: string;
  readonly type: string;
  /** Aggregated units, 1 unless aggregated. */
  readonly count: number;
  readonly parent: string;
  /** Placement slot, or undefined where none or not known. */
  readonly slot?: number;
  /** Units pools: what it holds; undefined where that is not known. */
  readonly units?: readonly string[];
  /** Why it is not known what this device takes, such as an unreadable count. Absent: its type and count say it. */
  readonly uncertain?: string;
}

/** One type as a pool offers it. */
export interface PoolType {
  readonly type: string;
  /** Absent: what one device takes is not known. */
  readonly consumption?: Consumption;
  /** Most devices of this type by the driver's own word (`max_instance`), where it says. */
  readonly maxInstances?: number;
}

/** What a parent said of one of its types. */
export interface Offer {
  readonly parent: string;
  readonly type: string;
  /** `available_instances` as read; undefined where it could not be. */
  readonly available?: number;
  /** Most units in one device by the driver's word; undefined where it does not say. */
  readonly maxAggregation?: number;
}

/**
 * How a law and the host's words differ where the pool was read. `above`: a word is higher than the law allows, so the law
 * is no upper bound. `below`: a word is lower than the law leaves, so the law promises nothing.
 */
export interface Disagreement {
  readonly above: boolean;
  readonly below: boolean;
}

/** What several types, and with SR-IOV several parents, share on one host. A value: operations return a new one. */
export interface Pool {
  readonly host: string;
  readonly owner: PoolOwner;
  readonly law: PoolLaw;
  readonly origin: LawOrigin;
  /** Sorted. With SR-IOV the VFs; else the parent alone. */
  readonly parents: readonly string[];
  /**
   * Most devices one parent can hold whatever the pool says: 1 for a VF, undefined where only the pool limits. A physical
   * function that is a parent beside its VFs is limited by the pool alone.
   */
  readonly perParent?: number;
  /** Sorted by type id. */
  readonly types: readonly PoolType[];
  readonly occupants: readonly Occupant[];
  /** The host's own words, kept to be compared with what the law computes. */
  readonly offers: readonly Offer[];
  /** Devices taken or given back since the offers were read: the offers no longer hold. */
  readonly changed: boolean;
  /** The occupants that the host showed when the offers were read. Absent: `occupants` while the pool is unchanged. */
  readonly seen?: readonly Occupant[];
  /** Absent: law and words agree, or there is no law to compare. */
  readonly disagreement?: Disagreement;
  /** Why devices that are not among the occupants may sit in the pool: its law then promises nothing. Absent: none may. */
  readonly uncounted?: string;
}

/** What a take needs to be told. */
export interface TakeRequest {
  readonly id: string;
  readonly type: string;
  readonly count: number;
  /** The parent to take from; undefined: any parent of the pool. */
  readonly parent?: string;
  /** Named units to take, for a units pool. Undefined: the first free ones, as many as `count`. */
  readonly units?: readonly string[];
  /** Placement slot to take, for a slots pool. Undefined: the one that leaves most room. */
  readonly slot?: number;
}

/** The answer of a take: the pool afterwards, or what is short; `unknown` where the law cannot say. */
export type Taken =
  | { readonly kind: "taken"; readonly pool: Pool; readonly occupant: Occupant }
  | { readonly kind: "short"; readonly missing: Readonly<Record<string, number>>; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };
