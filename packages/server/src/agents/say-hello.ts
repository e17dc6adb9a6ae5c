// SPDX-License-Identifier: Apache-2.0

import type { SessionAnswer, SessionRequest } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { errorOfRefusal } from "@berth/core/protocol/report-schema";
import { decideHello, PROTOCOL } from "@berth/core/report/hello";
import type { HostState } from "@berth/core/report/report";
import { SECTIONS, type Inventory } from "@berth/core/report/inventory";
import type { AgentDocument } from "../documents/documents.ts";
import type { Held } from "../replica/replica.ts";
import { agentCompare, agentWrite, ATTEMPTS_MAX, conflictOf, placeOf, readAgent } from "./agent-documents.ts";
import { requireListened } from "./agent-documents.ts";
import { catchUp, type DeskParts } from "./desk-parts.ts";
import { audit, shown } from "./enrolment.ts";

/** Sessions that are remembered as replaced. */
const REPLACED_MAX = 8;
/** Highest fence that is believed: above it, nobody could count on. */
const FENCE_MAX = 2 ** 48;
const SESSION_MAX = 128;

/** Sessions that are remembered as having come back. */
const RETURNED_MAX = 4096;

/** What one server keeps of hellos, in memory alone. */
export interface Door {
  /** How many hellos have come. */
  arrived: number;
  /** Replaced sessions that said hello, with how many hellos had come when they were told so; oldest first. */
  readonly returned: Map<string, number>;
}

/** A server that has heard nobody yet. */
export function openDoor(): Door {
  return { arrived: 0, returned: new Map() };
}

/** What the server can do besides the protocol, by name. */
const FEATURES: readonly string[] = [];

/**
 * Takes in a hello. A session that counts is welcomed again; a new one takes the place of the one that counted; one that
 * was told that it was replaced, and then comes back, proves that two processes live with one credential, and neither is
 * listened to from then on. It is decided on what stands in the store, so that it does not matter to which server who speaks.
 */
export async function sayHello(
  parts: DeskParts,
  asked: { readonly host: string; readonly known: HostState | undefined; readonly door: Door },
  request: SessionRequest,
): Promise<SessionAnswer> {
  const { host, known, door } = asked;
  requireSane(host, request);
  door.arrived += 1;
  const arrival = door.arrived;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const held = await readAgent(parts.replica.store, host);
    requireListened(host, held?.document);
    if (held === undefined) break;
    const next = decideSession(held.document, request);
    const answer = decideHello(request.hello, { host, protocol: PROTOCOL, features: FEATURES }, floorOf(held, known));
    if (answer.kind === "refused" && answer.code !== "hello_old_generation") throw refused(answer, host);
    // A copy says hello with the generation that it was copied with: that there are two of them comes first.
    if (next.kind === "conflict") {
      requireReturn(door, { host, session: request.session, arrival });
      if (!(await writeConflict(parts, held, request.session))) continue;
      throw conflictOf(host);
    }
    if (answer.kind === "refused") throw refused(answer, host);
    if (!(await writeSession(parts, held, next))) continue;
    await raiseFence(parts, host, request.fence);
    const { known: _, ...welcome } = answer;
    return known === undefined ? welcome : { ...welcome, known: orderOf(known) };
  }
  throw new BerthError("store_unavailable", `The agent of ${host} is written by others all the time`);
}

/**
 * A hello of a process that has died may come after that of its successor: it waited in a socket, or for the store. Only
 * one that comes after its session was told that it is replaced is from somebody who lives. Throws session_replaced.
 */
function requireReturn(
  { arrived, returned }: Door,
  { host, session, arrival }: { readonly host: string; readonly session: string; readonly arrival: number },
): void {
  const name = `${host} ${session}`;
  const toldAt = returned.get(name);
  if (toldAt !== undefined && arrival > toldAt) return;
  if (toldAt === undefined) {
    returned.set(name, arrived);
    const [oldest] = returned.keys();
    if (returned.size > RETURNED_MAX && oldest !== undefined) returned.delete(oldest);
  }
  throw new BerthError("session_replaced", "Another session of this host has said hello since", {
    place: placeOf(host),
  });
}

type Next =
  | { readonly kind: "same" }
  | { readonly kind: "conflict" }
  | { readonly kind: "written"; readonly document: AgentDocument };

/** What a hello makes of an agent's document. */
function decideSession(before: AgentDocument, { session, hello }: SessionRequest): Next {
  if (before.replaced.includes(session)) return { kind: "conflict" };
  const { generation, version } = hello;
  const isSame = before.session === session && before.generation === generation && before.version === version;
  if (isSame) return { kind: "same" };
  const left = before.session === undefined || before.session === session ? [] : [before.session];
  const replaced = [...left, ...before.replaced].slice(0, REPLACED_MAX);
  return { kind: "written", document: { ...before, session, generation, version, replaced } };
}

/** Writes what was decided; false where others wrote meanwhile. */
async function writeSession(
  parts: DeskParts,
  held: Held<AgentDocument>,
  next: Exclude<Next, { readonly kind: "conflict" }>,
): Promise<boolean> {
  if (next.kind === "same") {
    await catchUp(parts, held.revision);
    return true;
  }
  const answer = await parts.replica.store.transact({
    compares: [agentCompare(held.document.host, held)],
    writes: [agentWrite(next.document)],
  });
  if (answer.kind === "conflict") return false;
  await catchUp(parts, answer.revision);
  return true;
}

async function writeConflict(parts: DeskParts, held: Held<AgentDocument>, session: string): Promise<boolean> {
  const before = held.document;
  const sessions = [before.session ?? session, session] as const;
  const after: AgentDocument = { ...before, conflict: { sinceMs: parts.now(), sessions } };
  const entry = { principal: "berth", action: "agent.conflict", target: before.host };
  const answer = await parts.replica.store.transact({
    compares: [agentCompare(before.host, held)],
    writes: [agentWrite(after), audit(parts, { ...entry, before: shown(before), after: shown(after) })],
  });
  if (answer.kind === "conflict") return false;
  await catchUp(parts, answer.revision);
  return true;
}

/** The agent has admitted a fence that the ledger does not know of: a store that was put back. */
async function raiseFence({ replica, claims }: DeskParts, host: string, fence: number): Promise<void> {
  if (fence > (replica.findHost(host)?.ledger?.document.fence ?? 0)) await claims.raiseFence(host, fence);
}

const NOTHING: Inventory = {
  host: "",
  cut: "nothing",
  sections: Object.fromEntries(SECTIONS.map((section) => [section, []])) as unknown as Inventory["sections"],
  more: {},
};

/** The state with the highest generation that said hello or reported: an older one is refused. */
function floorOf({ document: { host, generation } }: Held<AgentDocument>, known: HostState | undefined): HostState {
  const floor = known ?? { host, generation, sequence: 0, digest: "", inventory: NOTHING };
  return { ...floor, generation: Math.max(floor.generation, generation) };
}

function orderOf({ generation, sequence, digest }: HostState): Pick<HostState, "generation" | "sequence" | "digest"> {
  return { generation, sequence, digest };
}

function refused(answer: Extract<SessionAnswer, { readonly kind: "refused" }>, host: string): BerthError {
  return errorOfRefusal(answer, placeOf(host));
}

function requireSane(host: string, { session, fence }: SessionRequest): void {
  const isSane =
    session.length > 0 &&
    session.length <= SESSION_MAX &&
    Number.isSafeInteger(fence) &&
    fence >= 0 &&
    fence <= FENCE_MAX;
  if (isSane) return;
  throw new BerthError("hello_malformed", "A session or its fence is not what an agent sends", {
    place: placeOf(host),
    expected: `a session of 1 to ${SESSION_MAX} characters, and a fence from 0 to ${FENCE_MAX}`,
  });
}
