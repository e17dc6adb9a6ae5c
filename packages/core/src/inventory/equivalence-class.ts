// SPDX-License-Identifier: Apache-2.0

import { foldItem } from "../compatibility/rules/compatible-fields.ts";
import { isPciAddress } from "../device/address.ts";
import type { Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import type { SoftwareVersion } from "../device/software-version.ts";

/** What of a profile the verdicts read beyond its fixed fields. */
export interface ClassRules {
  /** Names of the facts that are read. Others do not divide classes; absent: all do. */
  readonly factNames?: ReadonlySet<string>;
  /** Whether something reads more of this profile's software version than R4 does (a driver pack may). */
  readonly readsWholeVersion?: (profile: MigrationProfile) => boolean;
}

/**
 * The text that a profile has in common with all profiles that every verdict treats alike: all of it, except who and
 * where it is, and where each fact was read. Of who it is there stays whether it exists, and whether its parent stands on the
 * PCI bus (R4 b asks that); of a fact, whether it is known, absent or unreadable, and what kind of place it came from.
 *
 * Two destinations with equal keys get equal verdicts, evidence apart. Fields that the profile gains later take part
 * without a change here.
 */
export function classKey(profile: MigrationProfile, rules: ClassRules = {}): string {
  return canonicalClass(profile, rules);
}

/** A known compatible field. */
export interface FieldItems {
  readonly name: string;
  readonly items: readonly string[];
}

/**
 * A profile taken apart for the index. `plain`: version and items stand apart, and whatever R1-R11 say of the rest
 * depends on them only through "major equal", "minor older, equal or newer" and "items a superset". `whole`: the stem is
 * the entire class key, and each class of the kind is judged by itself.
 */
export type ClassParts =
  | {
      readonly kind: "plain";
      /** Everything but the numbers of a known version and the items of known fields. */
      readonly stem: string;
      readonly version?: SoftwareVersion;
      /** Sorted by name. */
      readonly fields: readonly FieldItems[];
    }
  | { readonly kind: "whole"; readonly stem: string };

/** More known fields than these make a profile whole: each takes one bit of the index's patterns. */
const MOST_FIELDS = 6;

/** Takes a profile apart. */
export function splitProfile(profile: MigrationProfile, rules: ClassRules = {}): ClassParts {
  const fields = plainFields(profile, rules);
  if (fields === undefined) return { kind: "whole", stem: wholeStem(profile, rules) };
  const { attributes } = profile;
  const version = attributes.softwareVersion;
  const bare = {
    ...profile,
    attributes: {
      ...attributes,
      softwareVersion: withoutValue(version),
      compatible: Object.fromEntries(
        Object.entries(attributes.compatible).map(([name, reading]) => [name, withoutValue(reading)]),
      ),
    },
  };
  const stem = canonicalClass(bare, rules);
  return { kind: "plain", stem, fields, ...(version.kind === "known" ? { version: version.value } : {}) };
}

/** The stem of a profile that is judged as a whole; never equal to a plain stem. */
export function wholeStem(profile: MigrationProfile, rules: ClassRules): string {
  return `whole ${classKey(profile, rules)}`;
}

function canonicalClass(
  bare: Omit<MigrationProfile, "attributes"> & { attributes: object },
  rules: ClassRules,
): string {
  const { subject, facts, ...rest } = bare;
  const place = { kind: subject.kind, onPci: isPciAddress(subject.parent) };
  return canonicalText({ ...rest, subject: place, facts: readFacts(facts, rules) });
}

/**
 * The known fields of a plain profile, or undefined where it is not plain: an opaque string that only a driver may judge
 * (R8), an identity of its own (R9), a pack that reads the version's digits, or items in a spelling that a rule might
 * fold (`0x1A` for `1a`), so that comparing them byte by byte would be wrong.
 */
function plainFields(profile: MigrationProfile, rules: ClassRules): readonly FieldItems[] | undefined {
  const { attributes } = profile;
  if (attributes.migrationVersion.kind !== "absent") return undefined;
  if (profile.ap !== undefined || profile.apBus !== undefined || profile.apTaken !== undefined) return undefined;
  if (profile.subchannel !== undefined || rules.readsWholeVersion?.(profile) === true) return undefined;
  const fields: FieldItems[] = [];
  for (const [name, reading] of Object.entries(attributes.compatible)) {
    if (reading.kind !== "known") continue;
    if (!reading.value.every((item) => foldItem(name, item) === item)) return undefined;
    fields.push({ name, items: reading.value });
  }
  if (fields.length > MOST_FIELDS) return undefined;
  return fields.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFacts(facts: MigrationProfile["facts"], { factNames }: ClassRules): MigrationProfile["facts"] {
  if (factNames === undefined) return facts;
  return Object.fromEntries(Object.entries(facts).filter(([name]) => factNames.has(name)));
}

function withoutValue(reading: Reading<unknown>): Reading<unknown> {
  return reading.kind === "known" ? { ...reading, value: "compared" } : reading;
}

/** JSON with sorted keys, where a reading is its kind, the source of its evidence and its value; injective for plain data. */
function canonicalText(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (isReading(value)) return readingText(value);
  const record = value as Readonly<Record<string, unknown>>;
  let text = "{";
  for (const key of Object.keys(record).sort()) {
    if (record[key] !== undefined) text += `${JSON.stringify(key)}:${canonicalText(record[key])},`;
  }
  return `${text}}`;
}

function readingText(reading: Reading<unknown>): string {
  const { kind, evidence } = reading;
  if (kind === "known") return `<known ${evidence.source} ${canonicalText(reading.value)}>`;
  return kind === "absent"
    ? `<absent ${evidence.source}>`
    : `<unreadable ${evidence.source} ${JSON.stringify(reading.why)}>`;
}

/** A record of readings may have any names, also these two; their values are objects then. */
function isReading(value: object): value is Reading<unknown> {
  return "kind" in value && typeof value.kind === "string" && "evidence" in value;
}
