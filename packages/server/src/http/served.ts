// SPDX-License-Identifier: Apache-2.0

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Page } from "@berth/core/protocol/api/answers";
import { ENDPOINTS, type OperationName } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { FleetView } from "../inventory/fleet-view.ts";
import type { Control } from "./control.ts";
import type { EventStreams } from "./event-streams.ts";
import type { ServerLimits, Throttle } from "./limits.ts";
import type { Metrics } from "./metrics.ts";
import { cutPage, type Listed } from "./page.ts";
import { parseQuery, textOf, type Query } from "./request-parts.ts";
import type { Waits } from "./waits.ts";

/** Answers one request: with the value to send, or by sending it. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** What the operations read and write. */
export interface Served {
  readonly view: FleetView;
  /** Absent: nothing can be ordered. */
  readonly control: Control | undefined;
  readonly version: string;
  readonly lagSeconds: () => number | undefined;
  readonly streams: EventStreams;
  readonly waits: Waits;
  readonly throttle: Throttle;
  readonly limits: ServerLimits;
  readonly metrics: Metrics;
}

/** Makes the handler of an operation that lists something. */
export function pageHandler<T>(served: Served, name: OperationName, list: (query: Query) => Listed<T>): Handler {
  return (request): Page<T> => {
    const query = parseQuery(ENDPOINTS[name], request.query);
    const host = textOf(query["host"]);
    if (host !== undefined) requireKnownHost(served, host, "host");
    const { limit, cursor } = query;
    return cutPage(served.view.generation, list(query), {
      list: name,
      ...(typeof limit === "number" ? { limit } : {}),
      ...(typeof cursor === "string" ? { cursor } : {}),
    });
  };
}

/** Refuses a host of which there is neither an inventory nor any document. Throws BerthError `unknown_host`. */
export function requireKnownHost({ view, control }: Served, host: string, place: string): void {
  if (view.findHost(host) === undefined && control?.replica.findHost(host) === undefined)
    throw unknownHost(host, place);
}

/** The coded error for a host that is not there. */
export function unknownHost(host: string, place: string): BerthError {
  return new BerthError("unknown_host", `There is no host ${quote(host)} in the inventory`, {
    place,
    expected: "a host that GET /v1/hosts lists",
  });
}

/** A text as an error quotes it, shortened. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
