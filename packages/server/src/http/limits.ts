// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import { TokenBuckets, type Rate } from "../access/token-buckets.ts";

/** How much of one server a caller may have. */
export interface ServerLimits {
  /** Requests of one token; of one address where a request needs none. */
  readonly callers: Rate;
  /** Requests of one agent. */
  readonly agents: Rate;
  /** Failed authentications of one address. */
  readonly failures: Rate;
  /** Agents that wait for news at once. */
  readonly waits: number;
  /** Backups that are sent at once. */
  readonly backups: number;
  /** A request must have arrived by then, milliseconds. */
  readonly requestMs: number;
  /** A connection on which nothing moves is closed by then, milliseconds: longer than anybody waits for news. */
  readonly idleMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  callers: { perSecond: 2000, burst: 4000 },
  agents: { perSecond: 20, burst: 100 },
  failures: { perSecond: 5, burst: 50 },
  waits: 20_000,
  backups: 1,
  requestMs: 10_000,
  idleMs: 75_000,
};

/** Counts what callers take of one server, and refuses what is too much. */
export class Throttle {
  readonly #callers: TokenBuckets;
  readonly #agents: TokenBuckets;
  readonly #failures: TokenBuckets;
  readonly #now: () => number;

  /** The clock is any in milliseconds; one that jumps costs or gives a caller at most one burst. */
  constructor({ callers, agents, failures }: ServerLimits, now: () => number) {
    this.#callers = new TokenBuckets(callers);
    this.#agents = new TokenBuckets(agents);
    this.#failures = new TokenBuckets(failures);
    this.#now = now;
  }

  /** Counts a request of a token, or of an address. Throws BerthError `rate_limited`. */
  admitCaller(name: string): void {
    refuseUntil(this.#callers.take(name, this.#now()), "The caller sends more requests than allowed");
  }

  /** Counts a request of a host's agent. Throws BerthError `rate_limited`. */
  admitAgent(host: string): void {
    refuseUntil(this.#agents.take(host, this.#now()), "The agent sends more requests than allowed");
  }

  /** Counts a failed authentication of an address. Throws BerthError `rate_limited` where there were too many. */
  countFailure(address: string): void {
    refuseUntil(this.#failures.take(address, this.#now()), TOO_MANY_FAILURES);
  }

  /** Refuses an address whose authentications failed too often, before anything is asked of the store. */
  requireTrust(address: string): void {
    refuseUntil(this.#failures.wait(address, this.#now()), TOO_MANY_FAILURES);
  }
}

const TOO_MANY_FAILURES = "Too many authentications failed from this address";

function refuseUntil(seconds: number, message: string): void {
  if (seconds > 0) throw new RateLimited(message, Math.max(1, Math.ceil(seconds)));
}

/** The coded error `rate_limited` with the seconds after which a request is let through again. */
export class RateLimited extends BerthError {
  readonly retryAfterSeconds: number;

  constructor(message: string, retryAfterSeconds: number) {
    super("rate_limited", message, { expected: `no request for ${retryAfterSeconds} s` });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
