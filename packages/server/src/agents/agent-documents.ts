// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { AgentDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Compare, Store, StoredDocument, Write } from "../store/store.ts";
import type { DeskParts } from "./desk-parts.ts";

/** Times that a transaction is tried which meets other writers. */
export const ATTEMPTS_MAX = 8;

/** An agent's document as the store has it. */
export function heldAgent({ value, revision }: StoredDocument): Held<AgentDocument> {
  return { document: JSON.parse(value) as AgentDocument, revision };
}

/** Reads an agent's document as it is now, whatever the replica knows. */
export async function readAgent(store: Store, host: string): Promise<Held<AgentDocument> | undefined> {
  const { documents } = await store.read({ key: keyOf("agent", host) });
  return documents[0] === undefined ? undefined : heldAgent(documents[0]);
}

/** The write of an agent's document. */
export function agentWrite(document: AgentDocument): Write {
  return { kind: "put", key: keyOf("agent", document.host), value: JSON.stringify(document) };
}

/** That an agent's document still is the one that was decided on. */
export function agentCompare(host: string, held: Held<AgentDocument> | undefined): Compare {
  return compareOf(keyOf("agent", host), held?.revision);
}

/** That a key still is at a revision, or holds nothing. */
export function compareOf(key: string, revision: number | undefined): Compare {
  return revision === undefined ? { kind: "absent", key } : { kind: "revision", key, revision };
}

/** Refuses an agent that is not listened to. Throws agent_not_authenticated, agent_revoked, agent_conflict. */
export function requireListened(host: string, document: AgentDocument | undefined): asserts document is AgentDocument {
  if (document === undefined) {
    throw new BerthError("agent_not_authenticated", "The host is not enrolled", { place: placeOf(host) });
  }
  if (document.revokedAtMs !== undefined) {
    throw new BerthError("agent_revoked", "The agent's credential was taken back", { place: placeOf(host) });
  }
  if (document.conflict !== undefined) throw conflictOf(host);
}

/** The error of a credential with two lives. */
export function conflictOf(host: string): BerthError {
  return new BerthError("agent_conflict", "Two agents that live use the credential of this host", {
    place: placeOf(host),
    expected: "the host to be enrolled again, on the right machine",
  });
}

/**
 * The document in which a session counts. What the replica does not say is read from the store: another server may have
 * welcomed the session a moment ago. Throws session_replaced, agent_conflict, agent_revoked, agent_not_authenticated.
 */
export async function requireSession(
  { replica }: Pick<DeskParts, "replica">,
  host: string,
  session: string,
): Promise<Held<AgentDocument>> {
  const known = replica.findHost(host)?.agent;
  if (known !== undefined && isCounted(known.document, session)) return known;
  const read = await readAgent(replica.store, host);
  return checkSession(host, read, session);
}

/** The document, in which the session counts. Throws as requireSession does. */
export function checkSession(
  host: string,
  held: Held<AgentDocument> | undefined,
  session: string,
): Held<AgentDocument> {
  requireListened(host, held?.document);
  if (held !== undefined && isCounted(held.document, session)) return held;
  throw new BerthError("session_replaced", "This session of the agent does not count", {
    place: placeOf(host),
    expected: "the session that said hello last",
  });
}

/** How errors name a sender. */
export function placeOf(host: string): string {
  return `agent of ${host}`;
}

/** Whether anything that the agent says counts. */
export function isListened({ revokedAtMs, conflict }: AgentDocument): boolean {
  return revokedAtMs === undefined && conflict === undefined;
}

function isCounted(document: AgentDocument, session: string): boolean {
  return isListened(document) && document.session === session;
}
