// SPDX-License-Identifier: Apache-2.0

import type { FastifyReply } from "fastify";
import { BerthError } from "@berth/core/protocol/berth-error";
import { callerSignal } from "./in-process.ts";

/** Waits of one agent at once: the one that it follows, and such as it gave up without the server noticing yet. */
const WAITS_OF_AGENT = 4;

/** The agents that wait for news on one server. Owns their waits: `close` ends all. */
export class Waits {
  readonly #most: number;
  readonly #open = new Map<AbortController, string>();
  readonly #byHost = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Waits as long as whoever asked is there. Throws BerthError `too_many_streams` where as many wait as the server allows,
   * `rate_limited` where the host's own agent does.
   */
  async run<T>(host: string, reply: FastifyReply, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = this.#byHost.get(host) ?? 0;
    if (own >= WAITS_OF_AGENT) throw new BerthError("rate_limited", `The agent waits ${own} times already`);
    if (this.#open.size >= this.#most) {
      throw new BerthError("too_many_streams", `${this.#most} agents wait already`, { expected: "another server" });
    }
    const controller = new AbortController();
    const leave = (): void => controller.abort(new BerthError("request_timeout", "Whoever waited has gone"));
    this.#open.set(controller, host);
    this.#byHost.set(host, own + 1);
    const caller = callerSignal();
    reply.raw.once("close", leave);
    caller?.addEventListener("abort", leave, { once: true });
    try {
      return await wait(controller.signal);
    } finally {
      reply.raw.off("close", leave);
      caller?.removeEventListener("abort", leave);
      this.#open.delete(controller);
      const left = (this.#byHost.get(host) ?? 1) - 1;
      if (left > 0) this.#byHost.set(host, left);
      else this.#byHost.delete(host);
    }
  }

  /** Ends all waits. */
  close(): void {
    for (const controller of this.#open.keys()) {
      controller.abort(new BerthError("store_unavailable", "The server stops"));
    }
  }
}
