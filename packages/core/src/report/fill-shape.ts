// SPDX-License-Identifier: Apache-2.0

import type { Digest, InventoryRecord } from "./inventory.ts";
import { HOLE_KEY, HOST_HOLE, parseTokens, SHAPE_KEY, TEXT_KEY, unescapeKey } from "./shape-text.ts";

/** A shape that was read: shared by thousands of hosts, so read each once and keep it. */
export interface Shape {
  /** Digests of the shapes within it. */
  readonly nested: readonly Digest[];
  readonly fill: Fill;
}

/** Shapes by digest. */
export interface Catalogue {
  /** What parseShape answered, or undefined where the shape is not known. */
  find(digest: Digest): Shape | undefined;
}

/** What fills the shapes of one host, and how much may still be written: a small document can describe a huge one. */
export interface Filler {
  readonly host: string;
  readonly catalogue: Catalogue;
  /** Characters and values that may still be made. */
  left: number;
}

/** Most characters and values that one host is filled to. 256 parents with 20 types each take 10 million. */
export const FILLED_MAX: number = 64 * 1024 * 1024;
/** Deepest nesting of a shape; no shape that is written comes near. */
const DEPTH_MAX = 48;

/** Makes one value of a shape for one record. */
type Fill = (place: Place) => unknown;

/** Where a shape is filled: the record's holes, and the number of the first that is this shape's. */
interface Place {
  readonly filler: Filler;
  readonly holes: InventoryRecord["holes"];
  readonly from: number;
  readonly depth: number;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a shape of the catalogue. Throws SyntaxError for a text that is none. */
export function parseShape(text: string): Shape {
  const value: unknown = JSON.parse(text);
  requireDepth(value, DEPTH_MAX);
  const nested = new Set<Digest>();
  return { fill: readValue(value, nested), nested: [...nested].sort() };
}

/** Refuses a JSON value with more levels than that. Throws SyntaxError. */
export function requireDepth(value: unknown, levels: number): void {
  if (typeof value !== "object" || value === null) return;
  if (levels === 0) throw new SyntaxError("Cannot read a document: it is nested too deeply");
  for (const item of Object.values(value)) requireDepth(item, levels - 1);
}

/** Makes the thing that a record describes. Throws SyntaxError or RangeError for a record that no writer has written. */
export function fillRecord(filler: Filler, record: InventoryRecord): unknown {
  const shape = filler.catalogue.find(record.shape);
  if (shape === undefined) throw new SyntaxError(`Cannot fill a shape: ${record.shape} is not in the catalogue`);
  return shape.fill({ filler, holes: record.holes, from: 0, depth: 0 });
}

function readValue(shape: unknown, nested: Set<Digest>): Fill {
  if (typeof shape === "string") return readText(shape);
  if (typeof shape !== "object" || shape === null) return (place) => spend(place, 1, shape);
  if (Array.isArray(shape)) {
    const fills = shape.map((item) => readValue(item, nested));
    return (place) => spend(place, 1, fills).map((fill) => fill(place));
  }
  const parts = shape as JsonObject;
  if (Object.hasOwn(parts, HOLE_KEY)) return readHole(parts[HOLE_KEY]);
  if (Object.hasOwn(parts, SHAPE_KEY)) return readNested(parts, nested);
  return readObject(parts, nested);
}

/** A text with the record's names in it is put together piece by piece, so that a huge one is never made. */
function readText(shape: string): Fill {
  const pieces = parseTokens(shape);
  if (pieces.length === 1 && typeof pieces[0] === "string") {
    const [text] = pieces;
    return (place) => spend(place, text.length + 1, text);
  }
  return (place) => {
    let text = "";
    for (const piece of pieces) {
      const part = typeof piece === "string" ? piece : place.holes[piece];
      if (typeof part !== "string") throw new SyntaxError(`Cannot fill a shape: no text in hole ${piece}`);
      text += spend(place, part.length + 1, part);
    }
    return text;
  };
}

function readHole(number: unknown): Fill {
  if (number === HOST_HOLE) return (place) => place.filler.host;
  if (typeof number !== "number") throw new SyntaxError("Cannot read a shape: a hole without a number");
  return (place) => {
    const hole = place.holes[place.from + number];
    if (hole === undefined) throw new SyntaxError(`Cannot fill a shape: no hole ${number}`);
    if (typeof hole === "string") return spend(place, hole.length + 1, hole);
    return typeof hole === "object" && hole !== null ? hole.is : hole;
  };
}

/** A shape within a shape holds no further one: what refers to itself would have no end. */
function readNested(reference: JsonObject, nested: Set<Digest>): Fill {
  const { [SHAPE_KEY]: digest, from } = reference;
  if (typeof digest !== "string" || typeof from !== "number") {
    throw new SyntaxError("Cannot read a shape: one within it is not named as expected");
  }
  nested.add(digest);
  return (place) => {
    const shape = place.filler.catalogue.find(digest);
    if (place.depth > 0 || shape === undefined) {
      throw new SyntaxError(`Cannot fill a shape: ${digest.slice(0, 80)} cannot stand here`);
    }
    return shape.fill({ ...place, from, depth: place.depth + 1 });
  };
}

/** An object, and with it evidence: that of a reading may tell its text from the reading's value. */
function readObject(parts: JsonObject, nested: Set<Digest>): Fill {
  const { evidence } = parts;
  const fillEvidence = isEvidenceShape(evidence) ? readEvidence(evidence, nested) : undefined;
  const names = Object.keys(parts).filter((key) => key !== "evidence" || fillEvidence === undefined);
  const fills = names.map((key) => [unescapeKey(key), readValue(parts[key], nested)] as const);
  return (place) => {
    const filled: Record<string, unknown> = spend(place, 1, {});
    for (const [key, fill] of fills) setKey(filled, key, fill(place));
    if (fillEvidence !== undefined) filled["evidence"] = fillEvidence(place, filled["value"]);
    return filled;
  };
}

function isEvidenceShape(part: unknown): part is JsonObject {
  return typeof part === "object" && part !== null && Object.hasOwn(part, "path") && Object.hasOwn(part, "source");
}

/** Evidence that names no host is of the one that reports. */
function readEvidence(parts: JsonObject, nested: Set<Digest>): (place: Place, value: unknown) => JsonObject {
  const { text } = parts;
  const form =
    typeof text === "object" && text !== null && Object.hasOwn(text, TEXT_KEY)
      ? readForm(text as JsonObject)
      : undefined;
  const names = Object.keys(parts).filter((key) => key !== "text" || form === undefined);
  const fills = names.map((key) => [unescapeKey(key), readValue(parts[key], nested)] as const);
  return (place, value) => {
    const filled: Record<string, unknown> = { host: place.filler.host };
    for (const [key, fill] of fills) setKey(filled, key, fill(place));
    if (form === "host") filled["textOnHost"] = true;
    else if (form !== undefined) filled["text"] = form(place, value);
    return filled;
  };
}

/** How a text follows from the value of its reading; `host`: it does not, and stays there. */
function readForm(form: JsonObject): "host" | ((place: Place, value: unknown) => string) {
  const kind = form[TEXT_KEY];
  if (kind === "host") return kind;
  if (kind !== "value" && kind !== "tail" && kind !== "count") {
    throw new SyntaxError(`Cannot read a shape: a text of the form ${JSON.stringify(kind)?.slice(0, 80)}`);
  }
  const head = kind === "tail" && typeof form["head"] === "string" ? readText(form["head"]) : () => "";
  return (place, value) => {
    const told = kind === "count" && typeof value === "object" ? (value as JsonObject | null)?.["count"] : value;
    if (typeof told !== "string" && typeof told !== "number" && typeof told !== "boolean") {
      throw new SyntaxError("Cannot fill a shape: a text that follows from no value");
    }
    const tail = String(told);
    return (head(place) as string) + spend(place, tail.length, tail);
  };
}

/** `__proto__` becomes a property like any other. */
function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Answers the value, for which there is still room. Throws RangeError. */
function spend<T>({ filler }: Place, amount: number, value: T): T {
  filler.left -= amount;
  if (filler.left < 0) throw new RangeError(`Cannot fill a shape: more than ${FILLED_MAX} characters`);
  return value;
}
