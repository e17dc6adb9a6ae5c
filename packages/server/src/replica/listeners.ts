// SPDX-License-Identifier: Apache-2.0

/** Told of a listener that threw: a fault of its own, which keeps nobody else from hearing. */
export type OnListenerError = (error: unknown) => void;

/** Those who listen for one thing. */
export class Listeners {
  readonly #listeners = new Map<symbol, () => void>();
  readonly #onError: OnListenerError;

  constructor(onError: OnListenerError) {
    this.#onError = onError;
  }

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
    for (const listener of all) {
      try {
        listener();
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

/** Those who listen for what concerns one host each. */
export class HostListeners {
  readonly #byHost = new Map<string, Listeners>();
  readonly #onError: OnListenerError;

  constructor(onError: OnListenerError) {
    this.#onError = onError;
  }

  add(host: string, listener: () => void): () => void {
    const listeners = this.#byHost.get(host) ?? new Listeners(this.#onError);
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
