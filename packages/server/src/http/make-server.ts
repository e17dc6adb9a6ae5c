// SPDX-License-Identifier: Apache-2.0

import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from "fastify";
import { OPERATIONS, type Endpoint } from "@berth/core/protocol/api/endpoints";
import { parseJsonText } from "@berth/core/protocol/json-text";
import type { TokenList } from "../access/tokens.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import { EventStreams, type StreamLimits } from "./event-streams.ts";
import { addFailures, answerBrokenRequest, sendFailure } from "./failures.ts";
import { addSecurityHeaders, admit, SECURITY_HEADERS } from "./guard.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { makeHandlers, type Handler } from "./operations.ts";

/** What the read API is served from. */
export interface ApiServerOptions {
  readonly view: FleetView;
  readonly version: string;
  /** The tokens in force, asked for with every request; undefined: none, and only this machine may be served. */
  readonly tokens: () => TokenList | undefined;
  /** Seconds that the inventory is behind: 0 while hosts are read when they should be; undefined: none was ever read. */
  readonly lagSeconds: () => number | undefined;
  readonly streams?: StreamLimits;
  /** Where the log goes; nowhere unless said. */
  readonly logger?: FastifyServerOptions["logger"];
}

/** Largest body of a request. */
export const BODY_MAX: number = 1024 * 1024;
/** Largest header fields of a request, together. */
const HEADERS_MAX = 16 * 1024;
/** A request must have arrived by then. */
const REQUEST_MS = 10_000;

/**
 * A server of the read API that does not listen yet: `listen` it, or call it in-process with `inject`. Closing it ends its
 * event streams first.
 */
export function makeApiServer(options: ApiServerOptions): FastifyInstance {
  const server = Fastify({
    logger: options.logger ?? false,
    bodyLimit: BODY_MAX,
    requestTimeout: REQUEST_MS,
    http: { maxHeaderSize: HEADERS_MAX, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 },
    routerOptions: { maxParamLength: 1024 },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      void sendFailure(error, request, reply.headers(SECURITY_HEADERS));
    },
  });
  const streams = new EventStreams(options.view.feed, options.streams);
  const metrics = createMetrics(options);
  addSecurityHeaders(server);
  addFailures(server);
  readJsonBodies(server);
  server.addHook("preClose", async () => streams.close());
  server.setValidatorCompiler(() => () => true);
  // Answers are plain data: infinity becomes null, as the schemas say.
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
  server.setReplySerializer((value) => JSON.stringify(value));
  const handlers = makeHandlers({ ...options, streams, metrics });
  for (const [name, endpoint] of OPERATIONS) {
    addRoute(server, { name, endpoint, handler: handlers[name], tokens: options.tokens, metrics });
  }
  return server;
}

/** JSON is read by the same strict reader as files: one error for each mistake, no `__proto__`, no key twice. */
function readJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, parseJsonText(String(body), "body"));
    } catch (error) {
      done(error as Error);
    }
  });
}

interface Route {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly handler: Handler;
  readonly tokens: ApiServerOptions["tokens"];
  readonly metrics: Metrics;
}

function addRoute(server: FastifyInstance, { name, endpoint, handler, tokens, metrics }: Route): void {
  server.route({
    method: endpoint.method,
    url: endpoint.path.replace(/\{(\w+)\}/g, ":$1"),
    onRequest: async (request) => admit(request, endpoint.role, tokens()),
    onResponse: async (_request, reply) => {
      metrics.requests.inc({ operation: name, status: String(reply.statusCode) });
      if (endpoint.answer.kind !== "events") metrics.seconds.observe({ operation: name }, reply.elapsedTime / 1000);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => handler(request, reply),
  });
}
