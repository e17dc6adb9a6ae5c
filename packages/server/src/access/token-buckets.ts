// SPDX-License-Identifier: Apache-2.0

/** How often something may happen: so often a second on average, so often at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** How many callers are told apart; beyond that the one that was not heard of for the longest time begins anew. */
const BUCKETS_MAX = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket of tokens for each name that was heard of lately. A name that was never heard of has a full one. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #most: number;
  /** Least lately used first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, most: number = BUCKETS_MAX) {
    this.#rate = rate;
    this.#most = most;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token: 0, or after how many seconds there is one again. Time is any clock in milliseconds. */
  take(name: string, nowMs: number): number {
    const bucket = this.#fill(name, nowMs);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#rate.perSecond;
    bucket.tokens -= 1;
    return 0;
  }

  /** As `take`, and takes none. */
  wait(name: string, nowMs: number): number {
    if (!this.#buckets.has(name)) return 0;
    const { tokens } = this.#fill(name, nowMs);
    return tokens < 1 ? (1 - tokens) / this.#rate.perSecond : 0;
  }

  #fill(name: string, nowMs: number): Bucket {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(name) ?? { tokens: burst, atMs: nowMs };
    // A clock that is set back gives nothing and takes nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1000) * perSecond);
    bucket.atMs = nowMs;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#most) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
