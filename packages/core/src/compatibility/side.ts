// SPDX-License-Identifier: Apache-2.0

import { absent, type Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { Side } from "./verdict.ts";

/** Both ends of one finding, ready to be spread into it. */
export interface Sides {
  readonly source: Side;
  readonly destination: Side;
}

/** What one end said, as a person reads it; without a value where nothing could be read. */
export function sideOf<T>(reading: Reading<T>, format: (value: T) => string = String): Side {
  if (reading.kind !== "known") return { evidence: reading.evidence };
  return { value: format(reading.value), evidence: reading.evidence };
}

/** What both ends said of one thing. */
export function sidesOf<T>(source: Reading<T>, destination: Reading<T>, format: (value: T) => string = String): Sides {
  return { source: sideOf(source, format), destination: sideOf(destination, format) };
}

/**
 * Which ends lack a fact, in words: `software_version is not shown at the source and cannot be read at the destination
 * (...)`. For readings of which at least one is not known.
 */
export function describeGaps(what: string, source: Reading<unknown>, destination: Reading<unknown>): string {
  const gaps = [...gapOf("source", source), ...gapOf("destination", destination)];
  return `${what} ${gaps.join(" and ")}`;
}

function gapOf(end: string, reading: Reading<unknown>): readonly string[] {
  if (reading.kind === "known") return [];
  return [reading.kind === "absent" ? `is not shown at the ${end}` : `cannot be read at the ${end} (${reading.why})`];
}

/** A fact of one end by name. One that nobody supplied is absent, at a place that says which fact it would be. */
export function factOf(profile: MigrationProfile, name: string): Reading<string> {
  return ownReading(profile.facts, name) ?? nothingAt(profile, `fact ${name}`);
}

/** The reading that a record holds under a name of its own; names such as `__proto__` are ordinary. */
export function ownReading<T>(record: Readonly<Record<string, Reading<T>>>, name: string): Reading<T> | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The reading of a thing that the profile does not carry at all. */
export function nothingAt(profile: MigrationProfile, path: string): Reading<never> {
  return absent({ host: profile.subject.host, source: "inferred", path });
}
