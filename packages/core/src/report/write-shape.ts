// SPDX-License-Identifier: Apache-2.0

import type { Digest, Hash, Hole, InventoryRecord } from "./inventory.ts";
import { escapeKey, HOLE_KEY, HOST_HOLE, makeTokenizer, SHAPE_KEY, TEXT_KEY, type TextForm } from "./shape-text.ts";

/** What is collected while the things of one host are written. */
export interface ShapeWriter {
  readonly host: string;
  readonly hash: Hash;
  /** Shapes by digest. */
  readonly shapes: Map<Digest, string>;
  /** Digests by shape, so that a shape is hashed once. */
  readonly digests: Map<string, Digest>;
  /** Raw texts that stay on the host, by path. */
  readonly texts: Map<string, string>;
}

/** Starts to write the things of one host. */
export function startShapes(host: string, hash: Hash): ShapeWriter {
  return { host, hash, shapes: new Map(), digests: new Map(), texts: new Map() };
}

/**
 * Facts that differ between like hosts or change while nothing else does: their values fill holes, and everything else
 * is the shape. A fact that is missing here costs a shape of its own and is never lost.
 */
const OWN_FACTS: ReadonlySet<string> = new Set(
  [
    "availableInstances numaNode iommuGroup instance count currentType placementId gpuInstanceId dynamicValues facts",
    "virtualFunctions ap apqn controlDomains hostAdapters hostDomains chpids message why",
  ].flatMap((line) => line.split(" ")),
);

/** Longest raw text that a shape repeats where it does not follow from the value. */
const SHARED_TEXT_MAX = 256;

/** One thing while it is written: its holes, and how its own names are found in texts. */
interface Thing {
  readonly writer: ShapeWriter;
  readonly tokenize: (text: string) => string;
  readonly holes: Hole[];
  /** Number of the first hole of the shape that is being written. */
  readonly from: number;
  /** Items of these lists have shapes of their own. */
  readonly nested: ReadonlySet<string>;
  /** Names of the facts that are the thing's own. */
  readonly own: ReadonlySet<string>;
}

/** How a thing is written. */
export interface WritingRules {
  /** Texts that are its own, such as id and folder, its name in the section first; they fill the first holes. */
  readonly names: readonly string[];
  /** Lists whose items become shapes of their own. */
  readonly nested?: readonly string[];
  /** Facts that are its own, besides those that are so everywhere. */
  readonly own?: readonly string[];
}

/** Writes one thing as a record. Throws TypeError for what JSON cannot hold. */
export function writeRecord(writer: ShapeWriter, value: object, rules: WritingRules): InventoryRecord {
  const thing: Thing = {
    writer,
    tokenize: makeTokenizer(rules.names),
    holes: [...rules.names],
    from: 0,
    nested: new Set(rules.nested ?? []),
    own: rules.own === undefined ? OWN_FACTS : new Set([...OWN_FACTS, ...rules.own]),
  };
  return { shape: keepShape(writer, writeValue(thing, value, { isOwn: false })), holes: thing.holes };
}

function keepShape(writer: ShapeWriter, text: string): Digest {
  const known = writer.digests.get(text);
  if (known !== undefined) return known;
  const digest = writer.hash(text);
  writer.digests.set(text, digest);
  writer.shapes.set(digest, text);
  return digest;
}

interface Mode {
  /** Whether what is written is the thing's own and not its shape's. */
  readonly isOwn: boolean;
}

function writeHole(thing: Thing, value: Hole): string {
  return `{"${HOLE_KEY}":${thing.holes.push(value) - 1 - thing.from}}`;
}

function writeValue(thing: Thing, value: unknown, mode: Mode): string {
  if (typeof value === "string") return mode.isOwn ? writeHole(thing, value) : JSON.stringify(thing.tokenize(value));
  if (typeof value !== "object" || value === null) {
    if (value !== null && typeof value !== "boolean" && !Number.isFinite(value)) {
      throw new TypeError(`Cannot write as JSON: ${typeof value === "number" ? value : typeof value}`);
    }
    return mode.isOwn ? writeHole(thing, value as Hole) : JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    if (mode.isOwn) return writeHole(thing, { is: value });
    return `[${value.map((item) => writeValue(thing, item, mode)).join(",")}]`;
  }
  return isReading(value) ? writeReading(thing, value, mode) : writeObject(thing, value, mode);
}

/** The keys in the order of their code units: the shape of equal things is equal whatever their order was. */
function writeObject(thing: Thing, value: object, mode: Mode): string {
  const parts = definedKeys(value).map((key) => {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    return `${JSON.stringify(escapeKey(key))}:${writeItem(thing, { key, item }, mode)}`;
  });
  return `{${parts.join(",")}}`;
}

function writeItem(thing: Thing, { key, item }: { readonly key: string; readonly item: unknown }, mode: Mode): string {
  if (key === "host" && item === thing.writer.host) return `{"${HOLE_KEY}":${HOST_HOLE}}`;
  if (key === "evidence" && isEvidence(item)) return writeEvidence(thing, { kind: "bare", evidence: item }, mode);
  if (thing.nested.has(key) && Array.isArray(item)) {
    return `[${item.map((one) => writeNested(thing, one)).join(",")}]`;
  }
  return writeValue(thing, item, { isOwn: mode.isOwn || thing.own.has(key) });
}

/** A shape within a shape; its holes are counted from where they begin, so that the same shape can stand anywhere. */
function writeNested(thing: Thing, value: unknown): string {
  const from = thing.holes.length;
  const text = writeValue({ ...thing, from, nested: new Set() }, value, { isOwn: false });
  return `{"${SHAPE_KEY}":${JSON.stringify(keepShape(thing.writer, text))},"from":${from}}`;
}

interface ReadingLike {
  readonly kind: string;
  readonly value?: unknown;
  readonly evidence: EvidenceLike;
}

interface EvidenceLike {
  readonly host: string;
  readonly path: string;
  readonly text?: unknown;
}

function isEvidence(value: unknown): value is EvidenceLike {
  if (typeof value !== "object" || value === null) return false;
  const { host, path } = value as Partial<EvidenceLike>;
  return typeof host === "string" && typeof path === "string";
}

function isReading(value: object): value is ReadingLike {
  const { kind, evidence } = value as Partial<ReadingLike>;
  return (kind === "known" || kind === "absent" || kind === "unreadable") && isEvidence(evidence);
}

/** The kind and the place of a reading are its shape; its value is its own where the fact is. */
function writeReading(thing: Thing, reading: ReadingLike, mode: Mode): string {
  const parts = definedKeys(reading).map((key) => {
    const item = (reading as unknown as Readonly<Record<string, unknown>>)[key];
    const text =
      key === "evidence"
        ? writeEvidence(thing, reading, mode)
        : writeItem(thing, { key, item }, { isOwn: mode.isOwn && key === "value" });
    return `${JSON.stringify(escapeKey(key))}:${text}`;
  });
  return `{${parts.join(",")}}`;
}

/**
 * The host is left out where it is the one that reports; the text is told from the value where it can be. Evidence that
 * stands without a reading (kind `bare`), such as of a VM's file descriptor, has a path of its own.
 */
function writeEvidence(thing: Thing, reading: ReadingLike, mode: Mode): string {
  const { evidence } = reading;
  const keys = definedKeys(evidence).filter((key) => key !== "host" || evidence.host !== thing.writer.host);
  const parts = keys.map((key) => {
    const item = (evidence as unknown as Readonly<Record<string, unknown>>)[key];
    const text =
      key === "text" && typeof item === "string"
        ? writeText(thing, { reading, text: item }, mode)
        : writeValue(thing, item, { isOwn: key === "path" && reading.kind === "bare" });
    return `${JSON.stringify(escapeKey(key))}:${text}`;
  });
  return `{${parts.join(",")}}`;
}

function writeText(
  thing: Thing,
  { reading, text }: { readonly reading: ReadingLike; readonly text: string },
  mode: Mode,
): string {
  const { value, kind } = reading;
  if (isPlain(value)) {
    const written = String(value);
    if (text === written) return writeForm("value");
    if (mode.isOwn && written !== "" && text.endsWith(written)) {
      const head = JSON.stringify(thing.tokenize(text.slice(0, text.length - written.length)));
      return `{"${TEXT_KEY}":"tail","head":${head}}`;
    }
  }
  if (isCounted(value) && text === String(value.count)) return writeForm("count");
  const isShared = kind === "absent" || (kind === "known" && !mode.isOwn && !isCounted(value));
  if (isShared && text.length <= SHARED_TEXT_MAX) {
    return JSON.stringify(thing.tokenize(text));
  }
  const { texts } = thing.writer;
  const kept = texts.get(reading.evidence.path);
  // One path with two texts, read at two moments: only one of them can be asked for.
  if (kept !== undefined && kept !== text) return writeHole(thing, text);
  texts.set(reading.evidence.path, text);
  return writeForm("host");
}

function writeForm(form: TextForm): string {
  return `{"${TEXT_KEY}":"${form}"}`;
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function isCounted(value: unknown): value is { readonly count: number } {
  return typeof value === "object" && value !== null && typeof (value as { count?: unknown }).count === "number";
}

function definedKeys(value: object): readonly string[] {
  return Object.keys(value)
    .filter((key) => (value as Readonly<Record<string, unknown>>)[key] !== undefined)
    .sort();
}
