// SPDX-License-Identifier: Apache-2.0

import { known, type Reading } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { formatSoftwareVersion, type SoftwareVersion } from "../device/software-version.ts";
import type { ClassColumns, ClassId, ItemMask, Stem } from "./class-columns.ts";
import { splitProfile, type ClassRules, type FieldItems } from "./equivalence-class.ts";

/** A source, taken apart once, that any number of questions can be asked about. */
export interface CompiledSource {
  readonly profile: MigrationProfile;
  readonly version: SoftwareVersion | undefined;
  /** Sorted by name. */
  readonly fields: readonly FieldItems[];
  /** Number of its stem among those of sources; names what is kept about all of them. */
  readonly stem: number;
  /** Names what is kept about this source and its equals. */
  readonly key: string;
  readonly plain: boolean;
}

/** How a source's version and items stand to a stem's numbering, for one question. */
export interface StemView extends ItemMask {
  readonly major: number;
  readonly minor: number;
  /** Whether versions are compared at all: both sides have one. */
  readonly versioned: boolean;
  /** Bits, by field as in a pattern, of fields that no class of the stem has all items for. */
  readonly lacking: number;
}

/** Patterns: bit 0 another major, bits 1 and 2 a newer and an older minor, then one bit for each lacking field. */
export const PATTERN_NEWER = 2;
const PATTERN_OTHER_MAJOR = 1;
const PATTERN_OLDER = 4;
const FIELD_SHIFT = 3;
/** Patterns of a stem: three bits of version, and as many fields as a plain profile may have. */
export const PATTERNS: number = 1 << (FIELD_SHIFT + 6);

/** Takes a source apart; `numberOf` numbers stems. Costs the profile's canonical text. */
export function splitSource(
  profile: MigrationProfile,
  rules: ClassRules,
  numberOf: (stem: string) => number,
): CompiledSource {
  const parts = splitProfile(profile, rules);
  const stem = numberOf(parts.stem);
  if (parts.kind === "whole") {
    return { profile, version: undefined, fields: [], stem, key: String(stem), plain: false };
  }
  const { version, fields } = parts;
  const key = JSON.stringify([stem, version, fields.map(({ items }) => items)]);
  return { profile, version, fields, stem, key, plain: true };
}

/** A source as seen from a plain stem. */
export function viewFrom(stem: Stem, source: CompiledSource): StemView {
  let low = 0;
  let high = 0;
  let lacking = 0;
  for (const [index, field] of stem.fields.entries()) {
    for (const item of itemsOf(source.fields, field.name)) {
      const bit = field.bits.get(item);
      if (bit === undefined) lacking |= 1 << (FIELD_SHIFT + index);
      else if (bit < 32) low |= 1 << bit;
      else high |= 1 << (bit - 32);
    }
  }
  const versioned = stem.versioned && source.version !== undefined;
  const { major, minor } = source.version ?? { major: 0, minor: 0 };
  return { low: low >>> 0, high: high >>> 0, lacking, versioned, major, minor };
}

function itemsOf(fields: readonly FieldItems[], name: string): readonly string[] {
  for (const field of fields) if (field.name === name) return field.items;
  return [];
}

/** The pattern of a class as destination of a source. */
export function patternOf(
  columns: ClassColumns,
  id: ClassId,
  at: { readonly stem: Stem; readonly view: StemView },
): number {
  const { stem, view } = at;
  let pattern = view.lacking;
  if (view.versioned) {
    const minor = columns.minors[id] ?? 0;
    if (columns.majors[id] !== view.major) pattern |= PATTERN_OTHER_MAJOR;
    if (minor > view.minor) pattern |= PATTERN_NEWER;
    else if (minor < view.minor) pattern |= PATTERN_OLDER;
  }
  const lackingLow = view.low & ~(columns.itemsLow[id] ?? 0);
  const lackingHigh = view.high & ~(columns.itemsHigh[id] ?? 0);
  if ((lackingLow | lackingHigh) === 0) return pattern;
  for (const [index, field] of stem.fields.entries()) {
    if (((lackingLow & field.low) | (lackingHigh & field.high)) !== 0) pattern |= 1 << (FIELD_SHIFT + index);
  }
  return pattern;
}

/**
 * A profile that stands for a class before a judge: its stem's sample with the class's own version and items. Its
 * evidence is the sample's, so nothing of it is ever shown.
 */
export function profileOfClass(columns: ClassColumns, id: ClassId): MigrationProfile {
  const stem = columns.allStems[columns.stems[id] ?? -1];
  if (stem === undefined) throw new RangeError(`No class ${id} in the index`);
  if (stem.kind === "whole") return stem.sample;
  const { attributes } = stem.sample;
  const version = { major: columns.majors[id] ?? 0, minor: columns.minors[id] ?? 0, bugfix: 0 };
  const compatible = stem.fields.map(({ name, bits }): [string, Reading<readonly string[]>] => {
    const items = [...bits].filter(([, bit]) => hasItem(columns, id, bit)).map(([item]) => item);
    const sample = attributes.compatible[name];
    return [name, known(items, { ...(sample ?? attributes.softwareVersion).evidence, text: items.join(",") })];
  });
  const { evidence } = attributes.softwareVersion;
  const softwareVersion = known(version, { ...evidence, text: formatSoftwareVersion(version) });
  return {
    ...stem.sample,
    attributes: {
      ...attributes,
      softwareVersion: stem.versioned ? softwareVersion : attributes.softwareVersion,
      compatible: { ...attributes.compatible, ...Object.fromEntries(compatible) },
    },
  };
}

function hasItem(columns: ClassColumns, id: ClassId, bit: number): boolean {
  const word = bit < 32 ? columns.itemsLow[id] : columns.itemsHigh[id];
  return (((word ?? 0) >>> (bit & 31)) & 1) === 1;
}
