// SPDX-License-Identifier: Apache-2.0

import type { MigrationProfile } from "../device/migration-profile.ts";
import { addMember, createFamily, type Bucket, type Family } from "./class-buckets.ts";
import { splitProfile, wholeStem, type ClassParts, type ClassRules, type FieldItems } from "./equivalence-class.ts";
import { createHeadTable, internHead, type HeadTable } from "./class-heads.ts";
import { widenUint32 } from "./typed-column.ts";

/** Number of a class in an index. Classes are never taken out: one that lost its places costs its columns only. */
export type ClassId = number;

/** Most distinct items of all fields of one stem: what two columns of 32 bits hold. */
const MOST_ITEMS = 64;

/**
 * The classes of a fleet as columns, by class number. A class is a stem (everything that is compared as a whole), a
 * version, a set of items, and the NUMA node of its places, which is part of it so that a ranking by node need not look
 * at places one by one.
 */
export interface ClassColumns {
  readonly rules: ClassRules;
  length: number;
  stems: Uint32Array;
  majors: Uint32Array;
  minors: Uint32Array;
  /** Items as bits of the stem's numbering: the first 32, and the others. */
  itemsLow: Uint32Array;
  itemsHigh: Uint32Array;
  /** NUMA node plus one, 0 where it is not known. */
  zones: Uint32Array;
  /** Places of the class. */
  counts: Uint32Array;
  /** The bucket that holds the class's places, and the class's number there. */
  readonly buckets: Bucket[];
  members: Uint32Array;
  readonly allStems: Stem[];
  readonly stemIds: Map<string, number>;
  readonly classIds: Map<string, ClassId>;
  readonly heads: HeadTable;
}

/** What many classes have in common. */
export interface Stem {
  readonly id: number;
  /** Number of its vendor driver, device API and type in the table of heads. */
  readonly head: number;
  readonly kind: ClassParts["kind"];
  /** Whether its classes have a version of their own. */
  readonly versioned: boolean;
  /** One profile of this stem; version and items are another class's, perhaps. */
  readonly sample: MigrationProfile;
  /** Sorted by name; the same for all classes of the stem. */
  readonly fields: readonly StemField[];
  /** Items numbered so far, over all fields. */
  itemCount: number;
  /** Classes by major version; one family, 0, where the stem has no version. */
  readonly families: Map<number, Family>;
}

/** One compatible field of a stem: which bits stand for its items. */
export interface StemField {
  readonly name: string;
  readonly bits: Map<string, number>;
  low: number;
  high: number;
}

/** A set of items as two words. */
export interface ItemMask {
  readonly low: number;
  readonly high: number;
}

/** No classes yet. */
export function createClassColumns(rules: ClassRules): ClassColumns {
  const nothing = (): Uint32Array => new Uint32Array(0);
  return {
    rules,
    length: 0,
    stems: nothing(),
    majors: nothing(),
    minors: nothing(),
    itemsLow: nothing(),
    itemsHigh: nothing(),
    zones: nothing(),
    counts: nothing(),
    buckets: [],
    members: nothing(),
    allStems: [],
    stemIds: new Map(),
    classIds: new Map(),
    heads: createHeadTable(),
  };
}

/** The class of a profile and a NUMA node, a new one where there is none. Costs the profile's canonical text. */
export function internClass(
  columns: ClassColumns,
  member: { readonly profile: MigrationProfile; readonly numaNode?: number },
): ClassId {
  const zone = zoneOf(member.numaNode);
  const parts = splitProfile(member.profile, columns.rules);
  const stem = internStem(columns, parts, member.profile);
  if (parts.kind === "whole") return internRow(columns, stem, { major: 0, minor: 0, low: 0, high: 0, zone });
  const mask = internItems(stem, parts.fields);
  if (mask === undefined) return internOverflow(columns, member.profile, zone);
  const { major, minor } = parts.version ?? { major: 0, minor: 0 };
  return internRow(columns, stem, { major, minor, ...mask, zone });
}

/** The column value of a NUMA node. Throws RangeError for anything but an integer from 0. */
export function zoneOf(numaNode: number | undefined): number {
  if (numaNode === undefined) return 0;
  if (Number.isInteger(numaNode) && numaNode >= 0 && numaNode < 2 ** 31) return numaNode + 1;
  throw new RangeError(`NUMA node must be an integer from 0, got ${numaNode}`);
}

/** Throws RangeError for a number that is no class of these columns. */
export function requireClass(columns: ClassColumns, id: ClassId): void {
  if (Number.isInteger(id) && id >= 0 && id < columns.length) return;
  throw new RangeError(`No class ${id} in the index`);
}

/** A stem with more items than there are bits: the class is judged as a whole instead. */
function internOverflow(columns: ClassColumns, profile: MigrationProfile, zone: number): ClassId {
  const parts = { kind: "whole", stem: wholeStem(profile, columns.rules) } as const;
  const stem = internStem(columns, parts, profile);
  return internRow(columns, stem, { major: 0, minor: 0, low: 0, high: 0, zone });
}

function internStem(columns: ClassColumns, parts: ClassParts, sample: MigrationProfile): Stem {
  const seen = columns.allStems[columns.stemIds.get(parts.stem) ?? -1];
  if (seen !== undefined) return seen;
  const fields = parts.kind === "plain" ? parts.fields : [];
  const stem: Stem = {
    id: columns.allStems.length,
    head: internHead(columns.heads, sample),
    kind: parts.kind,
    versioned: parts.kind === "plain" && parts.version !== undefined,
    sample,
    fields: fields.map(({ name }) => ({ name, bits: new Map(), low: 0, high: 0 })),
    itemCount: 0,
    families: new Map(),
  };
  columns.allStems.push(stem);
  columns.stemIds.set(parts.stem, stem.id);
  return stem;
}

/** The bits of a profile's items, numbering new ones; undefined where they do not all fit. */
function internItems(stem: Stem, fields: readonly FieldItems[]): ItemMask | undefined {
  let low = 0;
  let high = 0;
  for (const [index, field] of stem.fields.entries()) {
    for (const item of fields[index]?.items ?? []) {
      const bit = field.bits.get(item) ?? numberItem(stem, field, item);
      if (bit === undefined) return undefined;
      if (bit < 32) low |= 1 << bit;
      else high |= 1 << (bit - 32);
    }
  }
  return { low: low >>> 0, high: high >>> 0 };
}

function numberItem(stem: Stem, field: StemField, item: string): number | undefined {
  if (stem.itemCount === MOST_ITEMS) return undefined;
  const bit = stem.itemCount;
  stem.itemCount += 1;
  field.bits.set(item, bit);
  if (bit < 32) field.low = (field.low | (1 << bit)) >>> 0;
  else field.high = (field.high | (1 << (bit - 32))) >>> 0;
  return bit;
}

interface Row extends ItemMask {
  readonly major: number;
  readonly minor: number;
  readonly zone: number;
}

function internRow(columns: ClassColumns, stem: Stem, row: Row): ClassId {
  const key = `${stem.id} ${row.major} ${row.minor} ${row.low} ${row.high} ${row.zone}`;
  const seen = columns.classIds.get(key);
  if (seen !== undefined) return seen;
  const id = columns.length;
  columns.classIds.set(key, id);
  columns.length += 1;
  widenColumns(columns, columns.length);
  columns.stems[id] = stem.id;
  columns.majors[id] = row.major;
  columns.minors[id] = row.minor;
  columns.itemsLow[id] = row.low;
  columns.itemsHigh[id] = row.high;
  columns.zones[id] = row.zone;
  const family = stem.families.get(row.major) ?? createFamily();
  stem.families.set(row.major, family);
  addMember(columns, family, id);
  return id;
}

function widenColumns(columns: ClassColumns, length: number): void {
  columns.stems = widenUint32(columns.stems, length);
  columns.majors = widenUint32(columns.majors, length);
  columns.minors = widenUint32(columns.minors, length);
  columns.itemsLow = widenUint32(columns.itemsLow, length);
  columns.itemsHigh = widenUint32(columns.itemsHigh, length);
  columns.zones = widenUint32(columns.zones, length);
  columns.counts = widenUint32(columns.counts, length);
  columns.members = widenUint32(columns.members, length);
}
