// SPDX-License-Identifier: Apache-2.0

import type { RuleId } from "../verdict.ts";

/** Where a named fact is looked up: in the facts of a profile, or in one of its own fields. */
export type FactName = string;

/** Which ends a pack speaks for. Every field given must hold; a list holds when one of its items does. */
export interface PackMatch {
  /** Driver prefixes of type ids. */
  readonly driverPrefixes?: readonly string[];
  /** PCI vendor ids, four hexadecimal digits. A parent off the PCI bus does not match. */
  readonly pciVendors?: readonly string[];
  readonly modules?: readonly string[];
  readonly deviceApis?: readonly string[];
}

/** How far the statements of a pack were tried. A doubtful one answers undetermined (product rule R11). */
export type Tried = "real-kernel" | "captured-tree" | "source-read" | "documentation-read";

interface RuleBase {
  /** Reason code, snake case, unique in the pack. */
  readonly code: string;
  /** One sentence without a full stop: what must hold. */
  readonly text: string;
  /** Where this is known from: kernel path, document and section. */
  readonly from: string;
  readonly tried: Tried;
  /** A rule that is doubtful never says yes or no: it answers undetermined whatever the facts are. */
  readonly doubtful?: boolean;
  /** Only for pairs where all of these hold; an unknown fact in a condition makes the rule undetermined. */
  readonly when?: readonly Condition[];
  /** A rule that does not hold proves nothing: it answers undetermined. For what a vendor leaves unsaid. */
  readonly failing?: "undetermined";
  /** What mends a failing rule; the default follows from the primitive (docs/driver-packs.md). */
  readonly remedy?: PackRemedy;
}

/** Template of a remedy. The value comes from the source's fact, unless it is given. */
export interface PackRemedy {
  readonly kind: "upgrade-driver" | "match-driver" | "change-setting" | "move-cold" | "none";
  /** Driver or setting as a person knows it; the pack's name or the fact's name where absent. */
  readonly subject?: string;
  readonly value?: string;
}

/** A condition on a fact of one side, of both, or of at least one (`either`). Every test given must hold. */
export interface Condition {
  readonly side: "source" | "destination" | "both" | "either";
  readonly fact: FactName;
  /** The fact's text equals one of these (ASCII case-insensitive); an item that ends in `*` stands for a prefix. */
  readonly in?: readonly string[];
  /** The fact's text equals none of these; `*` as above. */
  readonly notIn?: readonly string[];
  /** Dotted numeric version at least this. */
  readonly atLeast?: string;
  /** Dotted numeric version below this. */
  readonly below?: string;
}

/**
 * The primitives. Each compares one named fact of the source with one of the destination; a missing fact is unknown.
 * Every primitive is monotone: adding a fact can turn unknown into yes or no, never no into yes.
 */
export type PackRule = RuleBase &
  (
    | { readonly kind: "equal"; readonly fact: FactName }
    /** Major equal, destination minor at least the source's; with `exact` minor equal too (D11). */
    | { readonly kind: "semver"; readonly fact: FactName; readonly exact?: boolean }
    /** The destination's dotted numeric version (or integer) is at least the source's. */
    | { readonly kind: "at-least"; readonly fact: FactName }
    /** The destination's list (comma or space separated) holds every item of the source's; with `bits` hexadecimal masks. */
    | { readonly kind: "superset"; readonly fact: FactName; readonly bits?: boolean }
    /** The source's version lies in the destination's closed range `min max` of dotted numeric versions or integers. */
    | { readonly kind: "in-range"; readonly fact: FactName; readonly range: FactName }
    /**
     * A named pair is refused: source fact in the one list and destination fact in the other, in either order if `both`.
     * An item that ends in `*` stands for a prefix.
     */
    | {
        readonly kind: "pair-exception";
        readonly fact: FactName;
        readonly source: readonly string[];
        readonly destination: readonly string[];
        readonly both?: boolean;
      }
    /** A state that stops a move: the fact of that side, read as a list, holds one of the values. */
    | {
        readonly kind: "refused";
        readonly fact: FactName;
        readonly side: "source" | "destination";
        readonly values: readonly string[];
      }
  );

/** What a pack says about the room of its devices (docs/capacity.md). */
export interface PackPool {
  /** Whose budget it is. `physical-function-or-parent`: the PF of a VF parent, otherwise the parent. */
  readonly owner: "parent" | "physical-function-or-parent";
  readonly law: "counters" | "one-size" | "slots" | "units" | "unbounded";
  /** Counter totals where the pack knows them, such as mtty's 24 ports. */
  readonly totals?: Readonly<Record<string, number>>;
  /** Consumption by type id, where the type id decides. */
  readonly consumption?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Consumption read out of `description`: counter name to the key before `=` or `:`, such as framebuffer. */
  readonly describedBy?: Readonly<Record<string, string>>;
  /** Most devices on one VF parent. */
  readonly perVirtualFunction?: number;
  /** What a person should know of this pool, one sentence; where it is known from, and how it was tried. */
  readonly text?: string;
  readonly from?: string;
  readonly tried?: Tried;
}

/** What a pack says about migration of its devices at all (R10). First statement whose range holds decides. */
export interface PackMigration {
  readonly supported: boolean;
  /** Kernel releases, dotted numeric: at least, below. Absent: any. */
  readonly kernelAtLeast?: string;
  readonly kernelBelow?: string;
  readonly p2p?: boolean;
  readonly dirtyTracking?: boolean;
  readonly text: string;
  readonly from: string;
  readonly tried: Tried;
  readonly doubtful?: boolean;
}

/** R4 (a): the stream version that a driver speaks, where it exports none. */
export interface PackStreamVersion {
  readonly version: string;
  readonly kernelAtLeast?: string;
  readonly kernelBelow?: string;
  readonly from: string;
  readonly tried: Tried;
  readonly doubtful?: boolean;
}

/** A driver pack: vendor facts as data. */
export interface DriverPack {
  readonly pack: "berth.driver-pack/v1";
  readonly name: string;
  /** `major.minor.bugfix` of the document. */
  readonly version: string;
  readonly title: string;
  readonly match: PackMatch;
  /** R4 for this driver: minor versions must be equal, not merely no older. */
  readonly exactMinor?: boolean;
  readonly streamVersions?: readonly PackStreamVersion[];
  /** Where a fact is absent, this other one is looked up: fact name to fact name, one step. */
  readonly aliases?: Readonly<Record<FactName, FactName>>;
  readonly rules: readonly PackRule[];
  readonly pool?: PackPool;
  readonly migration?: readonly PackMigration[];
  /** Notes printed with every verdict of this pack, such as "master keys are not checked". */
  readonly notes?: readonly { readonly rule: RuleId; readonly code: string; readonly text: string }[];
}

/** A validated pack with the digest that verdicts name. The digest is made at the edge: core hashes nothing. */
export interface LoadedPack {
  readonly pack: DriverPack;
  readonly digest: string;
}
