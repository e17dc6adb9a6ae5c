// SPDX-License-Identifier: Apache-2.0

import type { ReportAnswer, ReportRequest } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { errorOfRefusal } from "@berth/core/protocol/report-schema";
import { applyReport } from "@berth/core/report/apply-report";
import type { Applied, HostState, Report } from "@berth/core/report/report";
import { sha256 } from "../documents/keys.ts";
import type { Held } from "../replica/replica.ts";
import type { AgentDocument } from "../documents/documents.ts";
import { ATTEMPTS_MAX, checkSession, placeOf, readAgent, requireSession } from "./agent-documents.ts";
import type { DeskParts } from "./desk-parts.ts";
import { readState, writeInventory, writeShapes } from "./report-store.ts";

/** Reports of one host that may wait for each other. */
const WAITING_MAX = 8;

/** Takes in reports; those of one host one after the other. */
export interface ReportIntake {
  /** Throws BerthError session_replaced, agent_*, report_*, rate_limited, store_*. */
  take(host: string, request: ReportRequest): Promise<ReportAnswer>;
  /** The newest report that this process knows of. */
  newest(host: string, agent: Held<AgentDocument>): HostState | undefined;
}

/** What is known of a host, and where in the store it stands. */
interface Known {
  readonly state: HostState;
  /** Of `inventory/<host>`. */
  readonly revision: number;
  /** Of `agent/<host>`: what was known under another one may have been forgotten since. */
  readonly agent: number;
}

/** Everything that an intake remembers between reports: how far each host's order has moved on, which no document says. */
interface Intake {
  readonly parts: DeskParts;
  readonly last: Map<string, Known>;
  /** Host -> the report that is last in its queue, and how many there are. */
  readonly queues: Map<string, { readonly tail: Promise<unknown>; readonly length: number }>;
}

export function makeReportIntake(parts: DeskParts): ReportIntake {
  const intake: Intake = { parts, last: new Map(), queues: new Map() };
  return {
    take: (host, request) => inTurn(intake, host, () => takeReport(intake, host, request)),
    newest: (host, agent) => findKnown(intake, host, agent)?.state,
  };
}

async function inTurn<T>({ queues }: Intake, host: string, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(host);
  const length = (queue?.length ?? 0) + 1;
  if (length > WAITING_MAX) {
    throw new BerthError("rate_limited", `More than ${WAITING_MAX} reports of the host wait`, { place: placeOf(host) });
  }
  const run = queue === undefined ? work() : queue.tail.then(work);
  const entry = { tail: run.catch(() => undefined), length };
  queues.set(host, entry);
  try {
    return await run;
  } finally {
    if (queues.get(host) === entry) queues.delete(host);
  }
}

async function takeReport(intake: Intake, host: string, { session, report }: ReportRequest): Promise<ReportAnswer> {
  const { parts } = intake;
  let agent = await requireSession(parts, host, session);
  let known = findKnown(intake, host, agent);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    requireGeneration(host, report, agent.document);
    const applied = applyReport(known?.state, report, { host, hash: sha256, catalogue: parts.replica.catalogue });
    if (applied.kind === "refused") throw errorOfRefusal(applied, placeOf(host));
    if (applied.kind !== "applied") return applied;
    const { state } = applied;
    const revision = applied.news === undefined ? known?.revision : await write(parts, { applied, agent, known });
    if (revision !== undefined) {
      intake.last.set(host, { state, revision, agent: agent.revision });
      const { digest, generation, sequence } = state;
      return { kind: "applied", digest, generation, sequence };
    }
    intake.last.delete(host);
    agent = checkSession(host, await readAgent(parts.replica.store, host), session);
    const read = await readState(parts.replica.store, host);
    known = read && { state: read.document, revision: read.revision, agent: agent.revision };
  }
  throw new BerthError("store_unavailable", "The host's inventory is written by others all the time", {
    place: placeOf(host),
  });
}

interface Decided {
  readonly applied: Extract<Applied, { readonly kind: "applied" }>;
  readonly agent: Held<AgentDocument>;
  readonly known: Known | undefined;
}

/** Writes a report with news; the inventory's revision, or undefined where what it was decided on stands no more. */
async function write(parts: DeskParts, { applied, agent, known }: Decided): Promise<number | undefined> {
  const { state, news, shapes } = applied;
  if (news === undefined) return known?.revision;
  await writeShapes(parts.replica.store, state.inventory, shapes);
  const { generation, sequence, digest } = state;
  return await writeInventory(parts.replica.store, {
    agent,
    inventory: known?.revision,
    text: news.text,
    reported: { generation, sequence, digest, atMs: parts.now() },
  });
}

/** What this process wrote itself, unless the replica shows something newer: the watch may be behind. */
function findKnown({ parts, last }: Intake, host: string, { revision: agent }: Held<AgentDocument>): Known | undefined {
  const shown = parts.replica.findHost(host)?.inventory;
  const own = last.get(host);
  if (own === undefined || own.agent !== agent || own.revision < (shown?.revision ?? 0)) {
    return shown && { state: shown.document, revision: shown.revision, agent };
  }
  if (own.revision !== shown?.revision || own.state.inventory === shown.document.inventory) return own;
  // The same inventory in two copies: the replica's is kept anyway.
  const { generation, sequence } = own.state;
  const state = { ...shown.document, generation, sequence };
  const merged = { ...own, state };
  last.set(host, merged);
  return merged;
}

/** A report is of the life that said hello: another generation is of another one. */
function requireGeneration(host: string, report: Report, { generation }: AgentDocument): void {
  if (report.host !== host || report.generation === generation) return;
  throw new BerthError(
    "report_out_of_order",
    `The report is of generation ${report.generation}, its session of ${generation}`,
    { place: placeOf(host) },
  );
}
