// SPDX-License-Identifier: Apache-2.0

import { callEndpoint, type FetchLike, type Filled, type Signal } from "../api/client.ts";
import type { Endpoint } from "../api/endpoint.ts";
import { AGENT_ENDPOINTS } from "./agent-endpoints.ts";
import type {
  DesiredAnswer,
  DesiredRequest,
  EnrolAnswer,
  EnrolRequest,
  EventsAnswer,
  EventsRequest,
  ReportAnswer,
  ReportRequest,
  SessionAnswer,
  SessionRequest,
} from "./agent-wire.ts";

/**
 * One server as an agent asks it. Every call throws BerthError: with the server's code, `server_answer_malformed` where
 * the answer is none of this API, or what the transport throws where nothing answers.
 */
export interface AgentClient {
  /** Uses up a one-time token. The only call without a credential. */
  enrol(request: EnrolRequest): Promise<EnrolAnswer>;
  hello(request: SessionRequest): Promise<SessionAnswer>;
  report(request: ReportRequest): Promise<ReportAnswer>;
  /** Waits for news on the server; the signal ends the wait. */
  desired(request: DesiredRequest, options?: { readonly signal?: Signal }): Promise<DesiredAnswer>;
  /** Tells events, notices and probe replies. */
  tell(request: EventsRequest): Promise<EventsAnswer>;
}

/** How long an agent waits for an answer, milliseconds; a long poll is given this beyond its own wait. */
export const AGENT_ANSWER_MS = 30_000;

/** A client over a transport; the credential goes with every call but `enrol`. */
export function makeAgentClient(
  fetchLike: FetchLike,
  { credential }: { readonly credential?: string } = {},
): AgentClient {
  const call = <T>(endpoint: Endpoint, filled: Filled): Promise<T> => {
    return callEndpoint({ fetchLike, token: credential }, endpoint, { timeoutMs: AGENT_ANSWER_MS, ...filled });
  };
  return {
    enrol: (body) =>
      callEndpoint({ fetchLike, token: undefined }, AGENT_ENDPOINTS.enrolAgent, { body, timeoutMs: AGENT_ANSWER_MS }),
    hello: (body) => call(AGENT_ENDPOINTS.openSession, { body }),
    report: (body) => call(AGENT_ENDPOINTS.takeReport, { body }),
    desired: (body, options = {}) =>
      call(AGENT_ENDPOINTS.readDesired, {
        body,
        timeoutMs: body.waitMs + AGENT_ANSWER_MS,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
    tell: (body) => call(AGENT_ENDPOINTS.takeEvents, { body }),
  };
}
