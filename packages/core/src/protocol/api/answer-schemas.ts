// SPDX-License-Identifier: Apache-2.0

import { ELSEWHERE_KINDS } from "../../inventory/explain-elsewhere.ts";
import { ERROR_CODES } from "../error-codes.ts";
import type { JsonSchema } from "../json-schema.ts";
import { BOOLEAN, oneOfTexts } from "../json-schema.ts";
import {
  answerList,
  answerMap,
  answerObject,
  ANYTHING,
  COUNT,
  DEVICE,
  DEVICE_ITEM,
  orNull,
  PARENT,
  PARENT_ITEM,
  POOL,
  PROBLEM,
  readingOf,
  REMEDY,
  ROOM,
  TEXT,
  VERDICT,
} from "./domain-schemas.ts";

export const GENERATION: JsonSchema = {
  ...answerObject({ epoch: TEXT, revision: COUNT }),
  description: "the state of the inventory that the answer rests on",
};

/** A document of docs/schemas/profile.json, which the document's own schema describes. */
export const PROFILE_DOCUMENT: JsonSchema = {
  type: "object",
  description: "a migration profile (docs/schemas/profile.json)",
};

const PLACE = { host: TEXT, parent: TEXT, type: TEXT };

const HOST_ITEM = answerObject({
  host: TEXT,
  revision: COUNT,
  cordoned: BOOLEAN,
  kernel: orNull(TEXT),
  os: orNull(TEXT),
  parents: COUNT,
  devices: COUNT,
  pools: COUNT,
  places: COUNT,
  problems: COUNT,
});

const HOST = answerObject(
  {
    generation: GENERATION,
    host: TEXT,
    revision: COUNT,
    cordoned: BOOLEAN,
    kernel: answerObject({ release: readingOf(TEXT), version: readingOf(TEXT) }),
    os: readingOf(TEXT),
    parents: answerList(PARENT),
    devices: answerList(DEVICE),
    functions: answerList(answerObject({ address: TEXT })),
    modules: answerList(answerObject({ name: TEXT })),
    facts: answerMap(readingOf(TEXT)),
    pools: answerList(POOL),
    problems: answerList(PROBLEM),
  },
  { apBus: answerObject({}) },
);

const TYPE_ITEM = answerObject({
  type: TEXT,
  driver: TEXT,
  deviceApis: answerList(TEXT),
  names: answerList(TEXT),
  hosts: COUNT,
  parents: COUNT,
});

const CLASS_ITEM = answerObject({
  class: COUNT,
  type: orNull(TEXT),
  driver: orNull(TEXT),
  deviceApi: orNull(TEXT),
  softwareVersion: orNull(TEXT),
  compatible: answerMap(answerList(TEXT)),
  numaNode: orNull(COUNT),
  places: COUNT,
});

const CAPACITY_ITEM = answerObject({
  type: TEXT,
  hosts: COUNT,
  pools: COUNT,
  devices: COUNT,
  room: ROOM,
  full: COUNT,
  unknown: COUNT,
  cordoned: ROOM,
});

const CHECK = answerObject({
  generation: GENERATION,
  source: PROFILE_DOCUMENT,
  destination: PROFILE_DOCUMENT,
  verdict: VERDICT,
  platform: VERDICT,
  room: orNull(ROOM),
  roomText: TEXT,
});

const CANDIDATES = answerObject(
  {
    generation: GENERATION,
    source: PROFILE_DOCUMENT,
    candidates: answerList(
      answerObject({
        rank: { ...COUNT, minimum: 1 },
        ...PLACE,
        verdict: VERDICT,
        platform: VERDICT,
        room: ROOM,
        because: answerList(TEXT),
      }),
    ),
    excludedHosts: answerList(TEXT),
    notChecked: answerList(TEXT),
  },
  {
    outcomes: answerList(
      answerObject({
        kind: oneOfTexts(ELSEWHERE_KINDS),
        code: TEXT,
        places: { ...COUNT, minimum: 1 },
        hosts: COUNT,
        example: answerObject(PLACE),
        why: TEXT,
        remedies: answerList(REMEDY),
      }),
    ),
  },
);

const CHANGE_MESSAGE = answerObject({
  generation: GENERATION,
  changes: answerList(
    answerObject({ kind: oneOfTexts(["host-put", "host-removed", "host-cordoned", "host-uncordoned"]), host: TEXT }),
  ),
});

/** Names of all answers. */
export type AnswerName =
  | "HostPage"
  | "Host"
  | "ParentPage"
  | "PoolPage"
  | "TypePage"
  | "DevicePage"
  | "Device"
  | "ClassPage"
  | "ProblemPage"
  | "CapacityPage"
  | "Check"
  | "Candidates"
  | "ChangeMessage"
  | "Health"
  | "Ready"
  | "Error"
  | "OpenApi";

/** Every answer by name; the OpenAPI document holds them under these names. */
export const ANSWER_SCHEMAS: Readonly<Record<AnswerName, JsonSchema>> = {
  HostPage: pageOf(HOST_ITEM),
  Host: HOST,
  ParentPage: pageOf(PARENT_ITEM),
  PoolPage: pageOf(POOL),
  TypePage: pageOf(TYPE_ITEM),
  DevicePage: pageOf(DEVICE_ITEM),
  Device: answerObject({ generation: GENERATION, device: DEVICE_ITEM }),
  ClassPage: pageOf(CLASS_ITEM),
  ProblemPage: pageOf(PROBLEM),
  CapacityPage: pageOf(CAPACITY_ITEM),
  Check: CHECK,
  Candidates: CANDIDATES,
  ChangeMessage: CHANGE_MESSAGE,
  Health: answerObject({ status: oneOfTexts(["ok"]) }),
  Ready: answerObject({
    status: oneOfTexts(["ready", "not-ready"]),
    lagSeconds: orNull({ type: "number" }),
    hosts: COUNT,
  }),
  Error: answerObject({
    code: oneOfTexts(Object.keys(ERROR_CODES)),
    message: TEXT,
    place: orNull(TEXT),
    expected: orNull(TEXT),
    details: answerList(TEXT),
  }),
  OpenApi: answerObject({ openapi: TEXT, info: ANYTHING, paths: ANYTHING, components: ANYTHING }),
};

function pageOf(items: JsonSchema): JsonSchema {
  return answerObject({ generation: GENERATION, items: answerList(items) }, { next: TEXT });
}
