// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";

/** The part of a profile that rules out most of a fleet at one look: R1, R2 and R3. Undefined: not known. */
export interface Head {
  readonly framework: MigrationProfile["framework"];
  readonly vendorDriver: string | undefined;
  readonly deviceApi: string | undefined;
  readonly type: string | undefined;
  readonly subject: MigrationProfile["subject"]["kind"];
  /** Says which types' state it takes, so that another type alone does not rule it out (D2). */
  readonly namesTypes: boolean;
}

/** Heads with small numbers. */
export interface HeadTable {
  readonly heads: Head[];
  readonly ids: Map<string, number>;
}

/** No heads. */
export function createHeadTable(): HeadTable {
  return { heads: [], ids: new Map() };
}

/** The head of a profile. */
export function headOf(profile: MigrationProfile): Head {
  return {
    framework: profile.framework,
    vendorDriver: textOf(profile.vendorDriver),
    deviceApi: textOf(profile.deviceApi),
    type: textOf(profile.type),
    subject: profile.subject.kind,
    namesTypes: profile.attributes.compatibleTypes.kind !== "absent",
  };
}

/** The number of a profile's head. */
export function internHead(table: HeadTable, profile: MigrationProfile): number {
  const head = headOf(profile);
  const { framework, vendorDriver, deviceApi, type, subject, namesTypes } = head;
  const key = JSON.stringify([framework, vendorDriver, deviceApi, type, subject, namesTypes]);
  const seen = table.ids.get(key);
  if (seen !== undefined) return seen;
  table.ids.set(key, table.heads.length);
  return table.heads.push(head) - 1;
}

/** What rules a move out at one look: another vendor driver, another device API, another type. */
export type Ruling = "R1" | "R2" | "R3";

/**
 * What two heads alone rule a move out by, for good, whatever else the destination is; undefined where they do not. The
 * ruling is the first reason of the verdict and nothing mends it. Another type rules out only a type that names none
 * whose state it takes; a device that exists could be made anew.
 */
export function findRuling(source: Head, destination: Head): Ruling | undefined {
  if (isKnownToDiffer(source.vendorDriver, destination.vendorDriver)) return "R1";
  if (isKnownToDiffer(source.deviceApi, destination.deviceApi)) return "R2";
  const fixed = destination.subject === "type" && !destination.namesTypes;
  return fixed && isKnownToDiffer(source.type, destination.type) ? "R3" : undefined;
}

function isKnownToDiffer(source: string | undefined, destination: string | undefined): boolean {
  return source !== undefined && destination !== undefined && source !== destination;
}

function textOf(reading: Reading<string>): string | undefined {
  return reading.kind === "known" ? reading.value : undefined;
}
