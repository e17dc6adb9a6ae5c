// SPDX-License-Identifier: Apache-2.0

import type { EnrolAnswer, EnrolRequest } from "@berth/core/protocol/agent/agent-wire";
import { formatEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { EnrolmentAnswer } from "@berth/core/protocol/api/control-answers";
import type { EnrolmentBody } from "@berth/core/protocol/api/control-requests";
import { BerthError } from "@berth/core/protocol/berth-error";
import { auditWrite } from "../audit/audit-trail.ts";
import type { Caller } from "../claims/claim-book.ts";
import type { AgentDocument, EnrolmentDocument, ReportedDocument } from "../documents/documents.ts";
import { keyOf, sha256 } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { Store, StoredDocument, Write } from "../store/store.ts";
import { agentCompare, agentWrite, ATTEMPTS_MAX, readAgent } from "./agent-documents.ts";
import { catchUp, type DeskParts } from "./desk-parts.ts";

/** How long a token may be used unless said, and the bounds of what may be said, seconds. */
const TTL_DEFAULT_S = 3600;
const TTL_MIN_S = 60;
const TTL_MAX_S = 604_800;

/** What the name of a host looks like: it is part of keys, and stands in audits and addresses. */
const HOST = /^[!-.0-~]{1,255}$/;

/** Makes a one-time token for a host. The store has its hash alone. Throws BerthError request_malformed, store_*. */
export async function makeEnrolment(parts: DeskParts, body: EnrolmentBody, caller: Caller): Promise<EnrolmentAnswer> {
  const { host, ttlSeconds = TTL_DEFAULT_S } = body;
  requireRequest(HOST.test(host), "/host", "1 to 255 printable ASCII characters without spaces and without /");
  requireRequest(ttlSeconds >= TTL_MIN_S && ttlSeconds <= TTL_MAX_S, "/ttlSeconds", `${TTL_MIN_S} to ${TTL_MAX_S}`);
  const [secret, createdAtMs] = [parts.newSecret(), parts.now()];
  const { principal } = caller;
  const document: EnrolmentDocument = { host, principal, createdAtMs, expiresAtMs: createdAtMs + ttlSeconds * 1000 };
  const key = keyOf("enrolment", sha256(secret));
  const { expiresAtMs } = document;
  const answer = await parts.replica.store.transact({
    compares: [{ kind: "absent", key }],
    writes: [
      { kind: "put", key, value: JSON.stringify(document) },
      audit(parts, { principal, action: "agent.invite", target: host, after: { expiresAtMs } }),
    ],
  });
  if (answer.kind === "conflict") throw new Error("A fresh secret is not fresh");
  const token = formatEnrolmentToken({ secret, ...(parts.pin === undefined ? {} : { pin: parts.pin }) });
  return { host, token, expiresAtMs };
}

/**
 * Uses up a token: one transaction deletes it and puts the new credential in the place of the old one, so that of two who
 * come with one token one is refused. Generations go on above those that the host has had. Throws BerthError
 * enrolment_refused, store_*.
 */
export async function enrol(parts: DeskParts, { secret }: EnrolRequest): Promise<EnrolAnswer> {
  const { store } = parts.replica;
  const key = keyOf("enrolment", sha256(secret));
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [token] = (await store.read({ key })).documents;
    const { host, principal } = await requireToken(parts, token);
    const before = await readAgent(store, host);
    const credential = parts.newSecret();
    const after: AgentDocument = {
      host,
      credential: sha256(credential),
      enrolledAtMs: parts.now(),
      enrolledBy: principal,
      generation: Math.max(before?.document.generation ?? 0, await readGeneration(store, host)),
      replaced: [],
    };
    const answer = await store.transact({
      compares: [{ kind: "revision", key, revision: token?.revision ?? 0 }, agentCompare(host, before)],
      writes: [
        { kind: "delete", key },
        agentWrite(after),
        audit(parts, {
          principal: `agent ${host}`,
          action: "agent.enrol",
          target: host,
          before: shown(before?.document),
          after: shown(after),
        }),
      ],
    });
    if (answer.kind === "conflict") continue;
    await catchUp(parts, answer.revision);
    return { host, credential, generation: after.generation };
  }
  throw refusal();
}

/** Takes a credential back; once more changes nothing. Throws BerthError unknown_host, store_*. */
export async function revoke(parts: DeskParts, host: string, { principal }: Caller): Promise<void> {
  const { store } = parts.replica;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const before: Held<AgentDocument> | undefined = HOST.test(host) ? await readAgent(store, host) : undefined;
    if (before === undefined) {
      throw new BerthError("unknown_host", `No agent is enrolled for host ${JSON.stringify(host.slice(0, 80))}`);
    }
    if (before.document.revokedAtMs !== undefined) return await catchUp(parts, before.revision);
    const after: AgentDocument = { ...before.document, revokedAtMs: parts.now() };
    const entry = {
      principal,
      action: "agent.revoke",
      target: host,
      before: shown(before.document),
      after: shown(after),
    };
    const answer = await store.transact({
      compares: [agentCompare(host, before)],
      writes: [agentWrite(after), audit(parts, entry)],
    });
    if (answer.kind === "written") return await catchUp(parts, answer.revision);
  }
  throw new BerthError("store_unavailable", `The agent of ${host} is written by others all the time`);
}

interface Entry {
  readonly principal: string;
  readonly action: string;
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The audit of a change to an agent. */
export function audit(parts: Pick<DeskParts, "newId" | "now">, entry: Entry): Write {
  return auditWrite({ id: parts.newId(), atMs: parts.now(), ...entry });
}

/** What of an agent the audit shows: not even the hash of the credential. */
export function shown(document: AgentDocument | undefined): unknown {
  if (document === undefined) return undefined;
  const { credential: _, ...rest } = document;
  return rest;
}

/** The token's document. One that has run out is removed. Throws enrolment_refused. */
async function requireToken(parts: DeskParts, token: StoredDocument | undefined): Promise<EnrolmentDocument> {
  if (token === undefined) throw refusal();
  const document = JSON.parse(token.value) as EnrolmentDocument;
  if (parts.now() < document.expiresAtMs) return document;
  const { key, revision } = token;
  await parts.replica.store.transact({
    compares: [{ kind: "revision", key, revision }],
    writes: [{ kind: "delete", key }],
  });
  throw refusal();
}

/** The generation of the newest report, 0 where there is none. */
async function readGeneration(store: Store, host: string): Promise<number> {
  const [document] = (await store.read({ key: keyOf("reported", host) })).documents;
  return document === undefined ? 0 : (JSON.parse(document.value) as ReportedDocument).generation;
}

/** One refusal for all: who tries secrets learns nothing from it. */
function refusal(): BerthError {
  return new BerthError("enrolment_refused", "The enrolment token is not known, was used, or has run out", {
    expected: "a token that was made for this host and not used",
  });
}

function requireRequest(holds: boolean, place: string, expected: string): void {
  if (!holds)
    throw new BerthError("request_malformed", "The request is not what the resource takes", { place, expected });
}
