// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import type { AnswerName } from "./answer-schemas.ts";
import { CANDIDATES_REQUEST, CHECK_REQUEST } from "./requests.ts";

/** What a caller may do, least first; each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** A parameter of a query. Its text is read as the schema's type says. */
export interface Parameter {
  readonly schema: JsonSchema;
  readonly description: string;
}

/** One resource and method: what the server serves, the client calls and the OpenAPI document describes. */
export interface Endpoint {
  readonly method: "GET" | "POST";
  /** With `{name}` for each part that a caller fills in. */
  readonly path: string;
  readonly summary: string;
  /** Whom it serves; "anyone" needs no token. */
  readonly role: Role | "anyone";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: JsonSchema;
  readonly answer: EndpointAnswer;
}

/** What is answered with status 200. */
export type EndpointAnswer =
  | { readonly kind: "json"; readonly schema: AnswerName }
  | { readonly kind: "text"; readonly type: "text/plain" | "text/html" }
  /** Server-sent events; the data of each is a document of the schema. */
  | { readonly kind: "events"; readonly schema: AnswerName };

/** Entries of a page unless said, and at most. */
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1000;

const PAGED: Readonly<Record<string, Parameter>> = {
  limit: {
    schema: { type: "integer", minimum: 1, maximum: PAGE_MAX },
    description: `entries of a page, 1 to ${PAGE_MAX}; ${PAGE_DEFAULT} unless said`,
  },
  cursor: {
    schema: { type: "string", minLength: 1, maxLength: 2048 },
    description: "the `next` of the page before",
  },
};

const NAME: JsonSchema = { type: "string", minLength: 1, maxLength: 255 };
const OF_HOST = { ...PAGED, host: { schema: NAME, description: "entries of this host alone" } };

function list(path: string, answer: AnswerName, texts: { summary: string; query: Endpoint["query"] }): Endpoint {
  const { summary, query = {} } = texts;
  return { method: "GET", path, summary, role: "viewer", query, answer: { kind: "json", schema: answer } };
}

/** Names of all operations. */
export type OperationName =
  | "listHosts"
  | "readHost"
  | "listParents"
  | "listPools"
  | "listTypes"
  | "listDevices"
  | "readDevice"
  | "listClasses"
  | "listProblems"
  | "listCapacity"
  | "checkPair"
  | "findCandidates"
  | "followEvents"
  | "readHealth"
  | "readReadiness"
  | "readMetrics"
  | "readOpenApi"
  | "readDocs";

/** Every endpoint of version 1 by the name of its operation. */
export const ENDPOINTS: Readonly<Record<OperationName, Endpoint>> = {
  listHosts: list("/v1/hosts", "HostPage", { summary: "All hosts, sorted by name", query: PAGED }),
  readHost: list("/v1/hosts/{host}", "Host", { summary: "Everything that one host shows", query: {} }),
  listParents: list("/v1/parents", "ParentPage", {
    summary: "Parent devices, sorted by host and id",
    query: OF_HOST,
  }),
  listPools: list("/v1/pools", "PoolPage", {
    summary: "Pools with their law, their occupants and their room, sorted by host and owner",
    query: OF_HOST,
  }),
  listTypes: list("/v1/types", "TypePage", { summary: "Types that can be asked for, sorted by id", query: PAGED }),
  listDevices: list("/v1/devices", "DevicePage", {
    summary: "Devices that a VM can own, sorted by host and id",
    query: {
      ...OF_HOST,
      type: { schema: NAME, description: "devices of this type alone" },
      parent: { schema: NAME, description: "devices of this parent alone" },
    },
  }),
  readDevice: list("/v1/devices/{host}/{id}", "Device", { summary: "One device", query: {} }),
  listClasses: list("/v1/classes", "ClassPage", {
    summary: "Classes of destinations that every verdict treats alike, with how many places each has",
    query: PAGED,
  }),
  listProblems: list("/v1/problems", "ProblemPage", {
    summary: "What could not be read or cannot be true, sorted by host, path and code",
    query: OF_HOST,
  }),
  listCapacity: list("/v1/capacity", "CapacityPage", {
    summary: "How much of each type there is and how much more fits, sorted by type",
    query: PAGED,
  }),
  checkPair: {
    method: "POST",
    path: "/v1/checks",
    summary: "May this device move there? Both verdicts with every reason, and the room",
    role: "viewer",
    body: CHECK_REQUEST,
    answer: { kind: "json", schema: "Check" },
  },
  findCandidates: {
    method: "POST",
    path: "/v1/candidates",
    summary: "Where can a device go? The best places, and what becomes of all others",
    role: "viewer",
    body: CANDIDATES_REQUEST,
    answer: { kind: "json", schema: "Candidates" },
  },
  followEvents: {
    method: "GET",
    path: "/v1/events",
    summary: "Changes of the inventory as server-sent events, one message a revision; resumable by Last-Event-ID",
    role: "viewer",
    answer: { kind: "events", schema: "ChangeMessage" },
  },
  readHealth: {
    method: "GET",
    path: "/healthz",
    summary: "Whether the process answers",
    role: "anyone",
    answer: { kind: "json", schema: "Health" },
  },
  readReadiness: {
    method: "GET",
    path: "/readyz",
    summary: "Whether the inventory may be answered from; 503 where not",
    role: "anyone",
    answer: { kind: "json", schema: "Ready" },
  },
  readMetrics: {
    method: "GET",
    path: "/metrics",
    summary: "Figures in the text format of Prometheus",
    role: "viewer",
    answer: { kind: "text", type: "text/plain" },
  },
  readOpenApi: {
    method: "GET",
    path: "/openapi.json",
    summary: "This API as an OpenAPI 3.1 document",
    role: "anyone",
    answer: { kind: "json", schema: "OpenApi" },
  },
  readDocs: {
    method: "GET",
    path: "/docs",
    summary: "This API as a page to read",
    role: "anyone",
    answer: { kind: "text", type: "text/html" },
  },
};

/** All endpoints as one list, in the order of the documents. */
export const OPERATIONS: readonly (readonly [OperationName, Endpoint])[] = Object.entries(ENDPOINTS) as [
  OperationName,
  Endpoint,
][];

/** Names of the parts of a path that a caller fills in. */
export function pathNames(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
}
