// SPDX-License-Identifier: Apache-2.0

import { ordering, type Endpoint } from "../api/endpoint.ts";
import type { ErrorCode } from "../error-codes.ts";
import { DESIRED_REQUEST, ENROL_REQUEST, EVENTS_REQUEST, REPORT_REQUEST, SESSION_REQUEST } from "./agent-schemas.ts";

/** Largest body of a report: an inventory of 64 KiB and as many shapes as a first report of a large host has. */
export const REPORT_BODY_MAX: number = 4 * 1024 * 1024;

/** What every request of an agent may be answered with. */
const OF_AGENTS: readonly ErrorCode[] = [
  "agent_conflict",
  "agent_not_authenticated",
  "agent_revoked",
  "read_only_server",
  "session_replaced",
];

/** Names of the operations for agents. */
export type AgentOperationName = "enrolAgent" | "openSession" | "takeReport" | "readDesired" | "takeEvents";

/** What serves agents. */
export const AGENT_ENDPOINTS: Readonly<Record<AgentOperationName, Endpoint>> = {
  enrolAgent: ordering("/v1/agent/enrol", "Enrolled", {
    summary: "Uses up a one-time token: a credential for its host, shown this once",
    role: "anyone",
    body: ENROL_REQUEST,
    errors: ["enrolment_refused", "read_only_server"],
  }),
  openSession: ordering("/v1/agent/hello", "Session", {
    summary: "An agent says hello: how to speak, and which report of the host is known",
    role: "agent",
    body: SESSION_REQUEST,
    errors: [...OF_AGENTS, "hello_malformed", "hello_old_generation", "hello_wrong_host", "protocol_unsupported"],
  }),
  takeReport: {
    ...ordering("/v1/agent/reports", "ReportTaken", {
      summary: "An agent reports what its host shows",
      role: "agent",
      body: REPORT_REQUEST,
      errors: [
        ...OF_AGENTS,
        "report_malformed",
        "report_out_of_order",
        "report_shape_mismatch",
        "report_too_large",
        "report_unsupported_version",
        "report_wrong_host",
      ],
    }),
    bodyMax: REPORT_BODY_MAX,
  },
  readDesired: ordering("/v1/agent/desired", "Desired", {
    summary: "What the host is to do: at once where there is news, else when there is some or the time is over",
    role: "agent",
    body: DESIRED_REQUEST,
    errors: [...OF_AGENTS, "too_many_streams"],
  }),
  takeEvents: ordering("/v1/agent/events", "EventsTaken", {
    summary: "An agent says what became of claims and probes, and what is in its way",
    role: "agent",
    body: EVENTS_REQUEST,
    errors: OF_AGENTS,
  }),
};
