// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";

/** Time as the agent sees it: the machine's, or a made-up one in which a test lets hours pass at once. */
export interface Clock {
  /** Milliseconds that only ever grow, whatever is done to the wall clock. */
  now(): number;
  /** Rejects with the signal's reason where that aborts first. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own time. */
export function systemClock(): Clock {
  return { now: () => performance.now(), sleep: sleepReally };
}

function sleepReally(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const giveUp = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    }, ms);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}

/** How long something may take, and what calls it off before. */
export interface Limit {
  readonly clock: Clock;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Waits for an answer no longer than the limit allows, and then for nothing: what is asked is told by its signal, and
 * one that does not listen is left behind. Throws BerthError `server_unreachable` when time is over, the signal's
 * reason when that aborts.
 */
export async function askWithin<T>(limit: Limit, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  limit.signal.throwIfAborted();
  const over = new AbortController();
  const callOff = (): void => over.abort(limit.signal.reason);
  limit.signal.addEventListener("abort", callOff, { once: true });
  const timeout = limit.clock.sleep(limit.ms, over.signal).then(() => {
    throw new BerthError("server_unreachable", `The server did not answer within ${limit.ms / 1000} s`);
  });
  const answer = ask(over.signal);
  // Whichever of the two loses is heard by nobody.
  timeout.catch(() => undefined);
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    limit.signal.removeEventListener("abort", callOff);
    over.abort(new Error("The wait is over"));
  }
}

/** One who waits for time to pass or for being woken. */
export interface Wakeup {
  /** Wakes who waits, or the next who would. */
  wake(): void;
  /** Returns at that time of the clock, or when woken. Rejects with the signal's reason. */
  waitUntil(atMs: number, signal: AbortSignal): Promise<void>;
}

/** Makes a wakeup for one waiter. */
export function makeWakeup(clock: Clock): Wakeup {
  let isWoken = false;
  let stopWaiting: () => void = () => undefined;
  return {
    wake: () => {
      isWoken = true;
      stopWaiting();
    },
    waitUntil: async (atMs, signal) => {
      signal.throwIfAborted();
      const wait = new AbortController();
      stopWaiting = () => wait.abort(new Error("Woken"));
      const callOff = (): void => wait.abort(signal.reason);
      signal.addEventListener("abort", callOff, { once: true });
      try {
        if (!isWoken) await clock.sleep(Math.max(0, atMs - clock.now()), wait.signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isWoken) throw error;
      } finally {
        signal.removeEventListener("abort", callOff);
        stopWaiting = () => undefined;
        isWoken = false;
      }
    },
  };
}
