// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { BOOLEAN, eitherOf, exactly, oneOfTexts } from "../json-schema.ts";

/**
 * An object of an answer. Other keys than these may stand in it: keys are added to a version of the API, and a program
 * passes over those that it does not know.
 */
export function answerObject(
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return { type: "object", properties: { ...required, ...optional }, required: Object.keys(required) };
}

/** A list of an answer; unlike those of requests it has no most. */
export function answerList(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

/** A map from names to values. */
export function answerMap(values: JsonSchema): JsonSchema {
  return { type: "object", additionalProperties: values };
}

/** A value, or null where there is none. */
export function orNull(schema: JsonSchema): JsonSchema {
  return eitherOf([schema, { type: "null" }]);
}

export const TEXT: JsonSchema = { type: "string" };
export const COUNT: JsonSchema = { type: "integer", minimum: 0 };
/** A count; null where there is no limit. */
export const COUNT_OR_UNLIMITED: JsonSchema = orNull(COUNT);
export const ANYTHING: JsonSchema = {};

export const EVIDENCE: JsonSchema = answerObject(
  {
    host: TEXT,
    source: oneOfTexts(["interface", "sysfs", "debugfs", "script", "pack", "declaration", "inferred"]),
    path: TEXT,
  },
  { text: TEXT },
);

/** One fact in three values, as docs/json.md explains. */
export function readingOf(value: JsonSchema): JsonSchema {
  return eitherOf([
    answerObject({ kind: exactly("known"), value, evidence: EVIDENCE }),
    answerObject({ kind: exactly("absent"), evidence: EVIDENCE }),
    answerObject({ kind: exactly("unreadable"), why: TEXT, evidence: EVIDENCE }),
  ]);
}

export const ROOM: JsonSchema = answerObject({ atLeast: COUNT_OR_UNLIMITED, atMost: COUNT_OR_UNLIMITED });

export const REMEDY: JsonSchema = answerObject({ kind: TEXT });

const SIDE = answerObject({ evidence: EVIDENCE }, { value: TEXT });
const FINDING = { rule: { type: "string", pattern: "^R[0-9]+$" }, code: TEXT, text: TEXT };
const SIDES = { source: SIDE, destination: SIDE };
/** How far an agreement can be trusted. */
export const CONFIDENCE: JsonSchema = oneOfTexts(["probed", "declared", "same-build", "seen", "assumed", "cross-type"]);
const REASONS = answerList(answerObject(FINDING, { ...SIDES, remedy: REMEDY }));
/** A pack that took part in an answer. */
export const PACK_USE: JsonSchema = answerObject({ name: TEXT, version: TEXT, digest: TEXT });
const ALWAYS = {
  agreements: answerList(answerObject(FINDING, SIDES)),
  notes: answerList(answerObject(FINDING)),
  packs: answerList(PACK_USE),
};

/** A verdict says what it rests on, or why not, or what is missing. */
export const VERDICT: JsonSchema = eitherOf([
  answerObject({
    kind: exactly("compatible"),
    confidence: CONFIDENCE,
    restsOn: answerList(answerObject({ ...FINDING, confidence: CONFIDENCE }, SIDES)),
    claims: answerList(answerObject({ rule: TEXT, attribute: TEXT, value: TEXT })),
    ...ALWAYS,
  }),
  answerObject({ kind: exactly("incompatible"), reasons: { ...REASONS, minItems: 1 }, missing: REASONS, ...ALWAYS }),
  answerObject({ kind: exactly("undetermined"), missing: { ...REASONS, minItems: 1 }, ...ALWAYS }),
]);

export const PROBLEM: JsonSchema = answerObject({ code: TEXT, host: TEXT, path: TEXT, message: TEXT }, { text: TEXT });

const ATTRIBUTES = answerObject({ migrationVersion: readingOf(TEXT), softwareVersion: readingOf(ANYTHING) });

const TYPE = answerObject({
  id: TEXT,
  driverPrefix: TEXT,
  name: readingOf(TEXT),
  deviceApi: readingOf(TEXT),
  availableInstances: readingOf(COUNT),
  description: readingOf(TEXT),
  maxAggregation: readingOf(COUNT),
  attributes: ATTRIBUTES,
});

const PARENT_KEYS = {
  id: TEXT,
  framework: oneOfTexts(["mdev", "vendor-vfio"]),
  path: TEXT,
  driver: readingOf(TEXT),
  module: readingOf(TEXT),
  numaNode: readingOf({ type: "integer" }),
  iommuGroup: readingOf(COUNT),
  poolOwner: answerObject({ kind: oneOfTexts(["parent", "physical-function", "gpu-instance", "unknown"]) }),
  types: answerList(TYPE),
  currentType: readingOf(TEXT),
  facts: answerMap(readingOf(TEXT)),
};

export const PARENT: JsonSchema = answerObject(PARENT_KEYS, { pci: TEXT, subchannel: answerObject({}) });
export const PARENT_ITEM: JsonSchema = answerObject(
  { host: TEXT, ...PARENT_KEYS },
  { pci: TEXT, subchannel: answerObject({}) },
);

const DEVICE_KEYS = {
  kind: oneOfTexts(["mdev", "vendor-vfio", "function"]),
  id: TEXT,
  path: TEXT,
  parent: TEXT,
  type: readingOf(TEXT),
  deviceApi: readingOf(TEXT),
  driver: readingOf(TEXT),
  iommuGroup: readingOf(COUNT),
  aggregation: readingOf(answerObject({ count: COUNT, settable: BOOLEAN })),
  dynamicValues: answerMap(readingOf(TEXT)),
  attributes: ATTRIBUTES,
  features: readingOf(answerObject({ stopCopy: BOOLEAN, p2p: BOOLEAN, preCopy: BOOLEAN, dirtyTracking: BOOLEAN })),
  placementId: readingOf(COUNT),
  gpuInstanceId: readingOf(COUNT),
  facts: answerMap(readingOf(TEXT)),
};

export const DEVICE: JsonSchema = answerObject(DEVICE_KEYS, { ap: answerObject({}) });
export const DEVICE_ITEM: JsonSchema = answerObject({ host: TEXT, ...DEVICE_KEYS }, { ap: answerObject({}) });

/** A pool: who owns it, by which law, who sits in it, and how many more fit. */
export const POOL: JsonSchema = answerObject(
  {
    host: TEXT,
    owner: answerObject({ kind: oneOfTexts(["parent", "physical-function", "gpu-instance", "unknown"]) }),
    law: answerObject({ kind: oneOfTexts(["counters", "one-size", "slots", "units", "unbounded", "unknown"]) }),
    origin: answerObject({ kind: oneOfTexts(["declared", "inferred", "unknown"]) }),
    parents: answerList(TEXT),
    types: answerList(answerObject({ type: TEXT })),
    occupants: answerList(answerObject({ id: TEXT, type: TEXT, count: COUNT, parent: TEXT })),
    offers: answerList(answerObject({ parent: TEXT, type: TEXT })),
    room: answerList(answerObject({ type: TEXT, atLeast: COUNT_OR_UNLIMITED, atMost: COUNT_OR_UNLIMITED })),
  },
  { perParent: COUNT, disagreement: answerObject({ above: BOOLEAN, below: BOOLEAN }), uncounted: TEXT },
);
