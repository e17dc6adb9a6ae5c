// SPDX-License-Identifier: Apache-2.0

/** Last millisecond that a Date holds. */
const LAST_MS = 8.64e15;

/** A moment as people and programs read it, UTC, whole seconds: `2026-11-20 14:41:00Z`. A moment that is none is `?`. */
export function formatInstant(milliseconds: number): string {
  if (!(Math.abs(milliseconds) <= LAST_MS)) return "?";
  return new Date(milliseconds)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d{3}Z$/, "Z");
}
