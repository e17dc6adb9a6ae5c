// SPDX-License-Identifier: Apache-2.0

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
} from "@berth/core/protocol/agent/agent-wire";
import type { AgentItem, AgentLife, EnrolmentAnswer } from "@berth/core/protocol/api/control-answers";
import type { EnrolmentBody } from "@berth/core/protocol/api/control-requests";
import type { AgentNotice } from "@berth/core/provision/desired-state";
import type { Caller } from "../claims/claim-book.ts";

/**
 * The server's side of every agent: who it is, what it reports, what it is to do, what it says it did. The host comes
 * from the credential alone; what a body says of another host is refused.
 *
 * Throws BerthError as docs/agents.md says: agent_not_authenticated, agent_revoked, agent_conflict, session_replaced,
 * enrolment_refused, hello_*, report_*, protocol_unsupported, store_*.
 */
export interface AgentDesk {
  /** Makes a one-time token for a host; the pin of the server's authority goes with it. */
  makeEnrolment(body: EnrolmentBody, caller: Caller): Promise<EnrolmentAnswer>;
  /** Uses up a token: a new credential for its host, and the old one counts no more. */
  enrol(request: EnrolRequest): Promise<EnrolAnswer>;
  /** The host that a credential speaks for. Throws agent_not_authenticated, agent_revoked. */
  authenticate(credential: string): string;
  hello(host: string, request: SessionRequest): Promise<SessionAnswer>;
  report(host: string, request: ReportRequest): Promise<ReportAnswer>;
  /** Waits for news as long as the agent allows, and no longer than the signal. */
  desired(host: string, request: DesiredRequest, signal: AbortSignal): Promise<DesiredAnswer>;
  hear(host: string, request: EventsRequest): Promise<EventsAnswer>;
  /** Takes a credential back. Throws unknown_host. */
  revoke(host: string, caller: Caller): Promise<void>;
  /** Sorted by host. */
  listAgents(): readonly AgentItem[];
  /** How the agent of a host is; undefined: none was ever enrolled. */
  findLife(host: string): AgentLife | undefined;
  /** What a host's agent says is in the way. */
  listNotices(host: string): readonly AgentNotice[];
  /** Whether some replica hears the host's agent now. */
  isHeard(host: string): boolean;
  /**
   * A raw text that stayed on the host, as its last report had it; null where the agent keeps none of that path. Throws
   * BerthError host_silent where no agent that this server hears tells it within ten seconds.
   */
  readText(host: string, path: string): Promise<string | null>;
  /** Stops publishing presence and ends all waits. */
  close(): Promise<void>;
}
