// SPDX-License-Identifier: Apache-2.0

import { AsyncLocalStorage } from "node:async_hooks";
import type { FastifyInstance } from "fastify";
import type { FetchLike } from "@berth/core/protocol/api/client";

/** A caller of the same process has no connection that could end: this says when it has gone. */
const callers = new AsyncLocalStorage<AbortSignal>();

/** What ends when the caller of this process that is served here goes away; undefined for one over a network. */
export function callerSignal(): AbortSignal | undefined {
  return callers.getStore();
}

/**
 * Calls a server of this process without a socket, through all of its hooks. A signal ends the request for both sides;
 * times are the caller's own to keep.
 */
export function fetchInProcess(server: FastifyInstance): FetchLike {
  return async ({ method, path, headers, body, signal }) => {
    const ask = async (): Promise<{ readonly status: number; readonly body: string }> => {
      const request = { method, url: path, headers: { ...headers }, ...(body === undefined ? {} : { body }) };
      const answer = await server.inject(request);
      return { status: answer.statusCode, body: answer.body };
    };
    if (signal === undefined) return await ask();
    signal.throwIfAborted();
    return await orAborted(callers.run(signal, ask), signal);
  };
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    leave = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
