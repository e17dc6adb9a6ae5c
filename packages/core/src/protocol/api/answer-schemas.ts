// SPDX-License-Identifier: Apache-2.0

import { ELSEWHERE_KINDS } from "../../inventory/explain-elsewhere.ts";
import { ERROR_CODES } from "../error-codes.ts";
import type { JsonSchema } from "../json-schema.ts";
import { AGENT_ANSWERS, type AgentAnswerName } from "../agent/agent-schemas.ts";
import { CLAIM_STATES } from "../../claim/claim-state.ts";
import { BOOLEAN, eitherOf, exactly, oneOfTexts } from "../json-schema.ts";
import { GENERATION, pageOf, PROFILE_DOCUMENT } from "./answer-parts.ts";
import { CLAIM_ITEM } from "./claim-schemas.ts";
import { AGENT_LIFE, CONTROL_ANSWERS, type ControlAnswerName } from "./control-answer-schemas.ts";
import { VM } from "./vm-schemas.ts";
import {
  answerList,
  answerMap,
  answerObject,
  ANYTHING,
  COUNT,
  DEVICE,
  DEVICE_ITEM,
  EVIDENCE,
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

const PLACE = { host: TEXT, parent: TEXT, type: TEXT };

/** That somebody uses a device. */
const USE = answerObject({ device: TEXT, by: ANYTHING, evidence: EVIDENCE });

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
  agent: orNull(AGENT_LIFE),
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
    virtualMachines: answerList(VM),
    uses: answerList(USE),
    unseenUsers: answerList(TEXT),
    agent: orNull(AGENT_LIFE),
    adopted: answerObject({ parents: answerList(TEXT), vms: answerList(TEXT) }),
    claims: answerList(CLAIM_ITEM),
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

const CHANGE = eitherOf([
  answerObject({ kind: exactly("host-put"), host: TEXT }),
  answerObject({ kind: exactly("host-removed"), host: TEXT }),
  answerObject({ kind: exactly("host-cordoned"), host: TEXT }),
  answerObject({ kind: exactly("host-uncordoned"), host: TEXT }),
  answerObject({ kind: exactly("host-adopted"), host: TEXT }),
  answerObject({ kind: exactly("agent-changed"), host: TEXT }),
  answerObject({ kind: exactly("claim-changed"), host: TEXT, claim: TEXT, state: oneOfTexts(CLAIM_STATES) }),
  answerObject({ kind: exactly("probe-changed"), host: TEXT, probe: TEXT }),
]);

const CHANGE_MESSAGE = answerObject({ generation: GENERATION, changes: answerList(CHANGE) });

/** Names of all answers. */
export type AnswerName =
  | ControlAnswerName
  | AgentAnswerName
  | "HostPage"
  | "Host"
  | "ParentPage"
  | "PoolPage"
  | "TypePage"
  | "DevicePage"
  | "Device"
  | "ClassPage"
  | "ProblemPage"
  | "Text"
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
  Text: answerObject({ generation: GENERATION, host: TEXT, path: TEXT, text: orNull(TEXT) }),
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
  ...CONTROL_ANSWERS,
  ...AGENT_ANSWERS,
  OpenApi: answerObject({ openapi: TEXT, info: ANYTHING, paths: ANYTHING, components: ANYTHING }),
};
