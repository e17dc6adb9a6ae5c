// SPDX-License-Identifier: Apache-2.0

import { canonicalJson } from "../device/canonical-json.ts";
import type { Cut, Digest, Hole, Inventory, InventoryRecord, Section } from "./inventory.ts";
import { SECTIONS } from "./inventory.ts";
import { requireDepth } from "./fill-shape.ts";

/** The name and version of the format of `inventory/<host>`. */
export const INVENTORY_FORMAT = "berth.inventory/v1";

/** Shapes and texts that records refer to by number. */
export interface PackTables {
  readonly shapes: readonly Digest[];
  readonly texts: readonly string[];
}

/** A record as it is written: number of its shape, then its holes; a text of the table is its number in an array. */
export type PackedRecord = readonly unknown[];

/** Numbers shapes and repeated texts while records are written. */
export interface Packer {
  readonly shapes: Map<Digest, number>;
  readonly texts: Map<string, number>;
}

/** Shorter texts are cheaper where they stand. */
const TABLED_MIN = 4;
const DEPTH_MAX = 16;
const OWN_KEYS: ReadonlySet<string> = new Set(["inventory", "host", "cut", "shapes", "texts", ...SECTIONS.map(keyOf)]);

/** Starts to write records; `all` are those that will be written, to see which texts repeat. */
export function startPacker(all: readonly InventoryRecord[]): Packer {
  const seen = new Set<string>();
  const texts = new Map<string, number>();
  const shapes = new Map<Digest, number>();
  for (const { shape, holes } of all) {
    if (!shapes.has(shape)) shapes.set(shape, shapes.size);
    for (const hole of holes) {
      if (typeof hole !== "string" || hole.length < TABLED_MIN) continue;
      if (!seen.has(hole)) seen.add(hole);
      else if (!texts.has(hole)) texts.set(hole, texts.size);
    }
  }
  return { shapes, texts };
}

/** Writes one record. */
export function packRecord(packer: Packer, { shape, holes }: InventoryRecord): PackedRecord {
  return [packer.shapes.get(shape), ...holes.map((hole) => packHole(packer, hole))];
}

/** The tables of the records written. */
export function tablesOf(packer: Packer): PackTables {
  return { shapes: [...packer.shapes.keys()], texts: [...packer.texts.keys()] };
}

/** Reads one record. Throws SyntaxError for what is none. */
export function unpackRecord(tables: PackTables, packed: unknown): InventoryRecord {
  if (!Array.isArray(packed)) throw new SyntaxError("Cannot read a record of an inventory: expected an array");
  const [number, ...holes] = packed as readonly unknown[];
  const shape = typeof number === "number" ? tables.shapes[number] : undefined;
  if (shape === undefined) throw new SyntaxError(`Cannot read a record of an inventory: no shape ${String(number)}`);
  return { shape, holes: holes.map((hole) => unpackHole(tables, hole)) };
}

/** Reads the tables of a document. Throws SyntaxError. */
export function unpackTables(document: Readonly<Record<string, unknown>>): PackTables {
  return { shapes: textsIn(document, "shapes"), texts: textsIn(document, "texts") };
}

/** Writes the one text of an inventory: equal inventories have equal texts, wherever they are written. */
export function formatInventory(inventory: Inventory): string {
  return canonicalJson(packInventory(inventory));
}

/** The document of an inventory, with the keys that are not known here. */
export function packInventory(inventory: Inventory): Readonly<Record<string, unknown>> {
  const packer = startPacker(SECTIONS.flatMap((section) => inventory.sections[section]));
  const sections = SECTIONS.map((section) => {
    return [keyOf(section), inventory.sections[section].map((record) => packRecord(packer, record))] as const;
  });
  return {
    ...inventory.more,
    inventory: INVENTORY_FORMAT,
    host: inventory.host,
    ...(inventory.cut === "nothing" ? {} : { cut: inventory.cut }),
    ...tablesOf(packer),
    ...Object.fromEntries(sections.filter(([, records]) => records.length > 0)),
  };
}

/** Reads the document of an inventory. Keys that it does not know are kept. Throws SyntaxError for anything else. */
export function unpackInventory(document: unknown): Inventory {
  requireDepth(document, DEPTH_MAX);
  const values = requireObject(document);
  const { inventory, host, cut = "nothing" } = values;
  if (inventory !== INVENTORY_FORMAT) throw new SyntaxError(`Cannot read an inventory: expected ${INVENTORY_FORMAT}`);
  if (typeof host !== "string" || host === "") throw new SyntaxError("Cannot read an inventory: it names no host");
  const tables = unpackTables(values);
  const read = (section: Section): readonly InventoryRecord[] =>
    listIn(values, keyOf(section)).map((record) => unpackRecord(tables, record));
  const sections = Object.fromEntries(SECTIONS.map((section) => [section, read(section)])) as Inventory["sections"];
  const more = Object.fromEntries(Object.entries(values).filter(([key]) => !OWN_KEYS.has(key)));
  return { host, cut: requireCut(cut), sections, more };
}

/** The key of a section in the document: `host` is taken by the host's name. */
export function keyOf(section: Section): string {
  return section === "host" ? "self" : section;
}

/** A JSON object, or SyntaxError. */
export function requireObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new SyntaxError("Cannot read an inventory: expected an object");
}

/** The list of a key, empty where there is none. Throws SyntaxError. */
export function listIn(values: Readonly<Record<string, unknown>>, key: string): readonly unknown[] {
  const list = Object.hasOwn(values, key) ? values[key] : [];
  if (Array.isArray(list)) return list as readonly unknown[];
  throw new SyntaxError(`Cannot read an inventory: ${key} is no list`);
}

/** How much was cut. Throws SyntaxError. */
export function requireCut(value: unknown): Cut {
  if (value === "nothing" || value === "problems" || value === "everything") return value;
  throw new SyntaxError("Cannot read an inventory: expected to know what was cut");
}

/** A list of texts, empty where there is none. Throws SyntaxError. */
export function textsIn(values: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const list = listIn(values, key);
  if (list.every((item) => typeof item === "string")) return list;
  throw new SyntaxError(`Cannot read an inventory: ${key} holds more than texts`);
}

function packHole(packer: Packer, hole: Hole): unknown {
  const number = typeof hole === "string" ? packer.texts.get(hole) : undefined;
  return number === undefined ? hole : [number];
}

function unpackHole(tables: PackTables, hole: unknown): Hole {
  if (Array.isArray(hole)) {
    const text = tables.texts[hole[0] as number];
    if (hole.length === 1 && text !== undefined) return text;
  } else if (typeof hole !== "object" || hole === null) {
    return hole as Hole;
  } else if (Object.hasOwn(hole, "is")) {
    return { is: (hole as { readonly is: unknown }).is };
  }
  throw new SyntaxError("Cannot read a record of an inventory: a hole is filled with what nothing means");
}
