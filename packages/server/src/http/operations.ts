// SPDX-License-Identifier: Apache-2.0

import type { FastifyReply, FastifyRequest } from "fastify";
import type { HealthAnswer, Page, ReadyAnswer } from "@berth/core/protocol/api/answers";
import { ENDPOINTS, type OperationName } from "@berth/core/protocol/api/endpoints";
import { formatOpenApi } from "@berth/core/protocol/api/openapi";
import type { CandidatesRequest, CheckRequest } from "@berth/core/protocol/api/requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { EventStreams } from "./event-streams.ts";
import { formatHost, listDevices, listHosts, listParents, listPools, listProblems } from "./list-answers.ts";
import type { Metrics } from "./metrics.ts";
import { formatApiPage, PAGE_POLICY } from "./openapi-page.ts";
import { cutPage, type Listed } from "./page.ts";
import { answerCandidates, answerCheck, requireHost } from "./question-answers.ts";
import { parseQuery, requireBody } from "./request-parts.ts";
import { FleetSums } from "./sum-answers.ts";

/** Answers one request: with the value to send, or by sending it. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** What the operations read. */
export interface Served {
  readonly view: FleetView;
  readonly version: string;
  readonly lagSeconds: () => number | undefined;
  readonly streams: EventStreams;
  readonly metrics: Metrics;
}

/** An inventory that is further behind is not ready: a balancer asks another server. */
const LAG_MAX_SECONDS = 5;

type Query = Readonly<Record<string, string | number>>;
type PathParts = Readonly<Record<string, string>>;

/** The handler of every operation. */
export function makeHandlers(served: Served): Readonly<Record<OperationName, Handler>> {
  const { view } = served;
  const sums = new FleetSums(view);
  const page = <T>(name: OperationName, list: (query: Query) => Listed<T>): Handler => {
    return (request) => answerPage(view, name, { query: request.query, list });
  };
  return {
    listHosts: page("listHosts", () => listHosts(view)),
    readHost: (request) => formatHost(view, requireHost(view, partsOf(request)["host"] ?? "", "host")),
    listParents: page("listParents", ({ host }) => listParents(view, textOf(host))),
    listPools: page("listPools", ({ host }) => listPools(view, textOf(host))),
    listTypes: page("listTypes", () => sums.listTypes()),
    listDevices: page("listDevices", (query) => listDevices(view, query)),
    readDevice: (request) => answerDevice(view, partsOf(request)),
    listClasses: page("listClasses", () => sums.listClasses()),
    listProblems: page("listProblems", ({ host }) => listProblems(view, textOf(host))),
    listCapacity: page("listCapacity", () => sums.listCapacity()),
    checkPair: ({ body }) => {
      requireBody(ENDPOINTS.checkPair, body);
      return answerCheck(view, body as CheckRequest);
    },
    findCandidates: ({ body }) => {
      requireBody(ENDPOINTS.findCandidates, body);
      return answerCandidates(view, body as CandidatesRequest);
    },
    ...makeOperatorHandlers(served),
  };
}

type OperatorName = "followEvents" | "readHealth" | "readReadiness" | "readMetrics" | "readOpenApi" | "readDocs";

/** What serves whoever runs the server, rather than asks it. */
function makeOperatorHandlers(served: Served): Readonly<Record<OperatorName, Handler>> {
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

function answerPage<T>(
  view: FleetView,
  name: OperationName,
  asked: { readonly query: unknown; readonly list: (query: Query) => Listed<T> },
): Page<T> {
  const query = parseQuery(ENDPOINTS[name], asked.query);
  const host = textOf(query["host"]);
  if (host !== undefined) requireHost(view, host, "host");
  const { limit, cursor } = query;
  const request = {
    list: name,
    ...(typeof limit === "number" ? { limit } : {}),
    ...(typeof cursor === "string" ? { cursor } : {}),
  };
  return cutPage(view.generation, asked.list(query), request);
}

function answerDevice(view: FleetView, { host = "", id = "" }: PathParts): unknown {
  const { snapshot } = requireHost(view, host, "host").host;
  const device = snapshot.devices.find((one) => one.id === id.toLowerCase());
  if (device !== undefined) return { generation: view.generation, device: { host, ...device } };
  throw new BerthError(
    "unknown_device",
    `Host ${JSON.stringify(host)} has no device ${JSON.stringify(id.slice(0, 80))}`,
    {
      place: "id",
      expected: "a device that GET /v1/devices lists",
    },
  );
}

function partsOf(request: FastifyRequest): PathParts {
  return request.params as PathParts;
}

function textOf(value: string | number | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
