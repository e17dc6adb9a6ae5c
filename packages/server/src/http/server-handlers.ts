// SPDX-License-Identifier: Apache-2.0

import type { HealthAnswer, ReadyAnswer } from "@berth/core/protocol/api/answers";
import { ENDPOINTS } from "@berth/core/protocol/api/endpoints";
import { formatOpenApi } from "@berth/core/protocol/api/openapi";
import { formatApiPage, PAGE_POLICY } from "./openapi-page.ts";
import { parseQuery } from "./request-parts.ts";
import type { Handler, Served } from "./served.ts";

type ServerOperationName = "followEvents" | "readHealth" | "readReadiness" | "readMetrics" | "readOpenApi" | "readDocs";

/** An inventory that is further behind is not ready: a balancer asks another server. */
const LAG_MAX_SECONDS = 5;

/** What serves whoever runs the server, and whoever follows what changes. */
export function makeServerHandlers(served: Served): Readonly<Record<ServerOperationName, Handler>> {
  const { metrics, streams, version } = served;
  const openApi = formatOpenApi(version);
  const docs = formatApiPage(version);
  return {
    followEvents: (request, reply) => {
      parseQuery(ENDPOINTS.followEvents, request.query);
      const last = request.headers["last-event-id"];
      const stream = streams.open(typeof last === "string" && last !== "" ? last : undefined);
      // The answer's own buffer is left to the connection: what waits is counted where it is made.
      return reply.header("x-accel-buffering", "no").type("text/event-stream; charset=utf-8").send(stream);
    },
    readHealth: (): HealthAnswer => ({ status: "ok" }),
    readReadiness: (_request, reply) => {
      const answer = readReadiness(served);
      return reply.status(answer.status === "ready" ? 200 : 503).send(answer);
    },
    readMetrics: async (_request, reply) => {
      metrics.streams.set(streams.size);
      metrics.waits.set(served.waits.size);
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
    readOpenApi: () => openApi,
    readDocs: (_request, reply) => {
      return reply.header("content-security-policy", PAGE_POLICY).type("text/html; charset=utf-8").send(docs);
    },
  };
}

function readReadiness({ view, lagSeconds }: Served): ReadyAnswer {
  const lag = lagSeconds();
  const isReady = lag !== undefined && lag <= LAG_MAX_SECONDS;
  return { status: isReady ? "ready" : "not-ready", lagSeconds: lag ?? null, hosts: view.hostNames.length };
}
