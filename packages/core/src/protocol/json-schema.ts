// SPDX-License-Identifier: Apache-2.0

/** A JSON Schema (draft 2020-12) as data. The same value validates a document and is published in docs/schemas. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** An object that holds no other keys than these. */
export function closedObject(
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: "object",
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

/** An object of any keys that fit a pattern, at most 512 of them. */
export function mapOf(keys: JsonSchema, values: JsonSchema): JsonSchema {
  return { type: "object", propertyNames: keys, additionalProperties: values, maxProperties: 512 };
}

/** An array of items, at most 4096. */
export function listOf(items: JsonSchema, limits: { readonly minItems?: number } = {}): JsonSchema {
  return { type: "array", items, ...limits, maxItems: 4096 };
}

/** A string that fits a pattern; `description` is what an error says was expected. */
export function textLike(pattern: string, description: string): JsonSchema {
  return { type: "string", pattern, description };
}

/** A string of 1 to `max` characters. */
export function textUpTo(max: number, description = "a text"): JsonSchema {
  return { type: "string", minLength: 1, maxLength: max, description: `${description}, 1 to ${max} characters` };
}

/** One of a list of strings. */
export function oneOfTexts(values: readonly string[]): JsonSchema {
  return { type: "string", enum: values };
}

/** Exactly this string. */
export function exactly(value: string): JsonSchema {
  return { const: value };
}

/** A whole number from `minimum` to 2^53 - 1. */
export function integerFrom(minimum: number): JsonSchema {
  return { type: "integer", minimum, maximum: Number.MAX_SAFE_INTEGER };
}

export const BOOLEAN: JsonSchema = { type: "boolean" };

/** One of several schemas. Objects among them are told apart by a constant property, or by their required keys. */
export function eitherOf(branches: readonly JsonSchema[]): JsonSchema {
  return { anyOf: branches };
}

/** A document may name its schema for the editor that it is written in; Berth does not follow it. */
const SCHEMA_KEY: JsonSchema = { type: "string", description: "where an editor finds this schema" };

/** A schema as it is published: with its dialect, name and title, and `$schema` as a key of the document. */
export function published(name: string, title: string, schema: JsonSchema): JsonSchema {
  const properties = { $schema: SCHEMA_KEY, ...(schema["properties"] as JsonSchema | undefined) };
  const head = { $schema: "https://json-schema.org/draft/2020-12/schema", $id: `urn:berth:schema:${name}`, title };
  return { ...head, ...schema, properties };
}
