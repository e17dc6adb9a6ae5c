// SPDX-License-Identifier: Apache-2.0

import type { Alarm } from "../alarm.ts";

interface Pending {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Alarms of a time that passes only when it is told to: for tests and simulations. */
export class ManualAlarm {
  #nowMs = 0;
  readonly #pending = new Set<Pending>();

  readonly set: Alarm = (delayMs, ring) => {
    const pending = { atMs: this.#nowMs + delayMs, ring };
    this.#pending.add(pending);
    return () => this.#pending.delete(pending);
  };

  /** Rings what falls due, earliest first, in the order in which it was set. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#pending].filter(({ atMs }) => atMs <= untilMs);
      const [next] = due.toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#nowMs = next.atMs;
      next.ring();
    }
    this.#nowMs = untilMs;
  }
}
