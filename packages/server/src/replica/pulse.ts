// SPDX-License-Identifier: Apache-2.0

import { keyOf } from "../documents/keys.ts";
import type { Alarm } from "../store/alarm.ts";
import type { Revision, Store } from "../store/store.ts";
import { pause } from "./pause.ts";

/** How often the store is asked where it stands. */
export const PULSE_MS = 2_000;
/** Pulses that may be missed before a replica counts as behind. */
const MISSED_MAX = 2;

/** How long what is written to be seen outlives its server. */
const PULSE_LEASE_MS = 15_000;

/** Whether a watch is open, as far as is known, or failed and is to be tried again. */
export type WatchState = "stands" | "fails";

/** What a pulse is felt by. */
export interface PulseParts {
  readonly store: Store;
  /** Of the replica. */
  readonly name: string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly alarm: Alarm;
  readonly signal: AbortSignal;
  /** Resolves when everything up to a revision was told by the watch. */
  readonly reached: (revision: Revision, signal: AbortSignal) => Promise<void>;
  readonly watch: () => WatchState;
}

/**
 * Knows since when a replica may be behind. A watch on which nothing comes may be quiet or dead: every two seconds the
 * store is asked linearizably where it stands, and once the watch has come to there, the replica had everything of the
 * moment in which it asked. Where others write to the same cluster, the revision that was told may never come by the
 * watch; then a document of its own is written and deleted, which must come.
 */
export class Pulse {
  readonly #parts: PulseParts;
  #provedMs: number;
  /** The last question, not yet proved. */
  #asked: { readonly atMs: number } | undefined;

  constructor(parts: PulseParts, provedMs: number) {
    this.#parts = parts;
    this.#provedMs = provedMs;
  }

  /** Asks again and again until the signal aborts. */
  async run(): Promise<void> {
    const { alarm, signal } = this.#parts;
    while (!signal.aborted) {
      // A store that does not answer proves nothing, and the lag shows it.
      await this.#ask().catch(() => undefined);
      await pause(alarm, PULSE_MS, signal);
    }
  }

  /** Seconds since it last was surely at the end; 0 while it is asked as often as it should be and the watch stands. */
  lagSeconds(): number {
    const ageMs = Math.max(0, this.#parts.now() - this.#provedMs);
    return this.#parts.watch() === "stands" && ageMs <= MISSED_MAX * PULSE_MS ? 0 : ageMs / 1000;
  }

  async #ask(): Promise<void> {
    const { store, name, now, reached, signal } = this.#parts;
    const atMs = now();
    const key = keyOf("presence", `${name}/pulse`);
    const isStuck = this.#asked !== undefined && this.#parts.watch() === "stands";
    const asked = { atMs };
    this.#asked = asked;
    let { revision } = (await store.read({ key })).cursor;
    if (isStuck) {
      const value = JSON.stringify({ replica: name, hosts: [] });
      // A server that dies between the two leaves a document that ends by itself: it would be taken for one that lives.
      const lease = await store.grantLease(PULSE_LEASE_MS);
      ({ revision } = await store.transact({ compares: [], writes: [{ kind: "put", key, value, lease }] }));
      await lease.revoke();
    }
    void reached(revision, signal)
      .then(() => {
        this.#provedMs = Math.max(this.#provedMs, atMs);
        if (this.#asked === asked) this.#asked = undefined;
      })
      .catch(() => undefined);
  }
}
