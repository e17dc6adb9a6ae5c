// SPDX-License-Identifier: Apache-2.0

import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from "fastify";
import { BODY_MAX_BYTES, type Endpoint } from "@berth/core/protocol/api/endpoint";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { parseJsonText } from "@berth/core/protocol/json-text";
import type { TokenList } from "../access/tokens.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Control } from "./control.ts";
import { DeviceCensus } from "./device-census.ts";
import { EventStreams, type StreamLimits } from "./event-streams.ts";
import { addFailures, answerBrokenRequest, sendFailure } from "./failures.ts";
import { addSecurityHeaders, admit, SECURITY_HEADERS, type Gate } from "./guard.ts";
import { SERVER_LIMITS, Throttle, type ServerLimits } from "./limits.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { makeHandlers } from "./operations.ts";
import type { Handler } from "./served.ts";
import { Waits } from "./waits.ts";

/** A certificate chain and its key, as PEM texts. */
export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
}

/** What the API is served from. */
export interface ApiServerOptions {
  readonly view: FleetView;
  /** What orders go to; absent: every order is answered with `read_only_server`. */
  readonly control?: Control;
  readonly version: string;
  /** The tokens in force, asked for with every request; undefined: none, and only this machine may be served. */
  readonly tokens: () => TokenList | undefined;
  /**
   * Seconds that the inventory is behind: 0 while hosts are read when they should be; undefined: none was ever read. That
   * of the control plane's replica unless said.
   */
  readonly lagSeconds?: () => number | undefined;
  /** Absent: plain HTTP, for this machine or behind a proxy. */
  readonly tls?: TlsOptions;
  readonly streams?: StreamLimits;
  /** Those that are not given are `SERVER_LIMITS`. */
  readonly limits?: Partial<ServerLimits>;
  /** Any clock in milliseconds, that rates and counts go by; one that cannot be set unless said. */
  readonly now?: () => number;
  /** Where the log goes; nowhere unless said. */
  readonly logger?: FastifyServerOptions["logger"];
}

/** Largest header fields of a request, together. */
const HEADERS_MAX = 16 * 1024;
/** How often it is looked for requests that do not arrive. */
const CHECK_MS = 1000;

/**
 * A server of the API that does not listen yet: `listen` it, or call it in-process with `inject`. Closing it ends its event
 * streams and waits first; the control plane is the caller's to close.
 */
export function makeApiServer(options: ApiServerOptions): FastifyInstance {
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const now = options.now ?? ((): number => performance.now());
  const server = openServer(options, limits);
  const { view, control, version, tokens } = options;
  const lagSeconds = options.lagSeconds ?? ((): number | undefined => control?.replica.lagSeconds());
  const streams = new EventStreams(view.feed, options.streams);
  const waits = new Waits(limits.waits);
  const throttle = new Throttle(limits, now);
  const metrics = createMetrics({ view, control, lagSeconds, census: new DeviceCensus(view, now) });
  server.decorateRequest("principal", "");
  server.decorateRequest("bodyText", "");
  addSecurityHeaders(server);
  addFailures(server);
  readJsonBodies(server);
  server.addHook("preClose", async () => {
    streams.close();
    waits.close();
  });
  server.setValidatorCompiler(() => () => true);
  // Answers are plain data: infinity becomes null, as the schemas say.
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
  server.setReplySerializer((value) => JSON.stringify(value));
  const handlers = makeHandlers({ view, control, version, lagSeconds, streams, waits, throttle, limits, metrics });
  const gate: Gate = { tokens, throttle, control };
  for (const [name, endpoint] of OPERATIONS) {
    addRoute(server, { name, endpoint, handler: handlers[name], gate, metrics });
  }
  return server;
}

function openServer({ logger, tls }: ApiServerOptions, { requestMs, idleMs }: ServerLimits): FastifyInstance {
  const checkMs = Math.min(CHECK_MS, requestMs / 2);
  const http = { maxHeaderSize: HEADERS_MAX, headersTimeout: requestMs, connectionsCheckingInterval: checkMs };
  const common = {
    logger: logger ?? false,
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: requestMs,
    connectionTimeout: idleMs,
    routerOptions: { maxParamLength: 1024 },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
      void sendFailure(error, request, reply.headers(SECURITY_HEADERS));
    },
  };
  if (tls === undefined) return Fastify({ ...common, http });
  const times = { requestTimeout: requestMs, handshakeTimeout: requestMs };
  const https = { ...http, ...times, cert: tls.cert, key: tls.key, minVersion: "TLSv1.2" } as const;
  // Handlers see no difference: what a server is typed by is its socket alone.
  return Fastify({ ...common, https }) as unknown as FastifyInstance;
}

/** JSON is read by the same strict reader as files: one error for each mistake, no `__proto__`, no key twice. */
function readJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    try {
      const text = String(body);
      request.bodyText = text;
      done(null, text === "" ? undefined : parseJsonText(text, "body"));
    } catch (error) {
      done(error as Error);
    }
  });
}

interface Route {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly handler: Handler;
  readonly gate: Gate;
  readonly metrics: Metrics;
}

function addRoute(server: FastifyInstance, { name, endpoint, handler, gate, metrics }: Route): void {
  const isTimed = endpoint.answer.kind === "json" && name !== "readDesired";
  server.route({
    method: endpoint.method,
    url: endpoint.path.replace(/\{(\w+)\}/g, ":$1"),
    bodyLimit: endpoint.bodyMax ?? BODY_MAX_BYTES,
    onRequest: async (request) => {
      request.principal = admit(request, endpoint.role, gate);
    },
    onResponse: async (_request, reply) => {
      metrics.requests.inc({ operation: name, status: String(reply.statusCode) });
      if (isTimed) metrics.seconds.observe({ operation: name }, reply.elapsedTime / 1000);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => handler(request, reply),
  });
}
