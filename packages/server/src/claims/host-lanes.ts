// SPDX-License-Identifier: Apache-2.0

/**
 * One lane a host: what one process does to the claims of a host it does one after the other, so that it never meets
 * itself in a conflict. Hosts do not wait for each other.
 */
export class HostLanes {
  readonly #ends = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, number>();

  /** Does a piece of work after all that was given for the host before; its failure is the caller's alone. */
  async run<T>(host: string, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(host);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(host, promise);
    this.#waiting.set(host, this.countWaiting(host) + 1);
    try {
      if (before !== undefined) await before;
      return await work();
    } finally {
      this.#leave(host, promise);
      resolve();
    }
  }

  /** Pieces of work of a host that have not ended. */
  countWaiting(host: string): number {
    return this.#waiting.get(host) ?? 0;
  }

  #leave(host: string, own: Promise<void>): void {
    if (this.#ends.get(host) === own) this.#ends.delete(host);
    const left = this.countWaiting(host) - 1;
    if (left > 0) this.#waiting.set(host, left);
    else this.#waiting.delete(host);
  }
}
