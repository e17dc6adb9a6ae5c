// SPDX-License-Identifier: Apache-2.0

import type { CandidatesRequest } from "./requests.ts";
import type { Page } from "./answers.ts";
import type { PageQuery } from "./client.ts";
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
  VmAnswer,
  VmCandidatesAnswer,
  VmItem,
} from "./control-answers.ts";
import type { AdoptionBody, ClaimBody, CordonBody, EnrolmentBody, ProbeBody, VmReference } from "./control-requests.ts";

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
  findVmCandidates(
    request: Omit<CandidatesRequest, "source" | "policy"> & { readonly source: VmReference },
  ): Promise<VmCandidatesAnswer>;
  claim(body: ClaimBody, options?: OrderOptions): Promise<ClaimDecisionAnswer>;
  listClaims(query?: ClaimQuery): Promise<Page<ClaimItem>>;
  readClaim(id: string): Promise<ClaimAnswer>;
  confirmClaim(id: string): Promise<ClaimAnswer>;
  releaseClaim(id: string): Promise<ClaimAnswer>;
  repairClaim(id: string): Promise<ClaimAnswer>;
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
