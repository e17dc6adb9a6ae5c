// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";

/**
 * What a failed request means to an agent. `unreachable`: this server does not serve now, another one may. `rejoin`:
 * another session counts, so say hello again. `unwelcome`: no server will have this agent until somebody does
 * something. `refused`: this request alone makes no sense to the server.
 */
export type FailureKind = "unreachable" | "rejoin" | "unwelcome" | "refused";

const UNWELCOME: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "agent_conflict",
  "agent_not_authenticated",
  "agent_revoked",
  "hello_malformed",
  "hello_old_generation",
  "hello_wrong_host",
  "not_authenticated",
  "protocol_unsupported",
]);

/** Hello says again what counts: which session, and after which report to go on. */
const REJOIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["report_out_of_order", "session_replaced"]);

/** Codes below 500 that speak of the server's moment, not of the request. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["not_found", "rate_limited", "request_timeout"]);

/** Tells what to do about a failed request. */
export function classifyFailure({ code, httpStatus }: BerthError): FailureKind {
  if (REJOIN.has(code)) return "rejoin";
  if (UNWELCOME.has(code)) return "unwelcome";
  return httpStatus >= 500 || PASSING.has(code) ? "unreachable" : "refused";
}

/** The coded error of whatever a request failed with: a transport that throws anything else answers nothing. */
export function toServerError(error: unknown, place: string): BerthError {
  if (error instanceof BerthError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new BerthError("server_unreachable", `Cannot reach the server: ${why}`, { place, cause: error });
}
