// SPDX-License-Identifier: Apache-2.0

import type { AgentOperationName } from "@berth/core/protocol/agent/agent-endpoints";
import type {
  DesiredRequest,
  EnrolRequest,
  EventsRequest,
  ReportRequest,
  SessionRequest,
} from "@berth/core/protocol/agent/agent-wire";
import { ENDPOINTS } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseHello, parseReport } from "@berth/core/protocol/report-schema";
import { fitsSchema } from "@berth/core/protocol/validate-document";
import { requireControl, type Control } from "./control.ts";
import { parseQuery, requireBody } from "./request-parts.ts";
import type { Handler, Served } from "./served.ts";

type Request = Parameters<Handler>[0];
type Reply = Parameters<Handler>[1];

/** What serves agents; the host is that of the credential, whatever a body says. */
export function makeAgentHandlers(served: Served): Readonly<Record<AgentOperationName, Handler>> {
  const read = <T>(name: AgentOperationName, request: Request): { readonly body: T; readonly control: Control } => {
    const control = requireControl(served.control);
    parseQuery(ENDPOINTS[name], request.query);
    const { body } = ENDPOINTS[name];
    // Ten thousand agents say much, and it mostly fits: why it does not is found out where it does not.
    if (body === undefined || !fitsSchema(body, request.body)) requireBody(ENDPOINTS[name], request.body);
    return { body: request.body as T, control };
  };
  return {
    enrolAgent: async (request) => {
      const { body, control } = read<EnrolRequest>("enrolAgent", request);
      return await enrolAgent(served, control, { body, address: request.ip });
    },
    openSession: async (request) => {
      const { body, control } = read<SessionRequest>("openSession", request);
      const hello = parseHello(body.hello, "body/hello");
      return await control.agents.hello(request.principal, { ...body, hello });
    },
    takeReport: async (request) => {
      const { body, control } = read<ReportRequest>("takeReport", request);
      const report = parseReport(body.report, "body/report");
      return await control.agents.report(request.principal, { ...body, report });
    },
    readDesired: async (request, reply: Reply) => {
      const { body, control } = read<DesiredRequest>("readDesired", request);
      const host = request.principal;
      return await served.waits.run(host, reply, (signal) => control.agents.desired(host, body, signal));
    },
    takeEvents: async (request) => {
      const { body, control } = read<EventsRequest>("takeEvents", request);
      return await control.agents.hear(request.principal, body);
    },
  };
}

/** Enrols, unless too many have failed from there; a token that is refused counts as a failed authentication. */
async function enrolAgent(
  { throttle }: Served,
  { agents }: Control,
  { body, address }: { readonly body: EnrolRequest; readonly address: string },
): Promise<unknown> {
  throttle.requireTrust(address);
  try {
    return await agents.enrol(body);
  } catch (error) {
    if (error instanceof BerthError && error.code === "enrolment_refused") throttle.countFailure(address);
    throw error;
  }
}
