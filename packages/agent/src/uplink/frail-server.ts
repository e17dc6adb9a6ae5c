// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { AgentClient } from "@berth/core/protocol/agent/agent-client";
import type { DesiredAnswer, DesiredRequest, ReportAnswer, ReportRequest } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ErrorCode } from "@berth/core/protocol/error-codes";
import {
  DESIRED_FORMAT,
  type AgentEvent,
  type AgentNotice,
  type DesiredState,
} from "@berth/core/provision/desired-state";
import { applyReport } from "@berth/core/report/apply-report";
import { parseShape, type Shape } from "@berth/core/report/fill-shape";
import { decideHello } from "@berth/core/report/hello";
import type { HostState } from "@berth/core/report/report";
import type { ServerLine } from "./agent-parts.ts";
import type { Clock } from "./clock.ts";

/** What the network does to one request. */
export type Fate = "arrives" | "is lost" | "answer is lost" | "arrives twice" | "is delayed" | "is refused";

/** A control plane for one host in memory, behind a network that a test breaks. */
export class FrailServer {
  readonly #clock: Clock;
  readonly #host: string;
  readonly #shapes = new Map<string, Shape>();
  readonly #replaced = new Set<string>();
  readonly #returned = new Set<string>();
  #waiters: (() => void)[] = [];
  #life = 0;
  #refusal: ErrorCode | undefined;
  state: HostState | undefined;
  snapshot: HostSnapshot | undefined;
  session = "";
  desired: DesiredState;
  /** Events as they came in, repetitions and all, and what was known of the host then. */
  readonly heard: { readonly event: AgentEvent; readonly snapshot: HostSnapshot | undefined }[] = [];
  notices: readonly AgentNotice[] = [];
  /** Every request that arrived: its time and what it was. */
  readonly arrived: { readonly atMs: number; readonly what: string; readonly place: string }[] = [];
  /** Chooses what becomes of the next request. */
  fate: (what: string, place: string) => Fate = () => "arrives";
  /** What every report is refused with, where there is something. */
  reportRefusal: ErrorCode | undefined;
  /** Answers polls at once, news or not. */
  isHasty = false;
  /** Codes with which single events are refused, by claim. */
  readonly eventRefusals: Map<string, string> = new Map<string, string>();

  constructor(clock: Clock, host: string) {
    this.#clock = clock;
    this.#host = host;
    const cursor = { epoch: "e1", revision: 1 };
    this.desired = { desired: DESIRED_FORMAT, host, cursor, adoptedParents: [], claims: [], probes: [] };
  }

  /** One replica: all of them know the same. */
  line(place: string): ServerLine {
    const send = <T>(what: string, take: () => T | Promise<T>): Promise<T> => this.#send(what, place, take);
    const client: AgentClient = {
      enrol: () => Promise.reject(new Error("Nobody enrols here")),
      hello: (request) => send("hello", () => this.#hello(request)),
      report: (request) => send(request.report.kind, () => this.#report(request)),
      desired: (request) => send("desired", () => this.#wait(request)),
      tell: (request) =>
        send("tell", () => {
          this.#authorize(request.session);
          this.notices = request.notices;
          for (const event of request.events) this.heard.push({ event, snapshot: this.snapshot });
          return { events: request.events.map(({ claim }) => this.#judge(claim)) };
        }),
    };
    return { place, client };
  }

  /** Wants something else of the host. */
  want(claims: DesiredState["claims"]): void {
    const { cursor } = this.desired;
    this.desired = { ...this.desired, claims, cursor: { ...cursor, revision: cursor.revision + 1 } };
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** Answers every request with this code from now on, the waiting ones at once; undefined: no more. */
  refuse(code: ErrorCode | undefined): void {
    this.#refusal = code;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  /** What is still on its way never arrives: its sender is dead. */
  cut(): void {
    this.#life += 1;
  }

  async #send<T>(what: string, place: string, take: () => T | Promise<T>): Promise<T> {
    const fate = this.fate(what, place);
    const life = this.#life;
    const never = new Promise<never>(() => undefined);
    const sleep = (ms: number): Promise<void> => this.#clock.sleep(ms, new AbortController().signal);
    await sleep(fate === "is delayed" ? 25_000 : 1);
    if (fate === "is refused") throw new Error("connect ECONNREFUSED");
    if (fate === "is lost" || life !== this.#life) return never;
    const arrive = async (): Promise<T> => {
      this.arrived.push({ atMs: this.#clock.now(), what, place });
      this.#checkRefusal();
      return take();
    };
    if (fate === "arrives twice") void arrive().catch(() => undefined);
    const answer = await arrive();
    await sleep(1);
    return fate === "answer is lost" || life !== this.#life ? never : structuredClone(answer);
  }

  #hello({ session, hello }: Parameters<AgentClient["hello"]>[0]): Awaited<ReturnType<AgentClient["hello"]>> {
    if (this.#returned.has(session)) throw new BerthError("agent_conflict", "Two agents");
    if (this.#replaced.has(session)) {
      this.#returned.add(session);
      throw new BerthError("session_replaced", "Another session counts");
    }
    if (this.session !== "" && this.session !== session) this.#replaced.add(this.session);
    this.session = session;
    return decideHello(hello, { host: this.#host, protocol: { min: 1, max: 1 }, features: [] }, this.state);
  }

  #checkRefusal(): void {
    if (this.#refusal !== undefined) throw new BerthError(this.#refusal, "No");
  }

  #authorize(session: string): void {
    if (session !== this.session) throw new BerthError("session_replaced", "Another session counts");
  }

  #report({ session, report }: ReportRequest): ReportAnswer {
    this.#authorize(session);
    if (this.reportRefusal !== undefined) throw new BerthError(this.reportRefusal, "No");
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const catalogue = { find: (digest: string) => this.#shapes.get(digest) };
    const sent = structuredClone(report);
    const answer = applyReport(this.state, sent, { host: this.#host, hash, catalogue });
    if (answer.kind === "refused") throw new BerthError(answer.code, answer.message);
    if (answer.kind !== "applied") return answer;
    for (const [digest, text] of answer.shapes) this.#shapes.set(digest, parseShape(text));
    this.state = answer.state;
    this.snapshot = answer.news?.snapshot ?? this.snapshot;
    const { digest, generation, sequence } = answer.state;
    return { kind: "applied", digest, generation, sequence };
  }

  async #wait({ session, seen, waitMs }: DesiredRequest): Promise<DesiredAnswer> {
    this.#authorize(session);
    if (seen?.revision === this.desired.cursor.revision && !this.isHasty) {
      const news = new Promise<void>((resolve) => this.#waiters.push(resolve));
      await Promise.race([news, this.#clock.sleep(waitMs, new AbortController().signal)]);
    }
    this.#checkRefusal();
    const { cursor } = this.desired;
    return seen?.revision === cursor.revision ? { kind: "same", cursor } : { kind: "state", state: this.desired };
  }

  #judge(claim: string): Awaited<ReturnType<AgentClient["tell"]>>["events"][number] {
    const code = this.eventRefusals.get(claim);
    return code === undefined ? { claim, kind: "applied" } : { claim, kind: "refused", code, text: "It has ended" };
  }
}
