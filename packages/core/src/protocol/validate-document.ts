// SPDX-License-Identifier: Apache-2.0

import { Compile, Errors, type Validator } from "typebox/schema";
import { Settings } from "typebox/system";
import type { JsonSchema } from "./json-schema.ts";
import { findNearestName } from "./nearest-name.ts";

/** One thing that is wrong with a document. */
export interface DocumentProblem {
  /** JSON pointer (RFC 6901), empty for the whole document. */
  readonly pointer: string;
  /** `unknown-key` where a key is refused because nothing has that name. */
  readonly kind: "unknown-key" | "other";
  readonly expected: string;
  readonly found: string;
}

/** The schema library's own report of one mismatch, as far as it is used. */
interface Mismatch {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
}

/** The library stops collecting after this many mismatches: a hostile document has millions. */
const MISMATCHES_MAX = 1000;

Settings.Set({ maxErrors: MISMATCHES_MAX });

/**
 * Holds a JSON value against a schema and lists everything wrong with it, in the order of the document; an empty list
 * means that it fits. Of alternatives only the one that the value comes nearest to is explained.
 */
export function findProblems(schema: JsonSchema, value: unknown): readonly DocumentProblem[] {
  return explainMismatches(schema, value, "");
}

const validators = new WeakMap<JsonSchema, Validator>();

/**
 * Whether a JSON value fits a schema: the answer of `findProblems` without its reasons, and some hundred times faster. The
 * schema is compiled when it is first asked about, and must stay as it is.
 */
export function fitsSchema(schema: JsonSchema, value: unknown): boolean {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator.Check(value);
}

/** Writes one problem as a line: place, what was expected, what was found. */
export function formatProblem(problem: DocumentProblem): string {
  const where = problem.pointer === "" ? "the document" : problem.pointer;
  return `${where}: expected ${problem.expected}, got ${problem.found}`;
}

function explainMismatches(schema: JsonSchema, value: unknown, base: string): readonly DocumentProblem[] {
  const [fits, raw] = Errors(schema, value);
  if (fits) return [];
  const mismatches: readonly Mismatch[] = raw;
  const own = mismatches.filter((one) => !isNoise(one));
  const problems = own.flatMap((one) => explainMismatch(schema, one, { value, base }));
  if (problems.length > 0) return problems;
  const [first] = mismatches;
  return [
    { pointer: base + (first?.instancePath ?? ""), kind: "other", expected: "a fitting value", found: "another one" },
  ];
}

/**
 * Whether another mismatch says the same better: explainAlternatives asks the fitting branch again, and a key that is
 * refused has a mismatch of its own.
 */
function isNoise(mismatch: Mismatch): boolean {
  if (mismatch.keyword === "boolean" || /\/anyOf\/\d/.test(mismatch.schemaPath)) return true;
  return mismatch.keyword !== "propertyNames" && mismatch.schemaPath.endsWith("/propertyNames");
}

interface Context {
  readonly value: unknown;
  readonly base: string;
}

function explainMismatch(schema: JsonSchema, one: Mismatch, context: Context): readonly DocumentProblem[] {
  const part = resolvePointer(schema, one.schemaPath.replace(/^#/, "")) as JsonSchema;
  const value = resolvePointer(context.value, one.instancePath);
  const pointer = context.base + one.instancePath;
  const at = (expected: string): DocumentProblem => ({ pointer, kind: "other", expected, found: describeValue(value) });
  switch (one.keyword) {
    case "anyOf":
      return explainAlternatives(part, value, pointer);
    case "required":
      return stringsOf(one.params, "requiredProperties").map((key) => ({
        pointer: `${pointer}/${escapeKey(key)}`,
        kind: "other",
        expected: describeSchema(childSchema(part, key)),
        found: "nothing",
      }));
    case "additionalProperties":
      // In a map every key is allowed: what is wrong with its value has a mismatch of its own.
      if (part["additionalProperties"] !== false) return [];
      return stringsOf(one.params, "additionalProperties").map((key) => explainUnknownKey(part, pointer, key));
    case "propertyNames":
      return stringsOf(one.params, "propertyNames").map((key) => ({
        pointer: `${pointer}/${escapeKey(key)}`,
        kind: "other",
        expected: `as a key ${describeSchema((part["propertyNames"] ?? {}) as JsonSchema)}`,
        found: describeValue(key),
      }));
    default:
      return [at(describeLimit(one.keyword, part))];
  }
}

/** A key that nothing has: the nearest name where one is near, else all names. */
function explainUnknownKey(part: JsonSchema, pointer: string, key: string): DocumentProblem {
  const names = Object.keys((part["properties"] ?? {}) as object);
  const nearest = findNearestName(key, names);
  const expected = nearest === undefined ? `one of the keys ${[...names].sort().join(", ")}` : `the key ${nearest}`;
  const found = `the unknown key ${describeValue(key)}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`;
  return { pointer: `${pointer}/${escapeKey(key)}`, kind: "unknown-key", expected, found };
}

/** Explains the one alternative that the value was meant for; where none can be told, names them all. */
function explainAlternatives(part: JsonSchema, value: unknown, pointer: string): readonly DocumentProblem[] {
  const branches = part["anyOf"] as readonly JsonSchema[];
  const chosen = chooseBranch(branches, value);
  if (chosen !== undefined) return explainMismatches(chosen, value, pointer);
  const tag = isPlainObject(value) ? findTag(branches) : undefined;
  if (tag !== undefined && isPlainObject(value)) {
    const expected = `one of ${branches.map((branch) => describeValue(constantOf(branch, tag))).join(", ")}`;
    const found = Object.hasOwn(value, tag) ? describeValue(value[tag]) : "nothing";
    return [{ pointer: `${pointer}/${tag}`, kind: "other", expected, found }];
  }
  return [{ pointer, kind: "other", expected: branches.map(describeSchema).join(" or "), found: describeValue(value) }];
}

/** The branch a value was meant for: by its tag, by its required keys, or as the only one of its JSON type. */
function chooseBranch(branches: readonly JsonSchema[], value: unknown): JsonSchema | undefined {
  const tag = findTag(branches);
  if (tag !== undefined && isPlainObject(value)) {
    return branches.find((branch) => Object.hasOwn(value, tag) && constantOf(branch, tag) === value[tag]);
  }
  const typed = branches.filter((branch) => branch["type"] === jsonTypeOf(value));
  if (!isPlainObject(value)) return typed.length === 1 ? typed[0] : undefined;
  const required = (branch: JsonSchema): readonly string[] => (branch["required"] ?? []) as readonly string[];
  const full = typed.find(
    (branch) => required(branch).length > 0 && required(branch).every((key) => Object.hasOwn(value, key)),
  );
  return full ?? typed[0];
}

/** The property that is a constant in every branch, such as `kind`. */
function findTag(branches: readonly JsonSchema[]): string | undefined {
  const [first] = branches;
  const keys = Object.keys((first?.["properties"] ?? {}) as object);
  return keys.find((key) => branches.every((branch) => constantOf(branch, key) !== undefined));
}

function constantOf(branch: JsonSchema, key: string): unknown {
  return childSchema(branch, key)["const"];
}

function childSchema(schema: JsonSchema, key: string): JsonSchema {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.hasOwn(properties, key) ? (properties[key] ?? {}) : {};
}

function describeLimit(keyword: string, schema: JsonSchema): string {
  switch (keyword) {
    case "minimum":
    case "maximum":
      return `a number from ${String(schema["minimum"])} to ${String(schema["maximum"])}`;
    case "minItems":
      return `at least ${String(schema["minItems"])} items`;
    case "maxItems":
      return `at most ${String(schema["maxItems"])} items`;
    case "minProperties":
      return "at least one key";
    case "maxProperties":
      return `at most ${String(schema["maxProperties"])} keys`;
    default:
      return describeSchema(schema);
  }
}

/** What a schema wants, in a few words: its own description where it has one. */
function describeSchema(schema: JsonSchema): string {
  if (typeof schema["description"] === "string") return schema["description"];
  if ("const" in schema) return describeValue(schema["const"]);
  if (Array.isArray(schema["enum"])) return `one of ${schema["enum"].map(describeValue).join(", ")}`;
  if (Array.isArray(schema["anyOf"]))
    return (schema["anyOf"] as readonly JsonSchema[]).map(describeSchema).join(" or ");
  const type = typeof schema["type"] === "string" ? schema["type"] : "value";
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** A short text for what was found: the value itself where it is small, else its type. */
function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isPlainObject(value)) return "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function stringsOf(params: object, key: string): readonly string[] {
  const list = (params as Readonly<Record<string, unknown>>)[key];
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Follows a JSON pointer through own properties only. */
function resolvePointer(root: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, token) => {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
      return (value as Readonly<Record<string, unknown>>)[key];
    }, root);
}
