// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "../berth-error.ts";
import { findProblems, formatProblem } from "../validate-document.ts";
import type {
  CandidatesAnswer,
  CapacityItem,
  CheckAnswer,
  ClassItem,
  DeviceAnswer,
  DeviceItem,
  HostAnswer,
  HostItem,
  Page,
  ParentItem,
  PoolItem,
  ProblemItem,
  ReadyAnswer,
  TypeItem,
} from "./answers.ts";
import { parseErrorAnswer } from "./api-error.ts";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { PAGE_MAX, type Endpoint } from "./endpoint.ts";
import { ENDPOINTS } from "./endpoints.ts";
import type { CheckRequest, DeviceCandidatesRequest } from "./requests.ts";

/** What ends a wait, by the type that the environment has for it: core itself names no environment. */
export type Signal = typeof globalThis extends { AbortSignal: { prototype: infer Found } }
  ? Found
  : { readonly aborted: boolean };

/** A request as any transport can send it. */
export interface ApiRequest {
  readonly method: "GET" | "POST";
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the request: the transport rejects with the signal's reason. */
  readonly signal?: Signal;
  /** How long the transport waits for the whole answer; its own limit unless said. */
  readonly timeoutMs?: number;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: string;
}

/** Sends one request: over a network, or straight into a server of the same process. Rejects where nothing answers. */
export type FetchLike = (request: ApiRequest) => Promise<ApiResponse>;

/** What may be asked of a page. */
export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}
export interface HostQuery extends PageQuery {
  readonly host?: string;
}
export interface DeviceQuery extends HostQuery {
  readonly type?: string;
  readonly parent?: string;
}

/** The read side of the API. Every call throws BerthError with the server's code where the answer is an error. */
export interface ApiClient {
  listHosts(query?: PageQuery): Promise<Page<HostItem>>;
  readHost(host: string): Promise<HostAnswer>;
  listParents(query?: HostQuery): Promise<Page<ParentItem>>;
  listPools(query?: HostQuery): Promise<Page<PoolItem>>;
  listTypes(query?: PageQuery): Promise<Page<TypeItem>>;
  listDevices(query?: DeviceQuery): Promise<Page<DeviceItem>>;
  readDevice(host: string, id: string): Promise<DeviceAnswer>;
  listClasses(query?: PageQuery): Promise<Page<ClassItem>>;
  listProblems(query?: HostQuery): Promise<Page<ProblemItem>>;
  listCapacity(query?: PageQuery): Promise<Page<CapacityItem>>;
  checkPair(request: CheckRequest): Promise<CheckAnswer>;
  findCandidates(request: DeviceCandidatesRequest): Promise<CandidatesAnswer>;
  /** Not being ready is an answer, not an error. */
  readReadiness(): Promise<ReadyAnswer>;
}

/** What is asked for a device or a profile is not answered as for a VM. */
const FIND_DEVICE_CANDIDATES: Endpoint = {
  ...ENDPOINTS.findCandidates,
  answer: { kind: "json", schema: "Candidates" },
};

/** A client over a transport. The token, where one is given, goes with every request. */
export function makeClient(fetchLike: FetchLike, options: { readonly token?: string } = {}): ApiClient {
  const call = <T>(endpoint: Endpoint, filled: Filled = {}): Promise<T> =>
    callEndpoint({ fetchLike, token: options.token }, endpoint, filled);
  return {
    listHosts: (query = {}) => call(ENDPOINTS.listHosts, { query: { ...query } }),
    readHost: (host) => call(ENDPOINTS.readHost, { path: { host } }),
    listParents: (query = {}) => call(ENDPOINTS.listParents, { query: { ...query } }),
    listPools: (query = {}) => call(ENDPOINTS.listPools, { query: { ...query } }),
    listTypes: (query = {}) => call(ENDPOINTS.listTypes, { query: { ...query } }),
    listDevices: (query = {}) => call(ENDPOINTS.listDevices, { query: { ...query } }),
    readDevice: (host, id) => call(ENDPOINTS.readDevice, { path: { host, id } }),
    listClasses: (query = {}) => call(ENDPOINTS.listClasses, { query: { ...query } }),
    listProblems: (query = {}) => call(ENDPOINTS.listProblems, { query: { ...query } }),
    listCapacity: (query = {}) => call(ENDPOINTS.listCapacity, { query: { ...query } }),
    checkPair: (body) => call(ENDPOINTS.checkPair, { body }),
    findCandidates: (body) => call(FIND_DEVICE_CANDIDATES, { body }),
    readReadiness: () => call(ENDPOINTS.readReadiness, { alsoFine: 503 }),
  };
}

/** Most pages of one list: a server that never ends its list is at fault. */
const PAGES_MAX = 10_000;

/** All entries of a list, page after page, in its order, as one page; its generation is the last one's. */
export async function readAllPages<T>(read: (query: PageQuery) => Promise<Page<T>>): Promise<Page<T>> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: Page<T> = await read({ limit: PAGE_MAX, ...(cursor === undefined ? {} : { cursor }) });
    for (const item of answer.items) items.push(item);
    cursor = answer.next;
    if (cursor === undefined) return { generation: answer.generation, items };
  }
  throw new BerthError("server_answer_malformed", `A list has more than ${PAGES_MAX} pages`, { expected: "an end" });
}

/** What a caller puts into an endpoint. */
export interface Filled extends Pick<ApiRequest, "signal" | "timeoutMs"> {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  readonly headers?: ApiRequest["headers"];
  /** A status besides 200 that carries the answer itself. */
  readonly alsoFine?: number;
}

/** How a server is reached, and as whom. */
export interface Transport {
  readonly fetchLike: FetchLike;
  readonly token: string | undefined;
}

/**
 * Calls one endpoint. Throws BerthError with the server's code, or `server_answer_malformed` where the answer is not what
 * the endpoint's schema says; keys that the schema does not name pass.
 */
export async function callEndpoint<T>(transport: Transport, endpoint: Endpoint, filled: Filled): Promise<T> {
  const { fetchLike, token } = transport;
  const { signal, timeoutMs } = filled;
  const path = formatTarget(endpoint, filled);
  const { status, body } = await fetchLike({
    method: endpoint.method,
    path,
    headers: {
      accept: "application/json",
      ...(filled.body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...filled.headers,
    },
    ...(filled.body === undefined ? {} : { body: JSON.stringify(filled.body) }),
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const answer = parseAnswer(body);
  const place = `${endpoint.method} ${path}`;
  if (status !== 200 && status !== filled.alsoFine) throw parseErrorAnswer(answer, { status, place });
  requireAnswer(endpoint, answer, place);
  return answer as T;
}

function requireAnswer({ answer: wanted }: Endpoint, answer: unknown, place: string): void {
  if (wanted.kind !== "json") return;
  const problems = findProblems(ANSWER_SCHEMAS[wanted.schema], answer);
  if (problems.length === 0) return;
  if (wanted.also !== undefined && findProblems(ANSWER_SCHEMAS[wanted.also], answer).length === 0) return;
  throw new BerthError("server_answer_malformed", `${place} answered what is no ${wanted.schema} of this API`, {
    place,
    expected: "an answer of Berth's API, version 1",
    details: problems.slice(0, 20).map(formatProblem),
  });
}

/** Path and query of a call, every part percent-encoded. */
export function formatTarget(endpoint: Endpoint, filled: Pick<Filled, "path" | "query">): string {
  const { path = {}, query = {} } = filled;
  const target = endpoint.path.replace(/\{(\w+)\}/g, (_whole, name: string) => encode(path[name] ?? ""));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encode(String(value))}`],
  );
  return pairs.length === 0 ? target : `${target}?${pairs.join("&")}`;
}

/** Undefined where the text is no JSON: then it is no answer of this API either. */
function parseAnswer(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** Percent-encodes a text; a lone surrogate becomes the replacement character. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
