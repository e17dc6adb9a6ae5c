// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { formatErrorAnswer } from "@berth/core/protocol/api/api-error";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";
import { RateLimited } from "./limits.ts";

/** What the HTTP library complains of, in Berth's codes. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "media_type_unsupported",
  FST_ERR_CTP_EMPTY_JSON_BODY: "request_malformed",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "request_malformed",
  FST_ERR_BAD_URL: "request_malformed",
  FST_ERR_MAX_PARAM_LENGTH: "request_malformed",
};

/** Seconds after which it is worth asking again, where the error itself does not say. */
const RETRY_AFTER: Partial<Readonly<Record<ErrorCode, number>>> = {
  claim_contended: 1,
  not_ready: 5,
  rate_limited: 1,
  store_unavailable: 5,
  too_many_streams: 5,
};

/** Gives every failure the one shape of the API. Our own faults are logged with their stack and told without. */
export function addFailures(server: FastifyInstance): void {
  server.setErrorHandler(sendFailure);
  server.setNotFoundHandler(async (request, reply) => {
    const path = request.url.replace(/\?.*$/s, "");
    const methods = OPERATIONS.filter(([, endpoint]) => matches(endpoint.path, path)).map(([, { method }]) => method);
    if (methods.length === 0) throw new BerthError("not_found", `There is no resource ${quote(path)}`, { place: path });
    void reply.header("allow", methods.join(", "));
    throw new BerthError("method_not_allowed", `${quote(path)} does not take ${request.method}`, {
      place: path,
      expected: methods.join(" or "),
    });
  });
}

/** Answers a failure in the shape of the API. */
export function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const coded = hasBrokenOff(error, request) ? brokenOff(error) : codeOf(error);
  if (coded.code === "internal") request.log.error({ err: error }, "request failed");
  if (coded.code.endsWith("not_authenticated")) void reply.header("www-authenticate", "Bearer");
  const retryAfter = coded instanceof RateLimited ? coded.retryAfterSeconds : RETRY_AFTER[coded.code];
  if (retryAfter !== undefined) void reply.header("retry-after", retryAfter);
  // What else of the body arrives is read and thrown away, so that the answer is not lost to a broken connection.
  if (coded.code === "body_too_large") void reply.removeHeader("connection");
  void reply.status(coded.httpStatus).type("application/json; charset=utf-8");
  return reply.send(JSON.stringify(formatErrorAnswer(coded)));
}

/** Whether whoever asked went away, or was too slow, in the middle of a body: no fault of ours, and nobody hears the answer. */
function hasBrokenOff(error: unknown, { raw }: FastifyRequest): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === "ECONNRESET" && raw.destroyed && !raw.complete;
}

function brokenOff(cause: unknown): BerthError {
  return new BerthError("request_malformed", "The request ended in the middle of its body", { place: "body", cause });
}

/** The coded error behind a failure; what has no code of its own is our own fault. */
export function codeOf(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  const { code, message } = error instanceof Error ? (error as Error & { readonly code?: unknown }) : {};
  const known = typeof code === "string" && Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (known !== undefined) return new BerthError(known, message ?? "The request is refused", { cause: error });
  return new BerthError("internal", "Berth itself is at fault; its log says more", { cause: error });
}

/**
 * Answers what never became a request: it has no route and no reply. Who did not speak HTTP, or never ended the handshake of
 * TLS, would not hear an answer: the connection is closed.
 */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  const isHeard = /^(?:HPE|ERR_HTTP)_/.test(error.code ?? "");
  if (!isHeard || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const coded = brokenRequest(error.code);
  const body = JSON.stringify(formatErrorAnswer(coded));
  const reasons: Readonly<Record<number, string>> = { 408: "Request Timeout", 431: "Request Header Fields Too Large" };
  socket.end(
    `HTTP/1.1 ${coded.httpStatus} ${reasons[coded.httpStatus] ?? "Bad Request"}\r\nconnection: close\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function brokenRequest(code: string | undefined): BerthError {
  if (code === "HPE_HEADER_OVERFLOW") {
    return new BerthError("header_fields_too_large", "The header fields of the request hold too much");
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new BerthError("request_timeout", "The request did not arrive in time");
  return new BerthError("request_malformed", "The request is not HTTP", { expected: "HTTP/1.1" });
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith("{") || part === given[at]);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
