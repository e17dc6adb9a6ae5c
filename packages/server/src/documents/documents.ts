// SPDX-License-Identifier: Apache-2.0

import type { ProbeReply, WantedProbe } from "@berth/core/provision/desired-state";
import type { ReportOrder } from "@berth/core/report/report";

/** `agent/<host>`: who speaks for a host. */
export interface AgentDocument {
  readonly host: string;
  /** SHA-256 of the credential. */
  readonly credential: string;
  readonly enrolledAtMs: number;
  /** Who made the token that it was enrolled with. */
  readonly enrolledBy: string;
  /** Highest generation that said hello; 0: none. */
  readonly generation: number;
  /** Version of the agent program. */
  readonly version?: string;
  /** The session that counts: the last one that said hello. */
  readonly session?: string;
  /** Sessions that it replaced, newest first, at most eight. */
  readonly replaced: readonly string[];
  /** Two lives of one credential were met: neither is listened to until the host is enrolled again. */
  readonly conflict?: { readonly sinceMs: number; readonly sessions: readonly [string, string] };
  readonly revokedAtMs?: number;
}

/** `reported/<host>`: the report that `inventory/<host>` came from. Unchanged reports move no document. */
export interface ReportedDocument extends ReportOrder {
  readonly digest: string;
  readonly atMs: number;
}

/** `cordon/<host>`: nothing is placed there. */
export interface CordonDocument {
  readonly host: string;
  readonly principal: string;
  readonly atMs: number;
  readonly reason?: string;
}

/** `adoption/<host>`: what of a host was handed over to Berth. */
export interface AdoptionDocument {
  readonly host: string;
  /** Parent ids, sorted. */
  readonly parents: readonly string[];
  /** VM ids, sorted. */
  readonly vms: readonly string[];
}

/** `enrolment/<sha256 of the secret>`: a one-time token. It is deleted when it is used. */
export interface EnrolmentDocument {
  readonly host: string;
  readonly principal: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** `probe/<id>`: a question to a driver, and what it said. */
export interface ProbeDocument {
  readonly id: string;
  /** The destination, which is asked. */
  readonly host: string;
  readonly wanted: WantedProbe;
  /** What the answer is remembered by: `pairKey` of core/compatibility. */
  readonly pairKey: string;
  readonly source: { readonly host: string; readonly subject: string };
  readonly principal: string;
  readonly createdAtMs: number;
  readonly reply?: ProbeReply;
  readonly answeredAtMs?: number;
}

/** `audit/<day>/<time>-<id>`: one change. */
export interface AuditDocument {
  readonly id: string;
  readonly atMs: number;
  /** Name of the token, `agent HOST`, or `berth` for what the server does by itself. */
  readonly principal: string;
  /** Stable, such as `claim.create`, `host.cordon`. */
  readonly action: string;
  /** What was changed: a claim's id, a host. */
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** `idem/<principal>/<sha256 of the key>`: the answer that was given to a request. */
export interface IdemDocument {
  /** SHA-256 of the request: the same key with another request is an error. */
  readonly request: string;
  /** Status and body, as they were sent. */
  readonly answer: unknown;
  readonly atMs: number;
}

/** `singleton/<name>`: which replica does what only one may do. */
export interface SingletonDocument {
  readonly owner: string;
  /** Grows with every owner; in the compare of each step. */
  readonly term: number;
}

/** `presence/<replica>/<part>`: hosts that a replica hears, bound to its lease. */
export interface PresenceDocument {
  readonly replica: string;
  /** Sorted. */
  readonly hosts: readonly string[];
}
