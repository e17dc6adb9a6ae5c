// SPDX-License-Identifier: Apache-2.0

import type { Room } from "./pool.ts";

/** Nothing fits. */
export const NO_ROOM: Room = { atLeast: 0, atMost: 0 };

/** Nothing is known: anything from none to no limit. */
export const UNKNOWN_ROOM: Room = { atLeast: 0, atMost: Infinity };

/** The interval of both bounds, never below 0 and never with its ends crossed: where they cross, the upper end holds. */
export function room(atLeast: number, atMost: number): Room {
  const upper = Math.max(0, atMost);
  return { atLeast: Math.max(0, Math.min(atLeast, upper)), atMost: upper };
}

/** What fits where two limits both apply. */
export function narrower(left: Room, right: Room): Room {
  return room(Math.min(left.atLeast, right.atLeast), Math.min(left.atMost, right.atMost));
}

/** Whether both ends are the same, so that the number is known. */
export function isKnown(value: Room): boolean {
  return value.atLeast === value.atMost;
}

/** The sum of a list of numbers. */
export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
