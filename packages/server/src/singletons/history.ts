// SPDX-License-Identifier: Apache-2.0

import type { Revision } from "../store/store.ts";

/** Revisions with the time at which each was the newest. */
export interface Moment {
  readonly atMs: number;
  readonly revision: Revision;
}

/**
 * Remembers where the store stood, to forget its history up to a moment that is long enough ago. A clock that jumps back
 * only makes it wait.
 */
export class History {
  readonly #keptMs: number;
  #moments: Moment[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Takes a moment down, and answers up to which revision history may be forgotten; undefined: nothing yet. */
  note(moment: Moment): Revision | undefined {
    const last = this.#moments.at(-1);
    if (last !== undefined && moment.atMs < last.atMs) this.#moments = [];
    this.#moments.push(moment);
    const old = this.#moments.findLastIndex(({ atMs }) => moment.atMs - atMs >= this.#keptMs);
    if (old < 0) return undefined;
    const { revision } = this.#moments[old] ?? moment;
    this.#moments = this.#moments.slice(old + 1);
    return revision;
  }
}
