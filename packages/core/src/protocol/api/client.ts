// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "../berth-error.ts";
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
import { ENDPOINTS, PAGE_MAX, type Endpoint } from "./endpoints.ts";
import type { CandidatesRequest, CheckRequest } from "./requests.ts";

/** A request as any transport can send it. */
export interface ApiRequest {
  readonly method: "GET" | "POST";
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
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
  findCandidates(request: CandidatesRequest): Promise<CandidatesAnswer>;
  /** Not being ready is an answer, not an error. */
  readReadiness(): Promise<ReadyAnswer>;
}

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
    findCandidates: (body) => call(ENDPOINTS.findCandidates, { body }),
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
interface Filled {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: object;
  /** A status besides 200 that carries the answer itself. */
  readonly alsoFine?: number;
}

interface Transport {
  readonly fetchLike: FetchLike;
  readonly token: string | undefined;
}

async function callEndpoint<T>({ fetchLike, token }: Transport, endpoint: Endpoint, filled: Filled): Promise<T> {
  const path = formatTarget(endpoint, filled);
  const { status, body } = await fetchLike({
    method: endpoint.method,
    path,
    headers: {
      accept: "application/json",
      ...(filled.body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(filled.body === undefined ? {} : { body: JSON.stringify(filled.body) }),
  });
  const answer = parseAnswer(body);
  if ((status === 200 || status === filled.alsoFine) && typeof answer === "object" && answer !== null) {
    return answer as T;
  }
  throw parseErrorAnswer(answer, { status, place: `${endpoint.method} ${path}` });
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
