// SPDX-License-Identifier: Apache-2.0

/** Chance under a seed: the same seed draws the same, whatever the machine. */
export interface Chance {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** True so often of 1. */
  is(probability: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** Lower case hex digits. */
  hex(length: number): string;
  /** A source of its own, which draws alike however often this one is asked afterwards. */
  split(): Chance;
}

/** Draws by mulberry32, whose state is 32 bits. */
export function makeChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    is: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => list[below(list.length)] as T,
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(""),
    split: () => makeChance(below(2 ** 31)),
  };
}

/** A random UUID of version 4. */
export function drawUuid(chance: Chance): string {
  const hex = chance.hex(30);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(12, 15)}-8${hex.slice(15, 18)}-${hex.slice(18)}`;
}
