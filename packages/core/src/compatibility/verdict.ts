// SPDX-License-Identifier: Apache-2.0

import type { Evidence } from "../device/evidence.ts";

/** The rules of compatibility, numbered as in docs/compatibility.md. */
export type RuleId = "R1" | "R2" | "R3" | "R4" | "R5" | "R6" | "R7" | "R8" | "R9" | "R10" | "R11";

/** How sure a yes is, surest first. The confidence of a verdict is that of its weakest rule. */
export const CONFIDENCES = ["probed", "declared", "same-build", "seen", "assumed", "cross-type"] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/** What one side said, and where. */
export interface Side {
  /** The value as a person reads it, such as `1.4.2` or `nvidia-231`; undefined where there is none. */
  readonly value?: string;
  readonly evidence: Evidence;
}

/** What an operator can do about a "no", as data; `describeRemedy` puts it into words. */
export type Remedy =
  | { readonly kind: "recreate"; readonly type: string; readonly count?: number }
  | { readonly kind: "set"; readonly attribute: string; readonly value: string }
  /** `on` is the host; absent: the destination's. */
  /** `below`: the first version that would be too new. `on`: the host, where it is not the destination. */
  | {
      readonly kind: "upgrade-driver";
      readonly driver: string;
      readonly atLeast: string;
      readonly below?: string;
      readonly on?: string;
    }
  | { readonly kind: "match-driver"; readonly driver: string; readonly version: string }
  | { readonly kind: "free"; readonly count: number; readonly type: string; readonly on: string }
  | { readonly kind: "empty"; readonly on: string; readonly types: readonly string[] }
  | { readonly kind: "change-setting"; readonly setting: string; readonly value: string }
  | { readonly kind: "allow"; readonly policy: string }
  | { readonly kind: "declare"; readonly fact: string }
  | { readonly kind: "probe" }
  | { readonly kind: "move-cold" };

/** One failing rule: both values, where they were read, and what would mend it. */
export interface Reason {
  readonly rule: RuleId;
  /** Stable code, snake case, such as `software_version_minor`. Listed in docs/compatibility.md. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly text: string;
  readonly source?: Side;
  readonly destination?: Side;
  /** Absent: never, for these two classes. */
  readonly remedy?: Remedy;
}

/** One fact that a rule needed and did not have. */
export interface Missing {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
  readonly source?: Side;
  readonly destination?: Side;
  /** How the fact could be supplied. */
  readonly remedy?: Remedy;
}

/** Something that both ends say alike. It proves nothing by itself, and shows that it was looked at. */
export interface Agreement {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
  readonly source: Side;
  readonly destination: Side;
}

/** What a yes rests on. */
export interface Assumption {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
  readonly confidence: Confidence;
  readonly source?: Side;
  readonly destination?: Side;
}

/** A value that must be set at the destination as part of claiming it; failure is a claim failure (R6, R7). */
export interface ClaimValue {
  readonly rule: RuleId;
  /** Path relative to the device, such as `aggregator`. */
  readonly attribute: string;
  readonly value: string;
}

/** Something that does not decide, and that a person should know. */
export interface Note {
  readonly rule: RuleId;
  readonly code: string;
  readonly text: string;
}

/** What one rule found. All lists may be empty: then the rule does not apply to this pair. */
export interface Findings {
  readonly agreements: readonly Agreement[];
  readonly reasons: readonly Reason[];
  readonly missing: readonly Missing[];
  readonly restsOn: readonly Assumption[];
  readonly claims: readonly ClaimValue[];
  readonly notes: readonly Note[];
}

/** A pack that took part in a verdict. */
export interface PackUse {
  readonly name: string;
  readonly version: string;
  /** `sha256:` and 64 hexadecimal digits of the document. */
  readonly digest: string;
}

interface Common {
  readonly agreements: readonly Agreement[];
  readonly claims: readonly ClaimValue[];
  readonly notes: readonly Note[];
  readonly packs: readonly PackUse[];
}

/** The answer to "may it move?". Never a boolean; missing data is never a yes. */
export type Verdict =
  | (Common & {
      readonly kind: "compatible";
      readonly confidence: Confidence;
      readonly restsOn: readonly [Assumption, ...Assumption[]];
    })
  | (Common & {
      readonly kind: "incompatible";
      readonly reasons: readonly [Reason, ...Reason[]];
      readonly missing: readonly Missing[];
    })
  | (Common & { readonly kind: "undetermined"; readonly missing: readonly [Missing, ...Missing[]] });

/** Findings of a rule that has nothing to say. */
export const NO_FINDINGS: Findings = { agreements: [], reasons: [], missing: [], restsOn: [], claims: [], notes: [] };

/** Makes findings from the lists that are not empty. */
export function findings(some: Partial<Findings>): Findings {
  return { ...NO_FINDINGS, ...some };
}
