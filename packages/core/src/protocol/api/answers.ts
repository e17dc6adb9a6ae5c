// SPDX-License-Identifier: Apache-2.0

import type { Pool, Room } from "../../capacity/pool.ts";
import type { ClaimState } from "../../claim/claim-state.ts";
import type { Remedy, Verdict } from "../../compatibility/verdict.ts";
import type { HostSnapshot } from "../../device/host-snapshot.ts";
import type { ParentDevice } from "../../device/parent-device.ts";
import type { Problem } from "../../device/problem.ts";
import type { VfioDevice } from "../../device/vfio-device.ts";
import type { PlaceRef } from "../../inventory/place.ts";
import type { ElsewhereKind } from "../../inventory/explain-elsewhere.ts";
import type { AdoptionItem, AgentLife, ClaimItem } from "./control-answers.ts";

/**
 * A value as it travels: a number without a limit is null, because JSON has no infinity. Everything else is what it was.
 */
export type Wire<T> = T extends number
  ? number | null
  : T extends string | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Wire<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: Wire<T[Key]> }
        : T;

/** Which state of the inventory an answer rests on. A revision means something only together with its epoch. */
export interface Generation {
  readonly epoch: string;
  readonly revision: number;
}

/** A part of a list. Pages may rest on different generations: an entry that stays is met exactly once. */
export interface Page<T> {
  readonly generation: Generation;
  readonly items: readonly T[];
  /** Cursor of the next page; absent: this is the last one. */
  readonly next?: string;
}

/** One host in a list. */
export interface HostItem {
  readonly host: string;
  /** Revision that changed it last. */
  readonly revision: number;
  readonly cordoned: boolean;
  /** Kernel release; null where it is not known. */
  readonly kernel: string | null;
  readonly os: string | null;
  readonly parents: number;
  readonly devices: number;
  readonly pools: number;
  /** Types on parents: what could be asked for. */
  readonly places: number;
  readonly problems: number;
  /** How its agent is; null where the host has none, as captured hosts have none. */
  readonly agent: AgentLife | null;
}

/** A pool with how many more devices of each type fit. */
export type PoolItem = Wire<Omit<Pool, "changed" | "seen">> & {
  readonly room: readonly ({ readonly type: string } & Wire<Room>)[];
};

/** Everything that one host shows, and what Berth holds there. */
export type HostAnswer = { readonly generation: Generation } & Pick<
  HostItem,
  "host" | "revision" | "cordoned" | "agent"
> &
  HostSnapshot & {
    readonly pools: readonly PoolItem[];
    /** What of the host was handed over to Berth. */
    readonly adopted: Omit<AdoptionItem, "host">;
    /** Claims that hold room there, sorted by id. */
    readonly claims: readonly ClaimItem[];
  };

export type ParentItem = { readonly host: string } & ParentDevice;

export type DeviceItem = { readonly host: string } & VfioDevice;

export type DeviceAnswer = { readonly generation: Generation; readonly device: DeviceItem };

/** One type id over the whole fleet. */
export interface TypeItem {
  readonly type: string;
  readonly driver: string;
  /** Sorted; several only where hosts disagree. */
  readonly deviceApis: readonly string[];
  /** Sorted names that drivers print. */
  readonly names: readonly string[];
  readonly hosts: number;
  readonly parents: number;
}

/** Destinations that every verdict treats alike. */
export interface ClassItem {
  /** Number of the class; it holds as long as the epoch does. */
  readonly class: number;
  readonly type: string | null;
  readonly driver: string | null;
  readonly deviceApi: string | null;
  readonly softwareVersion: string | null;
  /** Items of each `compatible_<field>` that is known. */
  readonly compatible: Readonly<Record<string, readonly string[]>>;
  readonly numaNode: number | null;
  readonly places: number;
}

export type ProblemItem = Problem;

/** How much of one type there is, and how much more fits. */
export interface CapacityItem {
  readonly type: string;
  readonly hosts: number;
  readonly pools: number;
  /** Devices of the type that exist. */
  readonly devices: number;
  /** How many more fit, summed over pools. A pool offers its room to each of its types: rooms of types do not add up. */
  readonly room: Wire<Room>;
  /** Pools without room for the type, and such of which that is not known. */
  readonly full: number;
  readonly unknown: number;
  /** The part of `room` that stands on cordoned hosts. */
  readonly cordoned: Wire<Room>;
}

/** One pair. The profiles are documents of docs/schemas/profile.json. */
export interface CheckAnswer {
  readonly generation: Generation;
  readonly source: object;
  readonly destination: object;
  readonly verdict: Wire<Verdict>;
  readonly platform: Wire<Verdict>;
  /** Null where room is no question. */
  readonly room: Wire<Room> | null;
  readonly roomText: string;
}

/** A place that a device may go to. */
export interface CandidateItem extends PlaceRef {
  /** 1 is best. */
  readonly rank: number;
  readonly verdict: Wire<Verdict>;
  readonly platform: Wire<Verdict>;
  readonly room: Wire<Room>;
  readonly because: readonly string[];
}

/** What becomes of so many places, nearest outcome first. */
export interface OutcomeItem {
  readonly kind: ElsewhereKind;
  /** Code of the first obstacle; empty for candidates. */
  readonly code: string;
  readonly places: number;
  /** Hosts whose nearest place comes to this. */
  readonly hosts: number;
  readonly example: PlaceRef;
  readonly why: string;
  readonly remedies: readonly Wire<Remedy>[];
}

/** The best places, and what becomes of all others. */
export interface CandidatesAnswer {
  readonly generation: Generation;
  readonly source: object;
  /** Best first. */
  readonly candidates: readonly CandidateItem[];
  /** Every place that was searched, by outcome; absent where it was not asked for. */
  readonly outcomes?: readonly OutcomeItem[];
  /** Hosts left out on request, as cordoned, or as the source's own; sorted. */
  readonly excludedHosts: readonly string[];
  readonly notChecked: readonly string[];
}

/** One thing that a revision changed. */
export type InventoryChange =
  | {
      readonly kind:
        | "host-put"
        | "host-removed"
        | "host-cordoned"
        | "host-uncordoned"
        /** What was handed over to Berth there is another. */
        | "host-adopted"
        /** Its agent: enrolled, said hello, in conflict, revoked. */
        | "agent-changed";
      readonly host: string;
    }
  | { readonly kind: "claim-changed"; readonly host: string; readonly claim: string; readonly state: ClaimState }
  | { readonly kind: "probe-changed"; readonly host: string; readonly probe: string };

/** Everything that one revision changed, in one message. */
export interface ChangeMessage {
  readonly generation: Generation;
  readonly changes: readonly [InventoryChange, ...InventoryChange[]];
}

export interface HealthAnswer {
  readonly status: "ok";
}

/** Whether the inventory may be answered from. */
export interface ReadyAnswer {
  readonly status: "ready" | "not-ready";
  /** Seconds that the inventory is behind: 0 while hosts are read when they should be; null: none was ever read. */
  readonly lagSeconds: number | null;
  readonly hosts: number;
}

/** The one shape of all errors. */
export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  readonly place: string | null;
  readonly expected: string | null;
  readonly details: readonly string[];
}
