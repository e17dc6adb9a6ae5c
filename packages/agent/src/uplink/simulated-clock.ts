// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "./clock.ts";

/** Time that passes only when a test says so, and then at once. */
export interface SimulatedClock extends Clock {
  /** Lets everything happen that is due before then, in the order of time. */
  run(ms: number): Promise<void>;
}

interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Makes a clock that stands at 0. */
export function simulatedClock(): SimulatedClock {
  let nowMs = 0;
  const timers = new Set<Timer>();
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const giveUp = (): void => {
          timers.delete(timer);
          reject(signal.reason as Error);
        };
        const ring = (): void => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        };
        const timer = { atMs: nowMs + ms, ring };
        timers.add(timer);
        signal.addEventListener("abort", giveUp, { once: true });
      }),
    run: async (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        await settle();
        const next = findNext(timers);
        if (next === undefined || next.atMs > endMs) break;
        timers.delete(next);
        nowMs = next.atMs;
        next.ring();
      }
      nowMs = endMs;
    },
  };
}

/** Timers of one instant ring in the order in which they were set. */
function findNext(timers: ReadonlySet<Timer>): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
  return next;
}

/** Returns when every promise that can settle has. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
