// SPDX-License-Identifier: Apache-2.0

import type { ProbeItem } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ProbeReply } from "@berth/core/provision/desired-state";
import { auditWrite } from "../audit/audit-trail.ts";
import type { Caller } from "../claims/claim-book.ts";
import type { ProbeDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import { KEY_MAX, type Write } from "../store/store.ts";
import type { ProbeBook } from "./probe-book.ts";
import { isAnswered, type HeldProbe, type ProbeBookParts } from "./probe-parts.ts";
import { answeringVersion, decideQuestion, type Question } from "./probe-question.ts";

const KEPT_MAX = 10_000;
/** Oldest probes that one new probe takes away. */
const PRUNED_AT_ONCE = 16;
/** Questions of one host that may be open: all of them are in its desired state. */
const OPEN_MAX = 64;
/** Times that an answer is written which meets other writers. */
const ATTEMPTS_MAX = 8;
/** Longest string of a destination that is kept. */
const VERSION_MAX = 4096;

/** Opens the book of probes on what one server process knows. */
export function makeProbeBook(parts: ProbeBookParts): ProbeBook {
  const { replica } = parts;
  const itemOf = (held: HeldProbe): ProbeItem => {
    const { reply = null, answeredAtMs = null, pairKey: _, ...rest } = held.document;
    return { ...rest, reply, answeredAtMs, inForce: replica.isProbeInForce(held.document.id) };
  };
  const find = (id: string): ProbeItem | undefined => {
    const held = findProbe(replica.listProbes(), id);
    return held && itemOf(held);
  };
  return {
    probe: async (body, caller) => {
      const question = decideQuestion(replica.view, body);
      const equal = findEqual(parts, question);
      return itemOf(equal ?? (await writeProbe(parts, question, caller)));
    },
    find,
    list: () => replica.listProbes().toReversed().map(itemOf),
    hear: async (host, replies) => {
      for (const reply of replies) await writeReply(parts, host, reply);
    },
    get memory() {
      return replica.view.memory;
    },
  };
}

/** The newest probe that asks the same of the same class at the same level: answered and in force, or open on this host. */
function findEqual({ replica }: ProbeBookParts, question: Question): HeldProbe | undefined {
  const level = question.wanted.at.kind;
  return replica.listProbes().findLast(({ document }) => {
    if (document.pairKey !== question.pairKey || document.wanted.at.kind !== level) return false;
    if (isAnswered(document)) return replica.isProbeInForce(document.id);
    return document.reply === undefined && isSamePlace(document, question);
  });
}

function isSamePlace({ host, wanted }: ProbeDocument, question: Question): boolean {
  return host === question.host && JSON.stringify(wanted.at) === JSON.stringify(question.wanted.at);
}

async function writeProbe(parts: ProbeBookParts, question: Question, { principal }: Caller): Promise<HeldProbe> {
  const { replica } = parts;
  const { host, wanted, pairKey, source } = question;
  requireFewOpen(parts, host);
  const [id, createdAtMs] = [parts.newId(), parts.now()];
  const document: ProbeDocument = { id, host, wanted: { id, ...wanted }, pairKey, source, principal, createdAtMs };
  const key = keyOf("probe", id);
  const after = { host, at: wanted.at, source };
  const answer = await replica.store.transact({
    compares: [{ kind: "absent", key }],
    writes: [
      { kind: "put", key, value: JSON.stringify(document) },
      auditWrite({ id: parts.newId(), atMs: createdAtMs, principal, action: "probe.ask", target: id, after }),
      ...pruneWrites(replica.listProbes(), parts.keep ?? KEPT_MAX),
    ],
  });
  if (answer.kind === "conflict") throw new Error(`A fresh id is not fresh: ${id}`);
  await replica.reached(answer.revision);
  return { document, revision: answer.revision };
}

function requireFewOpen({ replica }: ProbeBookParts, host: string): void {
  const open = replica.listProbes(host).filter(({ document }) => document.reply === undefined);
  if (open.length < OPEN_MAX) return;
  throw new BerthError("rate_limited", `${open.length} questions wait for the agent of ${host}`, {
    expected: "the agent to answer first",
  });
}

/** Takes the oldest away where one more would be too many. */
function pruneWrites(oldestFirst: readonly HeldProbe[], keep: number): readonly Write[] {
  const over = Math.min(oldestFirst.length + 1 - keep, PRUNED_AT_ONCE);
  const gone = over > 0 ? oldestFirst.slice(0, over) : [];
  return gone.map(({ document }) => ({ kind: "delete", key: keyOf("probe", document.id) }));
}

/** Writes what an agent says, where it was asked and has not said it before. */
async function writeReply(parts: ProbeBookParts, host: string, reply: ProbeReply): Promise<void> {
  const { store } = parts.replica;
  const key = keyOf("probe", reply.id);
  if (key.length > KEY_MAX || !/^[!-~]+$/.test(key)) return;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [read] = (await store.read({ key })).documents;
    const before = read === undefined ? undefined : (JSON.parse(read.value) as ProbeDocument);
    if (read === undefined || before?.host !== host || before.reply !== undefined) return;
    const answeredAtMs = parts.now();
    const kept = keptReply(reply, before);
    const value = JSON.stringify({ ...before, reply: kept, answeredAtMs } satisfies ProbeDocument);
    const entry = { principal: `agent ${host}`, action: "probe.answer", target: before.id, after: kept.outcome };
    const answer = await store.transact({
      compares: [{ kind: "revision", key, revision: read.revision }],
      writes: [{ kind: "put", key, value }, auditWrite({ id: parts.newId(), atMs: answeredAtMs, ...entry })],
    });
    if (answer.kind === "written") return;
  }
  throw new BerthError("store_unavailable", `The probe ${reply.id} is written by others all the time`);
}

/**
 * What is kept of an answer. One that came while the destination showed another string than the one that was asked about is
 * of another class: nothing of it counts.
 */
function keptReply({ id, outcome, destinationVersion }: ProbeReply, { pairKey }: ProbeDocument): ProbeReply {
  const isKept = destinationVersion !== undefined && destinationVersion.length <= VERSION_MAX;
  const shown = isKept ? { destinationVersion } : {};
  if (outcome.kind === "not-asked" || destinationVersion === answeringVersion(pairKey))
    return { id, outcome, ...shown };
  const text = `The destination showed another migration_version when its driver was asked, which was ${outcome.kind}`;
  return { id, outcome: { kind: "not-asked", reason: { code: "probe_destination_changed", text } }, ...shown };
}

/** In a list that is sorted by id. */
function findProbe(probes: readonly HeldProbe[], id: string): HeldProbe | undefined {
  let [low, high] = [0, probes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((probes[middle]?.document.id ?? "") < id) low = middle + 1;
    else high = middle;
  }
  const held = probes[low];
  return held?.document.id === id ? held : undefined;
}
