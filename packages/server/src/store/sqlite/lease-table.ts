// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";

import { BerthError } from "@berth/core/protocol/berth-error";

import type { Alarm } from "../alarm.ts";
import type { Lease } from "../store.ts";

/** How long a store that could not remove the keys of an ended lease waits before it tries again. */
const RETRY_MS = 1000;

/** The leases of one process, in memory: they end with it. Their keys are removed by `remove`, durably. */
export class LeaseTable {
  readonly #alarm: Alarm;
  readonly #remove: (id: string) => Promise<void>;
  /** Lease -> cancels its alarm. */
  readonly #live = new Map<string, () => void>();
  #isClosed = false;

  constructor(alarm: Alarm, remove: (id: string) => Promise<void>) {
    this.#alarm = alarm;
    this.#remove = remove;
  }

  grant(ttlMs: number): Lease {
    // Random, because keys of a lease that an earlier process granted may still stand in the file.
    const id = randomUUID();
    this.#arm(id, ttlMs);
    return {
      id,
      keepAlive: async () => {
        this.check(id);
        this.#arm(id, ttlMs);
      },
      revoke: async () => {
        if (this.#forget(id)) await this.#remove(id);
      },
    };
  }

  /** @throws BerthError `store_lease_ended`, or `store_unavailable` when all were closed. */
  check(id: string): void {
    if (this.#isClosed) throw new BerthError("store_unavailable", "The store is closed");
    if (!this.#live.has(id)) throw new BerthError("store_lease_ended", `The lease ${id} has ended`);
  }

  /** Sets no alarm any more. Keys that are left are removed when the store is opened again. */
  close(): void {
    this.#isClosed = true;
    for (const id of this.#live.keys()) this.#forget(id);
  }

  #arm(id: string, ttlMs: number): void {
    this.#live.get(id)?.();
    this.#live.set(
      id,
      this.#alarm(ttlMs, () => {
        this.#forget(id);
        this.#expire(id);
      }),
    );
  }

  /** A disk that is full now may have room later: an expired lease is not left behind. */
  #expire(id: string): void {
    if (this.#isClosed) return;
    this.#remove(id).catch(() => this.#alarm(RETRY_MS, () => this.#expire(id)));
  }

  #forget(id: string): boolean {
    this.#live.get(id)?.();
    return this.#live.delete(id);
  }
}
