// SPDX-License-Identifier: Apache-2.0

import { CLAIM_STATES } from "../../claim/claim-state.ts";
import {
  ADOPTION_REQUEST,
  CLAIM_REQUEST,
  COMMIT_REQUEST,
  CORDON_REQUEST,
  ENROLMENT_REQUEST,
  PROBE_REQUEST,
} from "./control-request-schemas.ts";
import { NAME, OF_HOST, ordering, PAGED, reading, type Endpoint } from "./endpoint.ts";

/** Names of the operations on claims and probes. */
type ClaimOperationName =
  | "createClaim"
  | "listClaims"
  | "readClaim"
  | "confirmClaim"
  | "releaseClaim"
  | "repairClaim"
  | "commitClaim"
  | "clearOrphans"
  | "createProbe"
  | "listProbes"
  | "readProbe";

/** Names of the operations on hosts, on what was handed over, on agents, and on what is kept. */
type HostOperationName =
  | "cordonHost"
  | "uncordonHost"
  | "fenceHost"
  | "forgetHost"
  | "adopt"
  | "listAdoptions"
  | "disown"
  | "createEnrolment"
  | "listAgents"
  | "revokeAgent"
  | "listAudit"
  | "downloadBackup";

/** Names of the operations that hold places and steer hosts. */
export type ControlOperationName = ClaimOperationName | HostOperationName;

const CLAIM_ENDPOINTS: Readonly<Record<ClaimOperationName, Endpoint>> = {
  createClaim: ordering("/v1/claims", "ClaimDecision", {
    summary: "Holds places for a device or for all devices of a VM: granted, or everything that is in the way",
    body: CLAIM_REQUEST,
    takesKey: true,
    errors: [
      "claim_contended",
      "idempotency_key_malformed",
      "idempotency_mismatch",
      "ledger_full",
      "profile_malformed",
      "read_only_server",
      "unknown_device",
      "unknown_host",
      "unknown_vm",
      "vm_without_devices",
    ],
  }),
  listClaims: reading("/v1/claims", "ClaimPage", {
    summary: "Claims, sorted by id, which is by the time they were made",
    query: {
      ...OF_HOST,
      state: {
        schema: { type: "string", enum: [...CLAIM_STATES, "open"] },
        description: "claims in this state alone; `open`: all that hold room",
      },
    },
    errors: ["unknown_host"],
  }),
  readClaim: reading("/v1/claims/{id}", "Claim", { summary: "One claim", errors: ["unknown_claim"] }),
  confirmClaim: ordering("/v1/claims/{id}/confirm", "Claim", {
    summary: "Has the devices of a held claim made",
    errors: ["claim_ended", "claim_state", "read_only_server", "unknown_claim"],
  }),
  releaseClaim: ordering("/v1/claims/{id}/release", "Claim", {
    summary: "Gives the place of a claim back; what was made for it is removed",
    errors: ["claim_in_use", "read_only_server", "unknown_claim"],
  }),
  repairClaim: ordering("/v1/claims/{id}/repair", "Claim", {
    summary: "Has devices of a claim that have drifted made anew",
    errors: ["claim_state", "read_only_server", "unknown_claim"],
  }),
  commitClaim: ordering("/v1/claims/{id}/commit", "Claim", {
    summary:
      "Commits a move that has ended well: the place becomes the VM's own, and the one that it left is given back",
    body: COMMIT_REQUEST,
    bodyMayLack: true,
    errors: ["claim_contended", "ledger_full", "read_only_server", "swap_mismatch", "swap_state", "unknown_claim"],
  }),
  clearOrphans: ordering("/v1/hosts/{host}/orphans/{id}/clear", "Claim", {
    summary: "Has devices taken away that the host's agent made for a claim which no longer holds them",
    errors: ["claim_contended", "claim_state", "read_only_server", "unknown_claim", "unknown_device"],
  }),
  createProbe: ordering("/v1/probes", "Probe", {
    summary: "Has the destination's driver asked whether it takes the source's migration_version",
    body: PROBE_REQUEST,
    errors: [
      "invalid_reference",
      "read_only_server",
      "unknown_device",
      "unknown_host",
      "unknown_parent",
      "unknown_type",
    ],
  }),
  listProbes: reading("/v1/probes", "ProbePage", {
    summary: "Questions that were put to drivers and what they said, newest first",
    query: PAGED,
  }),
  readProbe: reading("/v1/probes/{id}", "Probe", { summary: "One probe", errors: ["unknown_probe"] }),
};

const HOST_ENDPOINTS: Readonly<Record<HostOperationName, Endpoint>> = {
  cordonHost: ordering("/v1/hosts/{host}/cordon", "Done", {
    summary: "Nothing is placed on the host any more; what is there stays",
    body: CORDON_REQUEST,
    bodyMayLack: true,
    errors: ["read_only_server", "unknown_host"],
  }),
  uncordonHost: ordering("/v1/hosts/{host}/uncordon", "Done", {
    summary: "Places are given on the host again",
    errors: ["read_only_server", "unknown_host"],
  }),
  fenceHost: ordering("/v1/hosts/{host}/fence", "Done", {
    summary: "Declares that nothing lives on the host: all of its claims end",
    role: "admin",
    errors: ["read_only_server", "unknown_host"],
  }),
  forgetHost: ordering("/v1/hosts/{host}/forget", "Done", {
    summary: "Forgets a host that holds no claims: its inventory, its agent, its cordon, what was handed over",
    role: "admin",
    errors: ["host_holds_claims", "read_only_server", "unknown_host"],
  }),
  adopt: ordering("/v1/adoptions", "Done", {
    summary: "Hands a parent device or a VM over to Berth",
    body: ADOPTION_REQUEST,
    errors: ["read_only_server", "unknown_host", "unknown_parent", "unknown_vm"],
  }),
  listAdoptions: reading("/v1/adoptions", "AdoptionPage", {
    summary: "What was handed over to Berth, sorted by host",
    query: PAGED,
  }),
  disown: ordering("/v1/adoptions/remove", "Done", {
    summary: "Takes a parent device or a VM back from Berth; claims that stand there stay",
    body: ADOPTION_REQUEST,
    errors: ["read_only_server", "unknown_host", "unknown_parent", "unknown_vm"],
  }),
  createEnrolment: ordering("/v1/enrolments", "Enrolment", {
    summary: "Makes a one-time token for a host's agent, shown this once",
    role: "admin",
    body: ENROLMENT_REQUEST,
    errors: ["read_only_server"],
  }),
  listAgents: reading("/v1/agents", "AgentPage", { summary: "Agents, sorted by host", query: PAGED }),
  revokeAgent: ordering("/v1/agents/{host}/revoke", "Done", {
    summary: "Takes the credential of a host's agent back",
    role: "admin",
    errors: ["read_only_server", "unknown_host"],
  }),
  listAudit: reading("/v1/audit", "AuditPage", {
    summary: "Every change that somebody made, oldest first",
    role: "operator",
    query: {
      ...PAGED,
      day: {
        schema: { ...NAME, pattern: "^\\d{4}-\\d{2}-\\d{2}$", description: "a day such as 2026-11-20" },
        description: "changes of this day (UTC) alone, such as 2026-11-20",
      },
    },
  }),
  downloadBackup: {
    method: "GET",
    path: "/v1/backup",
    summary: "A consistent copy of the store, as one file",
    role: "admin",
    errors: ["read_only_server"],
    answer: { kind: "bytes" },
  },
};

/** What holds places and steers hosts. */
export const CONTROL_ENDPOINTS: Readonly<Record<ControlOperationName, Endpoint>> = {
  ...CLAIM_ENDPOINTS,
  ...HOST_ENDPOINTS,
};
