// SPDX-License-Identifier: Apache-2.0

import * as http from "node:http";
import type { ApiRequest, ApiResponse, FetchLike } from "@berth/core/protocol/api/client";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ServerAddress } from "./server-address.ts";
import { makeVerifiedAgent, isCertificateError } from "./verified-agent.ts";

/** A server over the network. */
export interface Transport {
  readonly fetchLike: FetchLike;
  /** Ends every connection; what is under way fails. The next request connects anew. */
  hangUp(): void;
  /** Ends every connection for good. */
  close(): void;
}

export interface TransportOptions {
  /** The authority that the server's certificate must come from, PEM; those of the system unless given. */
  readonly ca?: string;
  /** How long a request may take that says nothing of it. */
  readonly timeoutMs?: number;
}

/** Longest answer: a server that sends more is none. */
export const ANSWER_MAX_BYTES: number = 8 * 1024 * 1024;

const TIMEOUT_MS = 10_000;

/**
 * Opens a server over HTTP, with connections that are kept. The server's certificate must come from the authority and be
 * of its host's name, or nothing is sent. Redirects are not followed.
 *
 * Requests reject with the signal's reason, or with BerthError: `server_unreachable`, `server_certificate_refused`,
 * `server_answer_malformed` for a redirect and for an answer of more than 8 MiB.
 */
export function openTransport(address: ServerAddress, options: TransportOptions = {}): Transport {
  const open = (): http.Agent => makeVerifiedAgent(address, options.ca);
  let agent = open();
  let isClosed = false;
  return {
    fetchLike: async (request) => {
      if (isClosed) throw unreachable(address, "the connection was closed");
      const whole = { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, ...request };
      const used = agent;
      try {
        return await sendRequest({ address, agent: used }, whole);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        if (isClosed || used !== agent) throw unreachable(address, "the connection was closed");
      }
      // The server ended a kept connection just when it was used again. Every request of an agent may be said twice.
      const fresh = open();
      try {
        return await sendRequest({ address, agent: fresh }, whole);
      } finally {
        fresh.destroy();
      }
    },
    hangUp: () => {
      agent.destroy();
      agent = open();
    },
    close: () => {
      isClosed = true;
      agent.destroy();
    },
  };
}

/** A kept connection that turned out to be dead. */
class StaleConnection extends Error {}

interface Line {
  readonly address: ServerAddress;
  readonly agent: http.Agent;
}

type TimedRequest = ApiRequest & { readonly timeoutMs: number };

function sendRequest({ address, agent }: Line, request: TimedRequest): Promise<ApiResponse> {
  const { signal, timeoutMs } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const sent = http.request(optionsOf(address, agent, request));
    const callOff = (): void => fail(signal?.reason as Error);
    const timer = setTimeout(() => fail(unreachable(address, `no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", callOff);
    };
    const fail = (error: Error): void => {
      finish();
      reject(error);
      sent.destroy();
    };
    signal?.addEventListener("abort", callOff, { once: true });
    sent.on("error", (error) => fail(toCodedError(address, error, sent.reusedSocket)));
    sent.on("response", (response) => {
      readAnswer(address, response).then((answer) => {
        finish();
        resolve(answer);
      }, fail);
    });
    sent.end(request.body);
  });
}

function optionsOf(
  { protocol, host, port }: ServerAddress,
  agent: http.Agent,
  request: ApiRequest,
): http.RequestOptions {
  const { method, path, body } = request;
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const headers = { ...request.headers, ...length };
  return { protocol, host, port, agent, method, path, headers };
}

async function readAnswer(address: ServerAddress, response: http.IncomingMessage): Promise<ApiResponse> {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) throw malformed(address, `it answered ${status}; redirects are not followed`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_MAX_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(address, "it ended in the middle of an answer", error);
  }
  if (bytes > ANSWER_MAX_BYTES) throw malformed(address, `its answer holds more than ${ANSWER_MAX_BYTES} bytes`);
  return { status, body: Buffer.concat(chunks).toString("utf8") };
}

function toCodedError(address: ServerAddress, error: NodeJS.ErrnoException, isReused: boolean): Error {
  if (isReused && (error.code === "ECONNRESET" || error.code === "EPIPE")) return new StaleConnection();
  if (!isCertificateError(error)) return unreachable(address, error.message, error);
  const message = `The certificate of ${address.origin} is refused: ${error.message}`;
  return new BerthError("server_certificate_refused", message, { place: address.origin, cause: error });
}

function unreachable({ origin }: ServerAddress, why: string, cause?: unknown): BerthError {
  return new BerthError("server_unreachable", `Cannot reach ${origin}: ${why}`, { place: origin, cause });
}

function malformed({ origin }: ServerAddress, why: string): BerthError {
  return new BerthError("server_answer_malformed", `Cannot take the answer of ${origin}: ${why}`, { place: origin });
}
