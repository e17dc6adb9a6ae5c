// SPDX-License-Identifier: Apache-2.0

import { canonicalJson } from "../device/canonical-json.ts";
import type { Cut, Inventory, InventoryRecord, Section } from "./inventory.ts";
import { nameOf, SECTIONS } from "./inventory.ts";
import {
  keyOf,
  listIn,
  packRecord,
  requireCut,
  requireObject,
  startPacker,
  tablesOf,
  textsIn,
  unpackRecord,
  unpackTables,
  type Packer,
  type PackTables,
} from "./inventory-document.ts";
import { requireDepth } from "./fill-shape.ts";

/** How one section differs: records to put and names to remove where names tell them apart, else all of it anew. */
export type SectionChange =
  | { readonly kind: "change"; readonly put: readonly InventoryRecord[]; readonly remove: readonly string[] }
  | { readonly kind: "replace"; readonly records: readonly InventoryRecord[] };

/** What leads from one inventory of a host to another. */
export interface Delta {
  readonly cut: Cut;
  /** Sections that differ. */
  readonly sections: ReadonlyMap<Section, SectionChange>;
  readonly more: Readonly<Record<string, unknown>>;
}

const DEPTH_MAX = 16;

/** Finds what leads from one inventory to another of the same host; applyDelta leads back there exactly. */
export function planDelta(before: Inventory, after: Inventory): Delta {
  const sections = new Map<Section, SectionChange>();
  for (const section of SECTIONS) {
    const change = planSection(before.sections[section], after.sections[section]);
    if (change !== undefined) sections.set(section, change);
  }
  return { cut: after.cut, sections, more: after.more };
}

/** Applies a delta to the inventory that it was made for. */
export function applyDelta(before: Inventory, delta: Delta): Inventory {
  const sections = Object.fromEntries(
    SECTIONS.map((section) => [section, applySection(before.sections[section], delta.sections.get(section))]),
  ) as Inventory["sections"];
  return { host: before.host, cut: delta.cut, sections, more: delta.more };
}

/** Writes a delta as a JSON value. */
export function packDelta(delta: Delta): Readonly<Record<string, unknown>> {
  const written = [...delta.sections.values()].flatMap((change) =>
    change.kind === "change" ? change.put : change.records,
  );
  const packer = startPacker(written);
  const sections = [...delta.sections].map(([section, change]) => [keyOf(section), packChange(packer, change)]);
  return {
    ...(delta.cut === "nothing" ? {} : { cut: delta.cut }),
    ...tablesOf(packer),
    sections: Object.fromEntries(sections),
    ...(Object.keys(delta.more).length === 0 ? {} : { more: delta.more }),
  };
}

/** Reads what packDelta wrote. Throws SyntaxError for anything else. */
export function unpackDelta(value: unknown): Delta {
  requireDepth(value, DEPTH_MAX);
  const values = requireObject(value);
  const tables = unpackTables(values);
  const changes = requireObject(values["sections"] ?? {});
  const sections = new Map<Section, SectionChange>();
  for (const section of SECTIONS) {
    const key = keyOf(section);
    if (Object.hasOwn(changes, key)) sections.set(section, unpackChange(tables, changes[key]));
  }
  return { cut: requireCut(values["cut"] ?? "nothing"), sections, more: requireObject(values["more"] ?? {}) };
}

function planSection(before: readonly InventoryRecord[], after: readonly InventoryRecord[]): SectionChange | undefined {
  if (!isNamed(before) || !isNamed(after)) {
    return canonicalJson(before) === canonicalJson(after) ? undefined : { kind: "replace", records: after };
  }
  const old = new Map(before.map((record) => [nameOf(record), record]));
  const names = new Set(after.map(nameOf));
  const put = after.filter((record) => !isSame(old.get(nameOf(record)), record));
  const remove = before.map(nameOf).filter((name) => !names.has(name));
  return put.length + remove.length === 0 ? undefined : { kind: "change", put, remove };
}

/** Whether names tell the records apart and are in the order in which applySection puts them. */
function isNamed(records: readonly InventoryRecord[]): boolean {
  return records.every((record, at) => {
    const previous = records[at - 1];
    return previous === undefined || nameOf(previous) < nameOf(record);
  });
}

function isSame(left: InventoryRecord | undefined, right: InventoryRecord): boolean {
  if (left === undefined || left.shape !== right.shape || left.holes.length !== right.holes.length) return false;
  return left.holes.every((hole, at) => {
    const other = right.holes[at];
    return hole === other || (typeof hole === "object" && canonicalJson(hole) === canonicalJson(other));
  });
}

function applySection(
  before: readonly InventoryRecord[],
  change: SectionChange | undefined,
): readonly InventoryRecord[] {
  if (change === undefined) return before;
  if (change.kind === "replace") return change.records;
  const records = new Map(before.map((record) => [nameOf(record), record]));
  for (const name of change.remove) records.delete(name);
  for (const record of change.put) records.set(nameOf(record), record);
  return [...records.values()].sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}

function packChange(packer: Packer, change: SectionChange): Readonly<Record<string, unknown>> {
  if (change.kind === "replace") return { all: change.records.map((record) => packRecord(packer, record)) };
  return {
    ...(change.put.length === 0 ? {} : { put: change.put.map((record) => packRecord(packer, record)) }),
    ...(change.remove.length === 0 ? {} : { remove: change.remove }),
  };
}

function unpackChange(tables: PackTables, value: unknown): SectionChange {
  const values = requireObject(value);
  const read = (key: string): readonly InventoryRecord[] =>
    listIn(values, key).map((record) => unpackRecord(tables, record));
  if (Object.hasOwn(values, "all")) return { kind: "replace", records: read("all") };
  return { kind: "change", put: read("put"), remove: textsIn(values, "remove") };
}
