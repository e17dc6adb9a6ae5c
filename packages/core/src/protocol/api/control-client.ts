// SPDX-License-Identifier: Apache-2.0

import type { CandidatesRequest } from "./requests.ts";
import type { Page } from "./answers.ts";
import { callEndpoint, type FetchLike, type Filled, type PageQuery } from "./client.ts";
import type {
  AdoptionItem,
  AgentItem,
  AuditItem,
  ClaimAnswer,
  ClaimDecisionAnswer,
  ClaimItem,
  DoneAnswer,
  EnrolmentAnswer,
  ProbeAnswer,
  ProbeItem,
  TextAnswer,
  VmAnswer,
  VmCandidatesAnswer,
  VmItem,
} from "./control-answers.ts";
import { KEY_HEADER, type Endpoint } from "./endpoint.ts";
import { ENDPOINTS } from "./endpoints.ts";
import type {
  AdoptionBody,
  ClaimBody,
  CommitBody,
  CordonBody,
  EnrolmentBody,
  ProbeBody,
  VmReference,
} from "./control-requests.ts";

/** How an order is sent. */
export interface OrderOptions {
  /** The same order with the same key is carried out once; absent: a fresh one is drawn. */
  readonly idempotencyKey?: string;
}

export interface ClaimQuery extends PageQuery {
  readonly host?: string;
  /** A state of docs/claims.md, or `open`: all that hold room. */
  readonly state?: string;
}

/** The part of the API that holds places and steers hosts. Every call throws BerthError with the server's code. */
export interface ControlClient {
  listVms(query?: PageQuery & { readonly host?: string }): Promise<Page<VmItem>>;
  readVm(host: string, id: string): Promise<VmAnswer>;
  readText(host: string, path: string): Promise<TextAnswer>;
  findVmCandidates(
    request: Omit<CandidatesRequest, "source" | "policy"> & { readonly source: VmReference },
  ): Promise<VmCandidatesAnswer>;
  claim(body: ClaimBody, options?: OrderOptions): Promise<ClaimDecisionAnswer>;
  listClaims(query?: ClaimQuery): Promise<Page<ClaimItem>>;
  readClaim(id: string): Promise<ClaimAnswer>;
  confirmClaim(id: string): Promise<ClaimAnswer>;
  releaseClaim(id: string): Promise<ClaimAnswer>;
  repairClaim(id: string): Promise<ClaimAnswer>;
  commitClaim(id: string, body?: CommitBody): Promise<ClaimAnswer>;
  clearOrphans(host: string, claim: string): Promise<ClaimAnswer>;
  cordonHost(host: string, body?: CordonBody): Promise<DoneAnswer>;
  uncordonHost(host: string): Promise<DoneAnswer>;
  fenceHost(host: string): Promise<DoneAnswer>;
  forgetHost(host: string): Promise<DoneAnswer>;
  adopt(body: AdoptionBody): Promise<DoneAnswer>;
  disown(body: AdoptionBody): Promise<DoneAnswer>;
  listAdoptions(query?: PageQuery): Promise<Page<AdoptionItem>>;
  probe(body: ProbeBody): Promise<ProbeAnswer>;
  listProbes(query?: PageQuery): Promise<Page<ProbeItem>>;
  readProbe(id: string): Promise<ProbeAnswer>;
  listAgents(query?: PageQuery): Promise<Page<AgentItem>>;
  makeEnrolment(body: EnrolmentBody): Promise<EnrolmentAnswer>;
  revokeAgent(host: string): Promise<DoneAnswer>;
  listAudit(query?: PageQuery & { readonly day?: string }): Promise<Page<AuditItem>>;
}

/** What is asked for a VM is not answered as for a device. */
const FIND_VM_CANDIDATES: Endpoint = {
  ...ENDPOINTS.findCandidates,
  answer: { kind: "json", schema: "VmCandidates" },
};

/** What a control client is made with. */
export interface ControlClientOptions {
  readonly token?: string;
  /** Draws a fresh idempotency key; absent: an order without a key of the caller's is sent without one. */
  readonly newKey?: () => string;
}

/** A client over a transport. The token, where one is given, goes with every request. */
export function makeControlClient(fetchLike: FetchLike, options: ControlClientOptions = {}): ControlClient {
  const call: Call = (endpoint, filled = {}) => callEndpoint({ fetchLike, token: options.token }, endpoint, filled);
  return { ...makeClaimCalls(call, options.newKey), ...makeHostCalls(call) };
}

type Call = <T>(endpoint: Endpoint, filled?: Filled) => Promise<T>;

type ClaimCall = Extract<keyof ControlClient, "claim" | "probe" | `${string}${"Vm" | "Claim" | "Probe"}${string}`>;

function makeClaimCalls(call: Call, newKey: (() => string) | undefined): Pick<ControlClient, ClaimCall> {
  const keyed = (key: string | undefined): Pick<Filled, "headers"> =>
    key === undefined ? {} : { headers: { [KEY_HEADER]: key } };
  return {
    listVms: (query = {}) => call(ENDPOINTS.listVms, { query: { ...query } }),
    readVm: (host, id) => call(ENDPOINTS.readVm, { path: { host, id } }),
    findVmCandidates: (body) => call(FIND_VM_CANDIDATES, { body }),
    claim: (body, options = {}) =>
      call(ENDPOINTS.createClaim, { body, ...keyed(options.idempotencyKey ?? newKey?.()) }),
    listClaims: (query = {}) => call(ENDPOINTS.listClaims, { query: { ...query } }),
    readClaim: (id) => call(ENDPOINTS.readClaim, { path: { id } }),
    confirmClaim: (id) => call(ENDPOINTS.confirmClaim, { path: { id } }),
    releaseClaim: (id) => call(ENDPOINTS.releaseClaim, { path: { id } }),
    repairClaim: (id) => call(ENDPOINTS.repairClaim, { path: { id } }),
    commitClaim: (id, body = {}) => call(ENDPOINTS.commitClaim, { path: { id }, body }),
    probe: (body) => call(ENDPOINTS.createProbe, { body }),
    listProbes: (query = {}) => call(ENDPOINTS.listProbes, { query: { ...query } }),
    readProbe: (id) => call(ENDPOINTS.readProbe, { path: { id } }),
  };
}

function makeHostCalls(call: Call): Omit<ControlClient, ClaimCall> {
  return {
    clearOrphans: (host, id) => call(ENDPOINTS.clearOrphans, { path: { host, id } }),
    readText: (host, path) => call(ENDPOINTS.readText, { path: { host }, query: { path } }),
    cordonHost: (host, body = {}) => call(ENDPOINTS.cordonHost, { path: { host }, body }),
    uncordonHost: (host) => call(ENDPOINTS.uncordonHost, { path: { host } }),
    fenceHost: (host) => call(ENDPOINTS.fenceHost, { path: { host } }),
    forgetHost: (host) => call(ENDPOINTS.forgetHost, { path: { host } }),
    adopt: (body) => call(ENDPOINTS.adopt, { body }),
    disown: (body) => call(ENDPOINTS.disown, { body }),
    listAdoptions: (query = {}) => call(ENDPOINTS.listAdoptions, { query: { ...query } }),
    listAgents: (query = {}) => call(ENDPOINTS.listAgents, { query: { ...query } }),
    makeEnrolment: (body) => call(ENDPOINTS.createEnrolment, { body }),
    revokeAgent: (host) => call(ENDPOINTS.revokeAgent, { path: { host } }),
    listAudit: (query = {}) => call(ENDPOINTS.listAudit, { query: { ...query } }),
  };
}
