// SPDX-License-Identifier: Apache-2.0

/** A stream of numbers that depends on its seed alone (xorshift32), so that every run sees the same fleet. */
export interface SeededNumbers {
  /** An integer from 0 up to, not including, `bound`. */
  readonly below: (bound: number) => number;
}

/** Starts a stream; the seed is an integer. */
export function seededNumbers(seed: number): SeededNumbers {
  let state = (seed ^ 0x9e3779b9) | 1;
  const below = (bound: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
  for (let round = 0; round < 16; round += 1) below(1);
  return { below };
}
