// SPDX-License-Identifier: Apache-2.0

/** How far a fact is to be trusted, best first: the order in which Berth prefers one reading to another. */
export type EvidenceSource = "interface" | "sysfs" | "debugfs" | "script" | "pack" | "declaration" | "inferred";

/** Where a fact was read: enough for a person to read it again by hand. */
export interface Evidence {
  /** The host's name in the fleet. */
  readonly host: string;
  readonly source: EvidenceSource;
  /** Absolute path on that host, as its own kernel shows it; or `pack nvidia`, `policy file`. */
  readonly path: string;
  /** The raw text as it was read, trailing newline stripped, at most 4096 characters. Absent when nothing was there. */
  readonly text?: string;
  /** A text was read and is kept on its host, whose agent tells it when asked. Only where `text` is absent. */
  readonly textOnHost?: true;
}

/**
 * One fact about a host, in three values.
 *
 * `absent` says that the place was looked at and held nothing; `unreadable` that it held something which could not be
 * read or parsed. Neither is ever taken for a default: a rule that needs the fact answers "undetermined".
 */
export type Reading<T> =
  | { readonly kind: "known"; readonly value: T; readonly evidence: Evidence }
  | { readonly kind: "absent"; readonly evidence: Evidence }
  | { readonly kind: "unreadable"; readonly why: string; readonly evidence: Evidence };

/** Makes a reading that holds a value. */
export function known<T>(value: T, evidence: Evidence): Reading<T> {
  return { kind: "known", value, evidence };
}

/** Makes a reading of a place that holds nothing. */
export function absent(evidence: Evidence): Reading<never> {
  return { kind: "absent", evidence };
}

/** Makes a reading of a place whose text could not be read or parsed; `why` is a sentence without a full stop. */
export function unreadable(why: string, evidence: Evidence): Reading<never> {
  return { kind: "unreadable", why, evidence };
}

/** The value of a reading, or undefined where there is none. For display; a rule must look at `kind`. */
export function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === "known" ? reading.value : undefined;
}
