// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { parseEnrolmentToken, type ReportAnswer, type SessionRequest } from "@berth/core/protocol/agent/agent-wire";
import type { ProbeReply } from "@berth/core/provision/desired-state";
import { reportWithShapes } from "@berth/core/report/decide-report";
import { madeUpCard } from "@berth/core/report/made-up-snapshot";
import { splitSnapshot, type SplitSnapshot } from "@berth/core/report/split-snapshot";
import type { Alarm } from "../store/alarm.ts";
import { sha256 } from "../documents/keys.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { MemoryJournal } from "../store/memory/memory-journal.ts";
import { MemoryStore, type Turn } from "../store/memory/memory-store.ts";
import type { AgentDesk } from "./agent-desk.ts";
import type { DeskParts } from "./desk-parts.ts";
import { makeAgentDesk } from "./make-agent-desk.ts";
import { openTestReplica, type TestReplica } from "./test-replica.ts";

/** What the servers of a test have in common. */
export interface TestFleet {
  readonly alarm: ManualAlarm;
  readonly journal: MemoryJournal;
  readonly clock: { nowMs: number };
  /** Numbers for ids and secrets. */
  readonly next: () => number;
}

/** One server of a test, and what its desk told others. */
export interface TestServer {
  readonly store: MemoryStore;
  readonly replica: TestReplica;
  readonly desk: AgentDesk;
  readonly heard: { readonly fences: number[]; readonly events: string[]; readonly replies: ProbeReply[] };
  /** Claims that are to be repaired. */
  readonly repairs: Set<string>;
  close(): Promise<void>;
}

export const OPERATOR = { principal: "op" } as const;

export function openFleet(): TestFleet {
  const alarm = new ManualAlarm();
  let number = 0;
  return {
    alarm,
    journal: new MemoryJournal({ epoch: "e1", alarm: alarm.set }),
    clock: { nowMs: Date.UTC(2026, 10, 20) },
    next: () => (number += 1),
  };
}

export interface ServerOptions {
  readonly name?: string;
  readonly turn?: Turn;
  readonly pin?: string;
  /** Of the desk; the fleet's unless said. */
  readonly alarm?: Alarm;
}

/** Starts a server on the fleet's store. */
export function openServer(fleet: TestFleet, options: ServerOptions = {}): TestServer {
  const store = new MemoryStore(fleet.journal, options.turn);
  const replica = openTestReplica(options.name ?? "r1", store, new MemoryStore(fleet.journal));
  const heard: TestServer["heard"] = { fences: [], events: [], replies: [] };
  const repairs = new Set<string>();
  const parts: DeskParts = {
    replica,
    claims: {
      hear: async (_host, events) => {
        heard.events.push(...events.map(({ claim, event }) => `${claim} ${event}`));
        return events.map(({ claim }) => ({ claim, kind: "applied" }));
      },
      raiseFence: async (_host, fence) => void heard.fences.push(fence),
      repairsDrift: (id) => repairs.has(id),
    },
    probes: { hear: async (_host, replies) => void heard.replies.push(...replies) },
    now: () => fleet.clock.nowMs,
    newId: () => `id-${String(fleet.next()).padStart(6, "0")}`,
    newSecret: () => createHash("sha256").update(String(fleet.next())).digest("base64url"),
    ...(options.pin === undefined ? {} : { pin: options.pin }),
    alarm: options.alarm ?? fleet.alarm.set,
  };
  const desk = makeAgentDesk(parts);
  return {
    store,
    replica,
    desk,
    heard,
    repairs,
    close: async () => {
      await desk.close();
      replica.close();
      await store.close();
    },
  };
}

/** Enrols a host; answers its credential. */
export async function enrolHost({ desk }: TestServer, host: string): Promise<string> {
  const { token } = await desk.makeEnrolment({ host }, OPERATOR);
  const { secret } = parseEnrolmentToken(token);
  return (await desk.enrol({ secret, host })).credential;
}

/** What an agent says first. */
export function helloOf(
  host: string,
  session: string,
  parts: { readonly generation?: number; readonly fence?: number } = {},
): SessionRequest {
  const { generation = 1, fence = 0 } = parts;
  const protocol = { min: 1, max: 1 };
  return {
    session,
    fence,
    hello: { hello: "berth.hello/v1", host, version: "0.1.0", protocol, features: [], generation },
  };
}

/** A made-up host with so many devices, as its agent splits it. */
export function splitOf(host: string, devices: number): SplitSnapshot {
  return splitSnapshot(madeUpCard({ host, parents: 8, types: 2, devices }), sha256);
}

/** Reports all of a host, with the shapes that the server asks for. */
export async function reportWhole(
  { desk }: TestServer,
  split: SplitSnapshot,
  order: { readonly session: string; readonly generation?: number; readonly sequence: number },
): Promise<ReportAnswer> {
  const { host } = split.inventory;
  const { session, generation = 1, sequence } = order;
  const asked = new Set<string>();
  for (;;) {
    const report = reportWithShapes(split, { generation, sequence }, [...asked]);
    const answer = await desk.report(host, { session, report });
    if (answer.kind !== "need-shapes" || answer.shapes.every((shape) => asked.has(shape))) return answer;
    for (const shape of answer.shapes) asked.add(shape);
  }
}
