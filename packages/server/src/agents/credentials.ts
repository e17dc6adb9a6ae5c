// SPDX-License-Identifier: Apache-2.0

import { timingSafeEqual } from "node:crypto";
import { BerthError } from "@berth/core/protocol/berth-error";
import { sha256 } from "../documents/keys.ts";
import type { AgentDocument } from "../documents/documents.ts";
import { requireListened } from "./agent-documents.ts";
import type { DeskReplica } from "./desk-parts.ts";

/** Longest credential that is looked at, characters. */
const CREDENTIAL_MAX = 256;

/** Finds the host that a credential speaks for. Throws BerthError agent_not_authenticated, agent_revoked, agent_conflict. */
export type Authenticate = (credential: string) => string;

/**
 * Finds hosts by the hash of their credential: that of a random secret tells nothing about it. The index is only a hint, read
 * anew where some agent has changed since, so that guessing costs nobody much; what counts is the host's document as it is now.
 */
export function makeAuthenticate(replica: Pick<DeskReplica, "findHost" | "listAgents">): Authenticate {
  let hosts: ReadonlyMap<string, string> = new Map();
  let readFrom: ReturnType<DeskReplica["listAgents"]> | undefined;
  const find = (hash: string): AgentDocument | undefined => {
    const host = hosts.get(hash);
    const document = host === undefined ? undefined : replica.findHost(host)?.agent?.document;
    return document !== undefined && isEqual(document.credential, hash) ? document : undefined;
  };
  return (credential) => {
    const hash = sha256(credential.slice(0, CREDENTIAL_MAX + 1));
    let document = credential.length > CREDENTIAL_MAX ? undefined : find(hash);
    const agents = document === undefined ? replica.listAgents() : readFrom;
    if (document === undefined && agents !== undefined && agents !== readFrom) {
      hosts = new Map(agents.map(({ document: { credential: known, host } }) => [known, host]));
      readFrom = agents;
      document = find(hash);
    }
    if (document === undefined) {
      throw new BerthError("agent_not_authenticated", "The credential is not known", {
        expected: "the credential that the host was given when it was enrolled last",
      });
    }
    requireListened(document.host, document);
    return document.host;
  };
}

function isEqual(known: string, hash: string): boolean {
  const [left, right] = [Buffer.from(known), Buffer.from(hash)];
  return left.length === right.length && timingSafeEqual(left, right);
}
