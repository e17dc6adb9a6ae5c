// SPDX-License-Identifier: Apache-2.0

import type { Alarm } from "../store/alarm.ts";

/** Resolves after so many milliseconds of the alarm, or when the signal aborts. */
export function pause(alarm: Alarm, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const cancel = alarm(delayMs, resolve);
  const end = (): void => {
    cancel();
    resolve();
  };
  signal.addEventListener("abort", end, { once: true });
  return promise.finally(() => signal.removeEventListener("abort", end));
}
