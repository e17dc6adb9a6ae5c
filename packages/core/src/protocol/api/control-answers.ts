// SPDX-License-Identifier: Apache-2.0

import type { ClaimRefusal } from "../../claim/claim-request.ts";
import type { Claim } from "../../claim/claim.ts";
import type { Room } from "../../capacity/pool.ts";
import type { Remedy, Verdict } from "../../compatibility/verdict.ts";
import type { VirtualMachine } from "../../device/virtual-machine.ts";
import type { AgentNotice, ProbeReply, WantedProbe } from "../../provision/desired-state.ts";
import type { Generation, Wire } from "./answers.ts";

/** One VM in a list. */
export type VmItem = { readonly host: string } & VirtualMachine & {
    /** Whether it was handed over to Berth; another one is never moved. */
    readonly adopted: boolean;
  };

export interface VmAnswer {
  readonly generation: Generation;
  readonly vm: VmItem;
}

/** The place of one device of a VM. */
export interface VmPlaceItem {
  /** Id of the device at the source. */
  readonly device: string;
  readonly parent: string;
  readonly type: string;
  readonly slot?: number;
  readonly verdict: Wire<Verdict>;
  /** Before any device of the VM is there. */
  readonly room: Wire<Room>;
}

/** A host with a place for every device of a VM, all at once. */
export interface VmCandidateItem {
  readonly host: string;
  /** 1 is best. */
  readonly rank: number;
  /** In the order of the sources. */
  readonly places: readonly VmPlaceItem[];
  /** R10, for the whole VM. */
  readonly platform: Wire<Verdict>;
  readonly because: readonly string[];
  /** False: the search was cut off, and another pairing on this host may be better. */
  readonly isBest: boolean;
}

/** A host where the VM as a whole has no place. */
export interface VmElsewhereItem {
  readonly host: string;
  readonly outcome: string;
  readonly codes: readonly string[];
  readonly why: string;
  readonly remedies: readonly Wire<Remedy>[];
}

/** Answer of `POST /v1/candidates` for a VM. */
export interface VmCandidatesAnswer {
  readonly generation: Generation;
  readonly host: string;
  readonly vm: string;
  /** Profiles of its devices, documents of docs/schemas/profile.json, sorted by id. */
  readonly sources: readonly object[];
  /** Best first, one a host. */
  readonly candidates: readonly VmCandidateItem[];
  /** Nearest first; absent where it was not asked for. Hosts that have a place for no device at all are counted only. */
  readonly elsewhere?: readonly VmElsewhereItem[];
  /** Hosts without a place for some device, all refused alike, that `elsewhere` does not name. */
  readonly elsewhereMore?: number;
  readonly excludedHosts: readonly string[];
  readonly notChecked: readonly string[];
}

/** A claim as it stands in the store. */
export type ClaimItem = Claim & {
  /** Revision that wrote it. */
  readonly revision: number;
  /** What the agent says is in its way now. */
  readonly notice?: AgentNotice["reason"];
};

export interface ClaimAnswer {
  readonly generation: Generation;
  readonly claim: ClaimItem;
}

/** What was in the way on one host that was tried. */
export interface TriedHost {
  readonly host: string;
  readonly reasons: readonly ClaimRefusal[];
}

/** Answer of `POST /v1/claims`. With `dryRun` a granted claim was not written. */
export type ClaimDecisionAnswer =
  | {
      readonly kind: "granted";
      readonly generation: Generation;
      readonly claim: ClaimItem;
      /** Hosts that were tried before. */
      readonly tried: readonly TriedHost[];
      readonly dryRun: boolean;
      /** What the agent will do to make the devices, one sentence each. */
      readonly steps: readonly string[];
      /** Other claims that hold a place for one of these devices, at most eight; absent: the server knows of none. */
      readonly alsoHeld?: readonly string[];
    }
  | {
      readonly kind: "refused";
      readonly generation: Generation;
      /** In the order in which they were tried; empty: no host has a place, as `POST /v1/candidates` explains. */
      readonly tried: readonly TriedHost[];
      /** `no`: nothing can come of it; `unknown`: a fact is missing; `no-room`: a place is compatible and full. */
      readonly because: "no" | "unknown" | "no-room";
    };

/** How a host's agent is. `silent`: no server hears it now; `never`: it was enrolled and has not reported. */
export type AgentLife = "connected" | "silent" | "never" | "conflict" | "revoked";

export interface AgentItem {
  readonly host: string;
  readonly life: AgentLife;
  readonly version: string | null;
  readonly generation: number;
  readonly enrolledAtMs: number;
  readonly enrolledBy: string;
  /** When the inventory last changed; null: it never reported. */
  readonly reportedAtMs: number | null;
  /** What it says is in its way. */
  readonly notices: readonly AgentNotice[];
}

/** The one-time token, shown this once. */
export interface EnrolmentAnswer {
  readonly host: string;
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface AdoptionItem {
  readonly host: string;
  readonly parents: readonly string[];
  readonly vms: readonly string[];
}

/** A raw text that stayed on its host. */
export interface TextAnswer {
  readonly generation: Generation;
  readonly host: string;
  readonly path: string;
  /** Null: the host's agent keeps no text of that path, because what it read there has changed since. */
  readonly text: string | null;
}

/** One question to a driver. */
export interface ProbeItem {
  readonly id: string;
  readonly host: string;
  readonly wanted: WantedProbe;
  readonly source: { readonly host: string; readonly subject: string };
  readonly principal: string;
  readonly createdAtMs: number;
  readonly reply: ProbeReply | null;
  readonly answeredAtMs: number | null;
  /** Whether its answer counts now: the same build, kernel, type and strings. */
  readonly inForce: boolean;
}

export interface ProbeAnswer {
  readonly generation: Generation;
  readonly probe: ProbeItem;
}

/** One change that somebody made. */
export interface AuditItem {
  readonly id: string;
  readonly atMs: number;
  readonly principal: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What an order came to. `changed` false: it was so before. */
export interface DoneAnswer {
  readonly generation: Generation;
  readonly host: string;
  readonly changed: boolean;
  /** Ids of claims that it ended. */
  readonly claims: readonly string[];
}
