// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { BOOLEAN, eitherOf, exactly, oneOfTexts } from "../json-schema.ts";
import { GENERATION, pageOf, PROFILE_DOCUMENT } from "./answer-parts.ts";
import { CLAIM_ITEM, NOTICE, PROBE_REPLY, TRIED, WANTED_PROBE } from "./claim-schemas.ts";
import { ANYTHING, answerList, answerObject, COUNT, orNull, REMEDY, ROOM, TEXT, VERDICT } from "./domain-schemas.ts";
import { VM_KEYS, VM_MAYBE } from "./vm-schemas.ts";

/** Schemas of control-answers.ts. */

/** How a host's agent is. */
export const AGENT_LIFE: JsonSchema = oneOfTexts(["connected", "silent", "never", "conflict", "revoked"]);

const VM_ITEM = answerObject({ host: TEXT, ...VM_KEYS, adopted: BOOLEAN }, VM_MAYBE);
const RANK = { ...COUNT, minimum: 1 };

const VM_CANDIDATES = answerObject(
  {
    generation: GENERATION,
    host: TEXT,
    vm: TEXT,
    sources: answerList(PROFILE_DOCUMENT),
    candidates: answerList(
      answerObject({
        host: TEXT,
        rank: RANK,
        places: answerList(
          answerObject({ device: TEXT, parent: TEXT, type: TEXT, verdict: VERDICT, room: ROOM }, { slot: COUNT }),
        ),
        platform: VERDICT,
        because: answerList(TEXT),
        isBest: BOOLEAN,
      }),
    ),
    excludedHosts: answerList(TEXT),
    notChecked: answerList(TEXT),
  },
  {
    elsewhere: answerList(
      answerObject({
        host: TEXT,
        outcome: TEXT,
        codes: answerList(TEXT),
        why: TEXT,
        remedies: answerList(REMEDY),
      }),
    ),
    elsewhereMore: COUNT,
  },
);

const DECISION = eitherOf([
  answerObject(
    {
      kind: exactly("granted"),
      generation: GENERATION,
      claim: CLAIM_ITEM,
      tried: TRIED,
      dryRun: BOOLEAN,
      steps: answerList(TEXT),
    },
    { alsoHeld: answerList(TEXT) },
  ),
  answerObject({
    kind: exactly("refused"),
    generation: GENERATION,
    tried: TRIED,
    because: oneOfTexts(["no", "unknown", "no-room"]),
  }),
]);

const AGENT_ITEM = answerObject({
  host: TEXT,
  life: AGENT_LIFE,
  version: orNull(TEXT),
  generation: COUNT,
  enrolledAtMs: COUNT,
  enrolledBy: TEXT,
  reportedAtMs: orNull(COUNT),
  notices: answerList(NOTICE),
});

const PROBE_ITEM = answerObject({
  id: TEXT,
  host: TEXT,
  wanted: WANTED_PROBE,
  source: answerObject({ host: TEXT, subject: TEXT }),
  principal: TEXT,
  createdAtMs: COUNT,
  reply: orNull(PROBE_REPLY),
  answeredAtMs: orNull(COUNT),
  inForce: BOOLEAN,
});

const AUDIT_ITEM = answerObject({
  id: TEXT,
  atMs: COUNT,
  principal: TEXT,
  action: TEXT,
  target: TEXT,
  before: ANYTHING,
  after: ANYTHING,
});

/** Names of the answers about claims, orders, probes, agents and VMs. */
export type ControlAnswerName =
  | "VmPage"
  | "Vm"
  | "VmCandidates"
  | "ClaimPage"
  | "Claim"
  | "ClaimDecision"
  | "Done"
  | "AdoptionPage"
  | "ProbePage"
  | "Probe"
  | "AgentPage"
  | "Enrolment"
  | "AuditPage";

export const CONTROL_ANSWERS: Readonly<Record<ControlAnswerName, JsonSchema>> = {
  VmPage: pageOf(VM_ITEM),
  Vm: answerObject({ generation: GENERATION, vm: VM_ITEM }),
  VmCandidates: VM_CANDIDATES,
  ClaimPage: pageOf(CLAIM_ITEM),
  Claim: answerObject({ generation: GENERATION, claim: CLAIM_ITEM }),
  ClaimDecision: DECISION,
  Done: answerObject({ generation: GENERATION, host: TEXT, changed: BOOLEAN, claims: answerList(TEXT) }),
  AdoptionPage: pageOf(answerObject({ host: TEXT, parents: answerList(TEXT), vms: answerList(TEXT) })),
  ProbePage: pageOf(PROBE_ITEM),
  Probe: answerObject({ generation: GENERATION, probe: PROBE_ITEM }),
  AgentPage: pageOf(AGENT_ITEM),
  Enrolment: answerObject({ host: TEXT, token: TEXT, expiresAtMs: COUNT }),
  AuditPage: pageOf(AUDIT_ITEM),
};
