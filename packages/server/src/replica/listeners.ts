// SPDX-License-Identifier: Apache-2.0

/** Those who listen for one thing. A listener must not throw. */
export class Listeners {
  readonly #listeners = new Map<symbol, () => void>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Listens from now on; the answer ends it. */
  add(listener: () => void): () => void {
    const own = Symbol("listener");
    this.#listeners.set(own, listener);
    return () => void this.#listeners.delete(own);
  }

  tell(): void {
    const all = [...this.#listeners.values()];
    for (const listener of all) listener();
  }
}

/** Those who listen for what concerns one host each. */
export class HostListeners {
  readonly #byHost = new Map<string, Listeners>();

  add(host: string, listener: () => void): () => void {
    const listeners = this.#byHost.get(host) ?? new Listeners();
    this.#byHost.set(host, listeners);
    const end = listeners.add(listener);
    return () => {
      end();
      if (listeners.size === 0 && this.#byHost.get(host) === listeners) this.#byHost.delete(host);
    };
  }

  tell(hosts: Iterable<string>): void {
    for (const host of hosts) this.#byHost.get(host)?.tell();
  }
}
