// SPDX-License-Identifier: Apache-2.0

import type { AgentItem, AgentLife } from "@berth/core/protocol/api/control-answers";
import type { AgentNotice } from "@berth/core/provision/desired-state";
import type { AgentDocument } from "../documents/documents.ts";
import type { DeskReplica } from "./desk-parts.ts";

/** What this process knows of agents besides their documents. */
export interface AgentSigns {
  isHeard(host: string): boolean;
  listNotices(host: string): readonly AgentNotice[];
}

/** Every agent that was enrolled, sorted by host. */
export function listAgentItems(
  replica: Pick<DeskReplica, "listAgents" | "findReported">,
  signs: AgentSigns,
): readonly AgentItem[] {
  return replica.listAgents().map(({ document }) => {
    const { host, version = null, generation, enrolledAtMs, enrolledBy } = document;
    const reportedAtMs = replica.findReported(host)?.document.atMs ?? null;
    const life = lifeOf(document, reportedAtMs, signs);
    const notices = signs.listNotices(host);
    return { host, life, version, generation, enrolledAtMs, enrolledBy, reportedAtMs, notices };
  });
}

/** How the agent of one host is; undefined: none was ever enrolled. */
export function findAgentLife(
  replica: Pick<DeskReplica, "findHost" | "findReported">,
  signs: Pick<AgentSigns, "isHeard">,
  host: string,
): AgentLife | undefined {
  const agent = replica.findHost(host)?.agent?.document;
  return agent && lifeOf(agent, replica.findReported(host)?.document.atMs ?? null, signs);
}

/** What an operator must act on comes first. */
function lifeOf(document: AgentDocument, reportedAtMs: number | null, signs: Pick<AgentSigns, "isHeard">): AgentLife {
  if (document.revokedAtMs !== undefined) return "revoked";
  if (document.conflict !== undefined) return "conflict";
  if (reportedAtMs === null) return "never";
  return signs.isHeard(document.host) ? "connected" : "silent";
}
