// SPDX-License-Identifier: Apache-2.0

import { compareDotted, parseDotted } from "../compatibility/packs/dotted.ts";
import type { DriverPack } from "../compatibility/packs/pack.ts";
import type { PackVectors } from "../compatibility/packs/vectors.ts";
import { DEVICE_APIS } from "../device/device-api.ts";
import type { JsonSchema } from "./json-schema.ts";
import {
  BOOLEAN,
  closedObject,
  eitherOf,
  exactly,
  integerFrom,
  listOf,
  mapOf,
  oneOfTexts,
  published,
  textLike,
  textUpTo,
} from "./json-schema.ts";
import type { DocumentKind } from "./parse-document.ts";
import { requireDocument } from "./parse-document.ts";
import type { DocumentProblem } from "./validate-document.ts";

// The alphabets of names. They are narrow on purpose: names are printed, compared and used as keys.
const FACT = textLike("^[a-z][a-z0-9_.-]{0,63}$", "a fact name: lower case, digits, _ . -, at most 64 characters");
const CODE = textLike("^[a-z][a-z0-9_]{0,63}$", "a code in snake case, at most 64 characters");
const DOTTED = textLike("^[0-9]{1,9}(\\.[0-9]{1,9}){0,5}$", "a dotted numeric version");
const VERSION = textLike("^[0-9]{1,9}\\.[0-9]{1,9}\\.[0-9]{1,9}$", "a version major.minor.bugfix");
const SENTENCE = textUpTo(500, "a sentence");
const VALUES = listOf(textUpTo(200), { minItems: 1 });
const TRIED = oneOfTexts(["real-kernel", "captured-tree", "source-read", "documentation-read"]);
const AMOUNTS = mapOf(textUpTo(64, "a counter name"), { type: "number", minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const PACK_NAME = textLike("^[a-z][a-z0-9_-]{0,63}$", "a pack name: lower case, digits, _ -, at most 64 characters");

const CONDITION = closedObject(
  { side: oneOfTexts(["source", "destination", "both", "either"]), fact: FACT },
  { in: VALUES, notIn: VALUES, atLeast: DOTTED, below: DOTTED },
);

const REMEDY = closedObject(
  { kind: oneOfTexts(["upgrade-driver", "match-driver", "change-setting", "move-cold", "none"]) },
  { subject: textUpTo(200), value: textUpTo(200) },
);

/** A rule of one kind: what all rules have, and what this primitive adds. */
function ruleOf(
  kind: string,
  required: Readonly<Record<string, JsonSchema>> = {},
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return closedObject(
    { kind: exactly(kind), fact: FACT, ...required, code: CODE, text: SENTENCE, from: SENTENCE, tried: TRIED },
    {
      ...optional,
      doubtful: BOOLEAN,
      when: listOf(CONDITION, { minItems: 1 }),
      failing: exactly("undetermined"),
      remedy: REMEDY,
    },
  );
}

/** The primitives of packs/pack.ts, told apart by `kind`; any other kind is refused. */
const RULE = eitherOf([
  ruleOf("equal"),
  ruleOf("semver", {}, { exact: BOOLEAN }),
  ruleOf("at-least"),
  ruleOf("superset", {}, { bits: BOOLEAN }),
  ruleOf("in-range", { range: FACT }),
  ruleOf("pair-exception", { source: VALUES, destination: VALUES }, { both: BOOLEAN }),
  ruleOf("refused", { side: oneOfTexts(["source", "destination"]), values: VALUES }),
]);

/** A pack must ask for something: an empty match would speak for every device. */
const MATCH: JsonSchema = {
  ...closedObject(
    {},
    {
      driverPrefixes: VALUES,
      pciVendors: listOf(textLike("^[0-9a-f]{4}$", "four hexadecimal digits, lower case"), { minItems: 1 }),
      modules: VALUES,
      deviceApis: listOf(oneOfTexts(DEVICE_APIS), { minItems: 1 }),
    },
  ),
  minProperties: 1,
};

/** What the pack says about room (docs/capacity.md). */
const POOL = closedObject(
  {
    owner: oneOfTexts(["parent", "physical-function-or-parent"]),
    law: oneOfTexts(["counters", "one-size", "slots", "units", "unbounded"]),
  },
  {
    totals: AMOUNTS,
    consumption: mapOf(textUpTo(255, "a type id"), AMOUNTS),
    describedBy: mapOf(textUpTo(64, "a counter name"), textUpTo(64, "a key of description")),
    perVirtualFunction: integerFrom(1),
    text: SENTENCE,
    from: SENTENCE,
    tried: TRIED,
  },
);

const KERNELS = { kernelAtLeast: DOTTED, kernelBelow: DOTTED };

/** What the pack says about migration at all (R10). */
const MIGRATION = closedObject(
  { supported: BOOLEAN, text: SENTENCE, from: SENTENCE, tried: TRIED },
  { ...KERNELS, p2p: BOOLEAN, dirtyTracking: BOOLEAN, doubtful: BOOLEAN },
);

/** What the pack says about the stream's version (R4 a). */
const STREAM_VERSION = closedObject(
  { version: VERSION, from: SENTENCE, tried: TRIED },
  { ...KERNELS, doubtful: BOOLEAN },
);

const RULE_IDS = ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11"];

/** The published schema of a driver pack. */
export const PACK_SCHEMA: JsonSchema = published(
  "driver-pack:v1",
  "Berth driver pack",
  closedObject(
    {
      pack: exactly("berth.driver-pack/v1"),
      name: PACK_NAME,
      version: VERSION,
      title: textUpTo(200, "a title"),
      match: MATCH,
      rules: listOf(RULE),
    },
    {
      exactMinor: BOOLEAN,
      streamVersions: listOf(STREAM_VERSION),
      aliases: mapOf(FACT, FACT),
      pool: POOL,
      migration: listOf(MIGRATION),
      notes: listOf(closedObject({ rule: oneOfTexts(RULE_IDS), code: CODE, text: SENTENCE })),
    },
  ),
);

const FACT_TEXTS = mapOf(FACT, {
  type: "string",
  maxLength: 4096,
  description: "the fact's text, at most 4096 characters",
});

/** The published schema of a pack's test vectors. */
export const PACK_VECTORS_SCHEMA: JsonSchema = published(
  "pack-vectors:v1",
  "Test vectors of a Berth driver pack",
  closedObject({
    vectors: exactly("berth.pack-vectors/v1"),
    pack: PACK_NAME,
    cases: listOf(
      closedObject(
        { name: textUpTo(200, "a name"), source: FACT_TEXTS, destination: FACT_TEXTS },
        {
          expected: oneOfTexts(["compatible", "incompatible", "undetermined", "not-matched"]),
          codes: listOf(textUpTo(64, "a code")),
          migration: oneOfTexts(["supported", "unsupported", "unknown"]),
          streamVersion: textUpTo(32, "a version, none or unknown"),
        },
      ),
      { minItems: 1 },
    ),
  }),
);

const PACK: DocumentKind = {
  noun: "driver pack",
  schema: PACK_SCHEMA,
  formatKey: "pack",
  format: "berth.driver-pack/v1",
  malformed: "pack_malformed",
  unsupportedVersion: "pack_unsupported_version",
  check: (document) => checkPack(document as DriverPack),
};

const VECTORS: DocumentKind = {
  noun: "file of pack test vectors",
  schema: PACK_VECTORS_SCHEMA,
  formatKey: "vectors",
  format: "berth.pack-vectors/v1",
  malformed: "pack_vectors_malformed",
};

/**
 * Reads a driver pack. Throws BerthError `pack_malformed` or `pack_unsupported_version`, naming every problem. A
 * `$schema` key is for editors: it is left out of the answer and so of the pack's digest.
 */
export function parsePackDocument(value: unknown, place: string): DriverPack {
  requireDocument(PACK, value, place);
  const { $schema: _, ...pack } = value as DriverPack & { readonly $schema?: string };
  return pack;
}

/** Reads a file of test vectors. Throws BerthError `pack_vectors_malformed`. */
export function parsePackVectors(value: unknown, place: string): PackVectors {
  requireDocument(VECTORS, value, place);
  return value as PackVectors;
}

/** What the schema cannot say: codes are unique, conditions test something, kernel ranges hold something. */
function checkPack(pack: DriverPack): readonly DocumentProblem[] {
  return [...checkCodes(pack), ...checkConditions(pack), ...checkKernelRanges(pack)];
}

/** A reason's code must lead to one rule. */
function checkCodes(pack: DriverPack): readonly DocumentProblem[] {
  const seen = new Set<string>();
  return pack.rules.flatMap((rule, index) => {
    if (!seen.has(rule.code)) {
      seen.add(rule.code);
      return [];
    }
    return [problem(`/rules/${index}/code`, "a code that no other rule has", JSON.stringify(rule.code))];
  });
}

/** A condition without a test would always hold, and hide a typing error. */
function checkConditions(pack: DriverPack): readonly DocumentProblem[] {
  return pack.rules.flatMap((rule, index) =>
    (rule.when ?? []).flatMap((condition, at) =>
      (condition.in ?? condition.notIn ?? condition.atLeast ?? condition.below)
        ? []
        : [problem(`/rules/${index}/when/${at}`, "a condition with in, notIn, atLeast or below", "none of them")],
    ),
  );
}

/** A range that holds no kernel is a statement that never speaks. */
function checkKernelRanges(pack: DriverPack): readonly DocumentProblem[] {
  const lists = { streamVersions: pack.streamVersions ?? [], migration: pack.migration ?? [] };
  return Object.entries(lists).flatMap(([key, items]) =>
    items.flatMap((item, index) => {
      const atLeast = parseDotted(item.kernelAtLeast ?? "0");
      const below = parseDotted(item.kernelBelow ?? "999999999");
      const empty = atLeast === undefined || below === undefined || compareDotted(atLeast, below) >= 0;
      return empty
        ? [
            problem(
              `/${key}/${index}`,
              "kernelAtLeast lower than kernelBelow",
              `${item.kernelAtLeast} and ${item.kernelBelow}`,
            ),
          ]
        : [];
    }),
  );
}

function problem(pointer: string, expected: string, found: string): DocumentProblem {
  return { pointer, kind: "other", expected, found };
}
