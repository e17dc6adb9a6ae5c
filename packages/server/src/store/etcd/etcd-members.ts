// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { EtcdMessage, MessageName } from "./etcd-messages.ts";
import type { EtcdSettings } from "./etcd-options.ts";
import { noAnswer, parseFailure, storeClosed } from "./etcd-failure.ts";
import type { Init, StreamMethod, UnaryMethod } from "./etcd-methods.ts";

/** A member of the cluster, as it is reached. */
export interface Member {
  readonly endpoint: string;
  readonly transport: Transport;
  /** Ends the streams that are open at a member which is given up. */
  readonly streams: { ending: AbortController };
}

/** A stream that is open in both directions. */
export interface EtcdStream<O extends MessageName> {
  readonly member: Member;
  readonly answers: AsyncIterable<EtcdMessage<O>>;
}

/** Every answer that counts says which cluster it is from. */
interface WithHeader {
  readonly header?: EtcdMessage<"ResponseHeader">;
}

// etcd counts pings more often than every 5 s as an attack.
const PINGS = { pingIntervalMs: 7000, pingTimeoutMs: 3000 };

/**
 * The members of one etcd cluster: keeps a connection to each that was used, and asks the next one when one is dead, slow
 * or without a leader. Every call ends by a deadline. Refuses answers of any cluster but the first that answered: an
 * endpoint of another one is a mistake that would lose writes.
 */
export class EtcdMembers {
  readonly #settings: EtcdSettings;
  readonly #members: readonly Member[];
  readonly #sessions: readonly Http2SessionManager[];
  #at = 0;
  #clusterId: bigint | undefined;
  #closed = false;

  constructor(settings: EtcdSettings) {
    const { ca, cert, key } = settings.tls;
    const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    this.#settings = settings;
    this.#sessions = settings.endpoints.map((endpoint) => new Http2SessionManager(endpoint, PINGS, tls));
    this.#members = settings.endpoints.map((endpoint, at) => ({
      endpoint,
      streams: { ending: new AbortController() },
      transport: createGrpcTransport({
        baseUrl: endpoint,
        interceptors: [...settings.interceptors],
        ...(this.#sessions[at] && { sessionManager: this.#sessions[at] }),
      }),
    }));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** The id of the cluster that answers. */
  get clusterId(): bigint {
    return this.#clusterId ?? 0n;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Asks members until one answers; only for requests that may be done twice. `store_unavailable` at the deadline. */
  async ask<I extends MessageName, O extends MessageName>(
    method: UnaryMethod<I, O>,
    request: Init<I>,
  ): Promise<EtcdMessage<O>> {
    return await this.repeat(async (member) => await this.askOnce(member, method, request));
  }

  /** Does what may be done twice with one member after the other until it succeeds, is refused, or the deadline is over. */
  async repeat<T>(attempt: (member: Member) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#settings.deadlineMs;
    for (let tries = 0; ; tries += 1) {
      const member = this.current();
      try {
        return await attempt(member);
      } catch (error) {
        this.leaveAfter(member, error);
        if (this.#closed) throw storeClosed();
        const failure = parseFailure(error);
        if (failure.kind === "refused") throw failure.error;
        if (performance.now() >= deadline) throw noAnswer(this.#settings.endpoints, error);
      }
      await this.rest(tries);
    }
  }

  /** One try with one member, within the time of a try. */
  async askOnce<I extends MessageName, O extends MessageName>(
    member: Member,
    method: UnaryMethod<I, O>,
    request: Init<I>,
  ): Promise<EtcdMessage<O>> {
    if (this.#closed) throw storeClosed();
    const { transport } = member;
    const { message } = await transport.unary(method, undefined, this.#settings.attemptMs, undefined, request);
    const answer = message as EtcdMessage<O>;
    this.#checkCluster(member, answer as WithHeader);
    return answer;
  }

  /** Opens a stream to one member; it is ended by the signal. A member that lost its leader ends it too. */
  async open<I extends MessageName, O extends MessageName>(
    method: StreamMethod<I, O>,
    request: Init<I>,
    { member, signal }: { readonly member: Member; readonly signal: AbortSignal },
  ): Promise<EtcdStream<O>> {
    if (this.#closed) throw storeClosed();
    const ending = AbortSignal.any([signal, member.streams.ending.signal]);
    const requests = keepOpen(request, ending);
    const { message } = await member.transport.stream(method, ending, undefined, { hasleader: "true" }, requests);
    return { member, answers: this.#checkAnswers(member, message as AsyncIterable<EtcdMessage<O>>) };
  }

  /** The member that is asked now. */
  current(): Member {
    const member = this.#members[this.#at % this.#members.length];
    if (member === undefined) throw new Error("There is no member");
    return member;
  }

  /** Turns to the next member, unless somebody has done so already. */
  leave(member: Member): void {
    if (this.current() === member) this.#at = (this.#at + 1) % this.#members.length;
  }

  /** Turns to the next member after a failure that is this member's own; one that hangs keeps no stream either. */
  leaveAfter(member: Member, error: unknown): void {
    if (parseFailure(error).kind !== "unknown") return;
    this.leave(member);
    if (error instanceof ConnectError && error.code === Code.DeadlineExceeded) {
      member.streams.ending.abort();
      member.streams.ending = new AbortController();
    }
  }

  /** Waits before the next try: not at all before another member's first, then longer and longer up to half a second. */
  async rest(tries: number): Promise<void> {
    if (tries + 1 < this.#members.length) return;
    await sleep(Math.min(500, 25 * 2 ** Math.min(tries, 10)));
  }

  close(): void {
    this.#closed = true;
    for (const session of this.#sessions) session.abort();
  }

  async *#checkAnswers<O extends MessageName>(
    member: Member,
    answers: AsyncIterable<EtcdMessage<O>>,
  ): AsyncIterable<EtcdMessage<O>> {
    for await (const answer of answers) {
      this.#checkCluster(member, answer as WithHeader);
      yield answer;
    }
  }

  #checkCluster({ endpoint }: Member, { header }: WithHeader): void {
    if (header === undefined || header.clusterId === 0n) return;
    this.#clusterId ??= header.clusterId;
    if (this.#clusterId === header.clusterId) return;
    const text = `The member at ${endpoint} belongs to another etcd cluster than the one that was opened`;
    throw new BerthError("store_unavailable", text, { place: endpoint });
  }
}

/** One request, and then a stream that stays open until the signal. */
async function* keepOpen<T>(request: T, signal: AbortSignal): AsyncIterable<T> {
  yield request;
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
