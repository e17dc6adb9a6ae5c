// SPDX-License-Identifier: Apache-2.0

/** Rings once after so many milliseconds; what it answers cancels it. Leases know of time through this alone. */
export type Alarm = (delayMs: number, ring: () => void) => () => void;

/** Longest delay that Node's timers take, milliseconds; a longer one would ring at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** The process's own timer, which does not keep the process alive. It is monotonic: a clock that jumps ends no lease. */
export function setRealAlarm(delayMs: number, ring: () => void): () => void {
  const timer = setTimeout(ring, Math.min(delayMs, DELAY_MAX_MS));
  timer.unref();
  return () => clearTimeout(timer);
}
