// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance } from "fastify";
import type { FetchLike } from "@berth/core/protocol/api/client";

/** Calls a server of this process without a socket, through all of its hooks. */
export function fetchInProcess(server: FastifyInstance): FetchLike {
  return async ({ method, path, headers, body }) => {
    const answer = await server.inject({
      method,
      url: path,
      headers: { ...headers },
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.statusCode, body: answer.body };
  };
}
