// SPDX-License-Identifier: Apache-2.0

import { CLAIM, WANTED_PROBE } from "../api/claim-schemas.ts";
import { answerList, answerObject, COUNT, orNull, TEXT } from "../api/domain-schemas.ts";
import type { JsonSchema } from "../json-schema.ts";
import { eitherOf, exactly, integerFrom, oneOfTexts, textLike, textUpTo } from "../json-schema.ts";
import { DESIRED_WAIT_MAX_MS, EVENTS_MAX } from "./agent-wire.ts";

/**
 * Schemas of agent-wire.ts. Requests of agents are open: a newer agent may say more than this server knows, and what it
 * does not know it passes over. Answers are open as all answers are.
 */

/** Most notices and most probe replies of one request. */
const TOLD_MAX = 4096;

const HOST = textUpTo(255, "a host name");
const ID = textUpTo(255, "an id");
const SESSION = textLike("^[!-~]{1,128}$", "a session id: 1 to 128 printable characters");
const DIGEST = textLike("^[0-9a-f]{16,128}$", "a digest: 16 to 128 hexadecimal digits, lower case");
const ORDER = { generation: COUNT, sequence: COUNT };

/** A document that docs/schemas/hello.json describes; it is read as such, with errors of its own. */
export const HELLO_DOCUMENT: JsonSchema = { type: "object", description: "a hello (docs/reports.md)" };
/** A document that docs/schemas/report.json describes; it is read as such, with errors of its own. */
export const REPORT_DOCUMENT: JsonSchema = { type: "object", description: "a report (docs/reports.md)" };

export const ENROL_REQUEST: JsonSchema = answerObject({
  secret: textLike("^[A-Za-z0-9_-]{32,128}$", "the secret of an enrolment token"),
  host: HOST,
});

export const SESSION_REQUEST: JsonSchema = answerObject({
  session: SESSION,
  hello: HELLO_DOCUMENT,
  fence: integerFrom(0),
});

export const REPORT_REQUEST: JsonSchema = answerObject({ session: SESSION, report: REPORT_DOCUMENT });

/** Where in the life of the store a desired state stands. */
const CURSOR = answerObject({ epoch: textUpTo(64, "an epoch"), revision: integerFrom(0) });

export const DESIRED_REQUEST: JsonSchema = answerObject(
  { session: SESSION, waitMs: { ...integerFrom(0), maximum: DESIRED_WAIT_MAX_MS } },
  { seen: CURSOR },
);

const TOLD_REASON = answerObject({ code: textUpTo(64, "a code"), text: textUpTo(4096, "a sentence") });
const ERRNO = textUpTo(64, "the name of an error");

export const EVENTS_REQUEST: JsonSchema = answerObject(
  {
    session: SESSION,
    events: {
      ...answerList(
        answerObject(
          {
            claim: ID,
            event: oneOfTexts(["provisioned", "refused", "attached", "detached", "cleared"]),
            fence: integerFrom(0),
          },
          { reason: TOLD_REASON },
        ),
      ),
      maxItems: EVENTS_MAX,
    },
    notices: {
      ...answerList(
        answerObject({ reason: TOLD_REASON }, { claim: ID, devices: { ...answerList(ID), maxItems: TOLD_MAX } }),
      ),
      maxItems: TOLD_MAX,
    },
    probes: {
      ...answerList(
        answerObject(
          {
            id: ID,
            outcome: eitherOf([
              answerObject({ kind: exactly("accepted") }),
              answerObject({ kind: exactly("refused"), errno: ERRNO }),
              answerObject({ kind: exactly("not-asked"), reason: TOLD_REASON }),
            ]),
          },
          { destinationVersion: { type: "string", maxLength: 65_536, description: "a driver's string" } },
        ),
      ),
      maxItems: TOLD_MAX,
    },
  },
  {
    texts: {
      ...answerList(
        answerObject({ path: textUpTo(4096, "a path"), text: orNull({ type: "string", maxLength: 65_536 }) }),
      ),
      maxItems: TOLD_MAX,
    },
  },
);

/** Names of the answers to agents. */
export type AgentAnswerName = "Enrolled" | "Session" | "ReportTaken" | "Desired" | "EventsTaken";

const DESIRED_STATE = answerObject({
  desired: exactly("berth.desired/v1"),
  host: TEXT,
  cursor: answerObject({ epoch: TEXT, revision: COUNT }),
  adoptedParents: answerList(TEXT),
  claims: answerList(answerObject({ claim: CLAIM }, { repairsDrift: { const: true } })),
  probes: answerList(WANTED_PROBE),
});

/** What servers answer to agents. */
export const AGENT_ANSWERS: Readonly<Record<AgentAnswerName, JsonSchema>> = {
  Enrolled: answerObject({ host: TEXT, credential: TEXT }, { generation: COUNT }),
  Session: eitherOf([
    answerObject(
      { kind: exactly("welcome"), protocol: COUNT, features: answerList(TEXT) },
      { known: answerObject({ ...ORDER, digest: DIGEST }) },
    ),
    answerObject({ kind: exactly("refused"), code: TEXT, message: TEXT }),
  ]),
  ReportTaken: eitherOf([
    answerObject({ kind: exactly("applied"), digest: DIGEST, ...ORDER }),
    answerObject({ kind: exactly("need-snapshot"), why: TEXT }),
    answerObject({ kind: exactly("need-shapes"), shapes: { ...answerList(DIGEST), minItems: 1 } }),
  ]),
  Desired: eitherOf([
    answerObject({ kind: exactly("state"), state: DESIRED_STATE }, { texts: answerList(TEXT) }),
    answerObject(
      { kind: exactly("same"), cursor: answerObject({ epoch: TEXT, revision: COUNT }) },
      { texts: answerList(TEXT) },
    ),
  ]),
  EventsTaken: answerObject({
    events: answerList(
      answerObject({ claim: TEXT, kind: oneOfTexts(["applied", "refused"]) }, { code: TEXT, text: TEXT }),
    ),
  }),
};
