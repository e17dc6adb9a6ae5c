// SPDX-License-Identifier: Apache-2.0

import { SECTIONS } from "../report/inventory.ts";
import { keyOf } from "../report/inventory-document.ts";
import type { JsonSchema } from "./json-schema.ts";
import { eitherOf, exactly, integerFrom, oneOfTexts, published, textLike, textUpTo } from "./json-schema.ts";

/** Most items of one list of an inventory: more do not fit into 64 KiB. */
const ITEMS_MAX = 65_536;

const HOST = textUpTo(255, "a host name");
const DIGEST = textLike("^[0-9a-f]{16,128}$", "a digest: 16 to 128 hexadecimal digits, lower case");
const CUT = oneOfTexts(["nothing", "problems", "everything"]);
const VERSION = { ...integerFrom(1), maximum: 65_535 };

/** An object with at least these keys: a newer program may write more of them. */
function openObject(
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

function manyOf(items: JsonSchema): JsonSchema {
  return { type: "array", items, maxItems: ITEMS_MAX };
}

/** A text in the table; of any length, as far as the document has room. */
const TABLED: JsonSchema = { type: "string" };
/** A record: number of its shape, then what fills the shape's holes. */
const RECORD: JsonSchema = {
  type: "array",
  minItems: 1,
  items: eitherOf([
    { type: ["string", "number", "boolean", "null"], description: "a value" },
    { type: "array", items: integerFrom(0), minItems: 1, maxItems: 1, description: "the number of a text" },
    { ...openObject({ is: {} }), description: 'an object with the key "is"' },
  ]),
  description: "a record: the number of its shape, then its values",
};
const RECORDS = manyOf(RECORD);
const SECTION_KEYS = SECTIONS.map(keyOf);

const INVENTORY = openObject(
  { inventory: exactly("berth.inventory/v1"), host: HOST, shapes: manyOf(DIGEST), texts: manyOf(TABLED) },
  { cut: CUT, ...Object.fromEntries(SECTION_KEYS.map((key) => [key, RECORDS])) },
);

/** The published schema of `inventory/<host>`: what one host showed, by digest and number. */
export const INVENTORY_SCHEMA: JsonSchema = published("inventory:v1", "Berth inventory of one host", INVENTORY);

const CHANGE = openObject({}, { all: RECORDS, put: RECORDS, remove: manyOf(TABLED) });
const DELTA = openObject(
  {
    shapes: manyOf(DIGEST),
    texts: manyOf(TABLED),
    sections: openObject({}, Object.fromEntries(SECTION_KEYS.map((key) => [key, CHANGE]))),
  },
  { cut: CUT, more: openObject({}) },
);

const SHAPES: JsonSchema = {
  type: "object",
  propertyNames: DIGEST,
  additionalProperties: { type: "string", minLength: 1, maxLength: 65_536, description: "a shape as JSON text" },
  maxProperties: 4096,
};

/** What every report begins with. */
const HEAD = {
  report: exactly("berth.report/v1"),
  host: HOST,
  generation: integerFrom(0),
  sequence: integerFrom(0),
  digest: DIGEST,
};

/** The published schema of what an agent tells of its host. */
export const REPORT_SCHEMA: JsonSchema = published("report:v1", "Berth report of one host", {
  type: "object",
  anyOf: [
    openObject({ kind: exactly("unchanged"), ...HEAD }),
    openObject({ kind: exactly("delta"), ...HEAD, base: DIGEST, delta: DELTA }, { shapes: SHAPES }),
    openObject({ kind: exactly("snapshot"), ...HEAD, inventory: INVENTORY }, { shapes: SHAPES }),
  ],
});

/** The published schema of what an agent says first on every connection. */
export const HELLO_SCHEMA: JsonSchema = published(
  "hello:v1",
  "Berth hello of an agent",
  openObject({
    hello: exactly("berth.hello/v1"),
    host: HOST,
    version: textUpTo(64, "a version"),
    protocol: openObject({ min: VERSION, max: VERSION }),
    features: { type: "array", items: textUpTo(64, "a feature's name"), maxItems: 256 },
    generation: integerFrom(0),
  }),
);

/** What a server knows of a host, for its agent to go on from. */
const KNOWN = openObject({ generation: integerFrom(0), sequence: integerFrom(0), digest: DIGEST });

/** The published schema of what a server answers to a hello and to a report. */
export const REPORT_ANSWER_SCHEMA: JsonSchema = published("report-answer:v1", "Berth answer to an agent", {
  type: "object",
  anyOf: [
    openObject(
      { kind: exactly("welcome"), protocol: VERSION, features: { type: "array", items: textUpTo(64), maxItems: 256 } },
      { known: KNOWN },
    ),
    openObject({ kind: exactly("applied"), digest: DIGEST, generation: integerFrom(0), sequence: integerFrom(0) }),
    openObject({ kind: exactly("need-snapshot"), why: textUpTo(1000) }),
    openObject({ kind: exactly("need-shapes"), shapes: { type: "array", items: DIGEST, minItems: 1, maxItems: 4096 } }),
    openObject({ kind: exactly("refused"), code: textUpTo(64), message: textUpTo(1000) }),
  ],
});
