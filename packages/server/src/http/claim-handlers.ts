// SPDX-License-Identifier: Apache-2.0

import type { Claim } from "@berth/core/claim/claim";
import { holdsRoom } from "@berth/core/claim/transitions";
import type { ClaimAnswer, ClaimItem, ProbeAnswer, ProbeItem } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody, CommitBody, ProbeBody } from "@berth/core/protocol/api/control-requests";
import { ENDPOINTS, type OperationName } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Caller } from "../claims/claim-book.ts";
import type { Held } from "../replica/replica.ts";
import { requireControl, type Control } from "./control.ts";
import type { Listed } from "./page.ts";
import { callerOf, parseQuery, partsOf, requireBody, textOf, type Query } from "./request-parts.ts";
import { pageHandler, quote, type Handler, type Served } from "./served.ts";

type ClaimOperationName =
  | "createClaim"
  | "listClaims"
  | "readClaim"
  | "confirmClaim"
  | "releaseClaim"
  | "repairClaim"
  | "commitClaim"
  | "clearOrphans";

/** What holds places and gives them back. */
export function makeClaimHandlers(served: Served): Readonly<Record<ClaimOperationName, Handler>> {
  const { control } = served;
  const order = (name: OperationName, run: (control: Control, id: string, caller: Caller) => Promise<Held<Claim>>) => {
    return async (request: Parameters<Handler>[0]): Promise<ClaimAnswer> => {
      const running = requireControl(control);
      parseQuery(ENDPOINTS[name], request.query);
      const held = await run(running, partsOf(request)["id"] ?? "", callerOf(ENDPOINTS[name], request));
      return { generation: served.view.generation, claim: formatClaim(running, held) };
    };
  };
  return {
    clearOrphans: async (request): Promise<ClaimAnswer> => {
      const { host = "" } = partsOf(request);
      return await order("clearOrphans", (running, id, caller) => {
        return running.claims.clearOrphans({ host, claim: id, devices: findOrphans(running, host, id) }, caller);
      })(request);
    },
    commitClaim: async (request): Promise<ClaimAnswer> => {
      requireBody(ENDPOINTS.commitClaim, request.body ?? {});
      const body = (request.body ?? {}) as CommitBody;
      return await order("commitClaim", ({ claims }, id, caller) => claims.commit(id, body, caller))(request);
    },
    createClaim: async (request) => {
      const { claims } = requireControl(control);
      parseQuery(ENDPOINTS.createClaim, request.query);
      requireBody(ENDPOINTS.createClaim, request.body);
      return await claims.claim(request.body as ClaimBody, callerOf(ENDPOINTS.createClaim, request));
    },
    listClaims: pageHandler(served, "listClaims", (query) => listClaims(control, query)),
    readClaim: (request) => readClaim(served, partsOf(request)["id"] ?? ""),
    confirmClaim: order("confirmClaim", ({ claims }, id, caller) => claims.confirm(id, caller)),
    releaseClaim: order("releaseClaim", ({ claims }, id, caller) => claims.release(id, caller)),
    repairClaim: order("repairClaim", ({ claims }, id, caller) => claims.repair(id, caller)),
  };
}

/** Devices that a host's agent says are orphans of a claim. Throws BerthError unknown_claim where it says of none. */
function findOrphans({ agents }: Control, host: string, id: string): readonly string[] {
  const notice = agents.listNotices(host).find(({ claim, reason }) => claim === id && reason.code === "orphan");
  if (notice?.devices !== undefined) return notice.devices;
  throw new BerthError("unknown_claim", `The agent of ${quote(host)} tells of no orphan of claim ${quote(id)}`, {
    place: "id",
    expected: "the claim of a notice `orphan` that GET /v1/agents shows",
  });
}

/** A claim as answers show it, with what its agent says is in its way. */
export function formatClaim({ agents }: Control, { document, revision }: Held<Claim>): ClaimItem {
  const notice = agents.listNotices(document.host).find(({ claim }) => claim === document.id);
  return { ...document, revision, ...(notice === undefined ? {} : { notice: notice.reason }) };
}

/** Claims that a query wants, sorted by id. */
function listClaims(control: Control | undefined, query: Query): Listed<ClaimItem> {
  const host = textOf(query["host"]);
  const state = textOf(query["state"]);
  return {
    *entries(after) {
      if (control === undefined) return;
      const { replica } = control;
      const first = after?.[0] ?? "";
      for (const held of host === undefined ? replica.listAllClaims() : replica.listClaims(host)) {
        const { document } = held;
        if (document.id <= first) continue;
        const isWanted = state === "open" ? holdsRoom(document.state) : (state ?? document.state) === document.state;
        if (isWanted) yield formatClaim(control, held);
      }
    },
    keyOf: ({ id }) => [id],
  };
}

function readClaim({ control, view }: Served, id: string): ClaimAnswer {
  const held = control?.replica.findClaim(id);
  if (control !== undefined && held !== undefined) {
    return { generation: view.generation, claim: formatClaim(control, held) };
  }
  throw new BerthError("unknown_claim", `There is no claim ${quote(id)}`, {
    place: "id",
    expected: "a claim that GET /v1/claims lists",
  });
}

/** What asks drivers. */
export function makeProbeHandlers(
  served: Served,
): Readonly<Record<"createProbe" | "listProbes" | "readProbe", Handler>> {
  const { control, view } = served;
  return {
    createProbe: async (request): Promise<ProbeAnswer> => {
      const { probes } = requireControl(control);
      parseQuery(ENDPOINTS.createProbe, request.query);
      requireBody(ENDPOINTS.createProbe, request.body);
      const probe = await probes.probe(request.body as ProbeBody, callerOf(ENDPOINTS.createProbe, request));
      return { generation: view.generation, probe };
    },
    listProbes: pageHandler(served, "listProbes", () => listProbes(control)),
    readProbe: (request): ProbeAnswer => {
      const id = partsOf(request)["id"] ?? "";
      const probe = control?.probes.find(id);
      if (probe !== undefined) return { generation: view.generation, probe };
      throw new BerthError("unknown_probe", `There is no probe ${quote(id)}`, {
        place: "id",
        expected: "a probe that GET /v1/probes lists",
      });
    },
  };
}

/** Later than any time: what is left of it orders the newest first. */
const END_OF_TIME_MS = 9_999_999_999_999;

function listProbes(control: Control | undefined): Listed<ProbeItem> {
  const keyOf = ({ createdAtMs, id }: ProbeItem): readonly [string, string] => {
    return [String(Math.max(0, END_OF_TIME_MS - createdAtMs)).padStart(16, "0"), id];
  };
  const place = (probe: ProbeItem): string => keyOf(probe).join(" ");
  return {
    entries: () => (control?.probes.list() ?? []).toSorted((a, b) => (place(a) < place(b) ? -1 : 1)),
    keyOf,
  };
}
