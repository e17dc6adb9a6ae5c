// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "@berth/agent/uplink/clock";
import type { Alarm } from "@berth/server/store/alarm";

/** One life of a process. When it is over, nothing that was begun in it goes on. */
export interface Life {
  readonly isOver: boolean;
  /** Called once, when it is over. */
  onEnd(listener: () => void): void;
  end(): void;
}

/** Begins a life. */
export function beginLife(): Life {
  let isOver = false;
  const listeners: (() => void)[] = [];
  return {
    get isOver() {
      return isOver;
    },
    onEnd: (listener) => void (isOver ? listener() : listeners.push(listener)),
    end: () => {
      if (isOver) return;
      isOver = true;
      for (const listener of listeners) listener();
    },
  };
}

/** What never comes: who waits for it has died. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

interface Timer {
  readonly atMs: number;
  readonly ring: () => void;
}

/** Time that passes only from one thing that happens to the next, one at a time and always in the same order. */
export class VirtualTime {
  /** Milliseconds since the beginning. */
  nowMs = 0;
  readonly #timers = new Set<Timer>();

  readonly alarm: Alarm = (delayMs, ring) => {
    const timer = { atMs: this.nowMs + Math.max(0, Math.ceil(delayMs)), ring };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.alarm(ms, resolve));
  }

  /** Alarms of one life: none rings after it. */
  alarmOf(life: Life): Alarm {
    return (delayMs, ring) =>
      this.alarm(delayMs, () => {
        if (!life.isOver) ring();
      });
  }

  /** The clock of one life: who sleeps when it ends never wakes. */
  clockOf(life: Life): Clock {
    return {
      now: () => this.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) {
            reject(signal.reason as Error);
            return;
          }
          const giveUp = (): void => {
            cancel();
            if (!life.isOver) reject(signal.reason as Error);
          };
          const cancel = this.alarm(ms, () => {
            signal.removeEventListener("abort", giveUp);
            if (!life.isOver) resolve();
          });
          signal.addEventListener("abort", giveUp, { once: true });
        }),
    };
  }

  /** Lets everything happen that is due by then; `look` is called after each thing, and ends it by saying so. */
  async runUntil(endMs: number, look: () => "go on" | "enough"): Promise<void> {
    for (;;) {
      await settle();
      if (look() === "enough") return;
      const next = this.#findNext();
      if (next === undefined || next.atMs > endMs) break;
      this.#timers.delete(next);
      this.nowMs = next.atMs;
      next.ring();
    }
    this.nowMs = endMs;
  }

  /** Timers of one instant ring in the order in which they were set. */
  #findNext(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    return next;
  }
}

/** Returns when every promise that can settle has. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
