// SPDX-License-Identifier: Apache-2.0

import type {
  AgentEvent,
  AgentNotice,
  DesiredCursor,
  DesiredState,
  ProbeReply,
} from "../../provision/desired-state.ts";
import type { Hello, HelloAnswer } from "../../report/hello.ts";
import type { Digest } from "../../report/inventory.ts";
import type { Report, ReportOrder } from "../../report/report.ts";

/**
 * What agents and servers say to each other. An agent dials out; each request carries its credential
 * (`authorization: Bearer`), but for `enrol`, whose one-time token is in the body. A session is one life of an agent's
 * process, named by a random text that the agent draws when it starts: two lives of one credential are thus told apart.
 */

/** Body of `POST /v1/agent/enrol`. */
export interface EnrolRequest {
  /** The secret of a one-time token. */
  readonly secret: string;
  /** The name under which the host wants to be known; the token may demand another. */
  readonly host: string;
}

/** The credential is shown this once; the server keeps its hash alone. */
export interface EnrolAnswer {
  readonly host: string;
  readonly credential: string;
  /** The highest generation that was used under this name, 0 for none: the agent's own begin above it. */
  readonly generation?: number;
}

/** Body of `POST /v1/agent/hello`. */
export interface SessionRequest {
  readonly session: string;
  readonly hello: Hello;
  /** The highest fence that the agent has ever admitted on its host; 0: none. */
  readonly fence: number;
}

export type SessionAnswer = HelloAnswer;

/** Body of `POST /v1/agent/reports`. */
export interface ReportRequest {
  readonly session: string;
  readonly report: Report;
}

/** What becomes of a report. A refusal is an error with the code of docs/reports.md. */
export type ReportAnswer =
  | ({ readonly kind: "applied"; readonly digest: Digest } & ReportOrder)
  | { readonly kind: "need-snapshot"; readonly why: string }
  | { readonly kind: "need-shapes"; readonly shapes: readonly [Digest, ...Digest[]] };

/** Body of `POST /v1/agent/desired`: answered at once where there is news, else when there is some or time is over. */
export interface DesiredRequest {
  readonly session: string;
  /** The newest desired state that the agent has; absent: none. */
  readonly seen?: DesiredCursor;
  /** How long the server may wait for news, milliseconds, at most `DESIRED_WAIT_MAX_MS`. */
  readonly waitMs: number;
}

/** `same`: what was seen is still what is wanted, up to the cursor. */
export type DesiredAnswer = (
  { readonly kind: "state"; readonly state: DesiredState } | { readonly kind: "same"; readonly cursor: DesiredCursor }
) & {
  /** Paths of raw texts that stayed on the host and that somebody wants to read. */
  readonly texts?: readonly string[];
};

/** A raw text of the last report; null: the agent keeps none of that path. */
export interface TextReply {
  readonly path: string;
  readonly text: string | null;
}

/** Longest wait for a change of the desired state. */
export const DESIRED_WAIT_MAX_MS = 30_000;

/** Body of `POST /v1/agent/events`. */
export interface EventsRequest {
  readonly session: string;
  /** At most `EVENTS_MAX`. */
  readonly events: readonly AgentEvent[];
  /** All that is in the way now; those told before and not again are over. */
  readonly notices: readonly AgentNotice[];
  readonly probes: readonly ProbeReply[];
  readonly texts?: readonly TextReply[];
}

/** Most events of one request. */
export const EVENTS_MAX = 256;

/** What became of one event: `refused` carries a code of docs/claims.md, and saying it again would not help. */
export interface EventAnswer {
  readonly claim: string;
  readonly kind: "applied" | "refused";
  readonly code?: string;
  readonly text?: string;
}

export interface EventsAnswer {
  /** In the order of the request's events. */
  readonly events: readonly EventAnswer[];
}

/** A one-time token as a person carries it to a host: `berth1.SECRET.PIN`. */
export interface EnrolmentToken {
  readonly secret: string;
  /** SHA-256 of the certificate (DER) of the authority that the server's certificate must come from; absent: no TLS. */
  readonly pin?: string;
}

const TOKEN = /^berth1\.([A-Za-z0-9_-]{32,128})\.([0-9a-f]{64}|-)$/;

/** Writes a one-time token. */
export function formatEnrolmentToken({ secret, pin }: EnrolmentToken): string {
  return `berth1.${secret}.${pin ?? "-"}`;
}

/** Reads a one-time token. Throws SyntaxError, which does not show the text: it is a secret. */
export function parseEnrolmentToken(text: string): EnrolmentToken {
  const [, secret, pin] = TOKEN.exec(text.trim()) ?? [];
  if (secret === undefined || pin === undefined) {
    throw new SyntaxError("Cannot parse enrolment token: expected berth1.SECRET.PIN");
  }
  return pin === "-" ? { secret } : { secret, pin };
}
