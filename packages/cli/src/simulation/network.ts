// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";
import type { Chance } from "./chance.ts";
import type { Life, VirtualTime } from "./virtual-time.ts";

/** How bad a network is; each is a part of 1. */
export interface Weather {
  /** Requests, and answers, that never arrive. */
  readonly lost: number;
  /** Requests that arrive twice. */
  readonly doubled: number;
  /** Messages that take seconds. */
  readonly slow: number;
}

export const CALM: Weather = { lost: 0, doubled: 0, slow: 0 };

/** Where requests go. */
export interface Target<S> {
  readonly name: string;
  /** Who serves there now, and how long it lives; undefined: nobody. */
  readonly served: () => { readonly life: Life; readonly server: S } | undefined;
}

/** One request. What is asked gets a copy of the body, as does whoever hears the answer. */
export interface Sent<S, B, A> {
  readonly from: Life;
  readonly to: Target<S>;
  readonly body: B;
  readonly ask: (server: S, body: B, signal: AbortSignal) => Promise<A>;
  /** Aborts the wait, and a little later the request itself. */
  readonly signal?: AbortSignal | undefined;
  /** Neither lost nor doubled nor slow. */
  readonly isSure?: boolean;
}

const FAST_MS = 60;
const SLOW_MS = 25_000;

/** A network between processes of one simulation, which delays, loses, doubles and overtakes. */
export class Network {
  weather: Weather = CALM;
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #onFault: (error: unknown, where: string) => void;

  /** `onFault` is told of every error without a code: a server must not have any. */
  constructor(time: VirtualTime, chance: Chance, onFault: (error: unknown, where: string) => void) {
    this.#time = time;
    this.#chance = chance;
    this.#onFault = onFault;
  }

  /** Sends a request. It may never be answered; whoever asks waits no longer than it likes. */
  send<S, B, A>(sent: Sent<S, B, A>): Promise<A> {
    const { from, signal } = sent;
    return new Promise<A>((resolve, reject) => {
      const gone = new AbortController();
      const leave = (): void => {
        if (!from.isOver) reject(signal?.reason as Error);
        this.#time.alarm(this.#delay(sent), () => gone.abort(new Error("The caller went away")));
      };
      if (signal?.aborted === true) {
        leave();
        return;
      }
      signal?.addEventListener("abort", leave, { once: true });
      from.onEnd(() => void this.#time.alarm(1, () => gone.abort(new Error("The caller died"))));
      const settle = (act: () => void): void => {
        if (this.#isLost(sent)) return;
        this.#time.alarm(this.#delay(sent), () => {
          signal?.removeEventListener("abort", leave);
          if (!from.isOver) act();
        });
      };
      const arrive = (answer: { readonly isHeard: boolean }): void => {
        this.#deliver(sent, gone.signal).then(
          (value) => answer.isHeard && settle(() => resolve(value)),
          (error: unknown) => answer.isHeard && settle(() => reject(error as Error)),
        );
      };
      if (!this.#isLost(sent)) this.#time.alarm(this.#delay(sent), () => arrive({ isHeard: true }));
      if (sent.isSure !== true && this.#chance.is(this.weather.doubled)) {
        this.#time.alarm(this.#delay(sent), () => arrive({ isHeard: false }));
      }
    });
  }

  async #deliver<S, B, A>({ to, body, ask }: Sent<S, B, A>, signal: AbortSignal): Promise<A> {
    const found = to.served();
    if (found === undefined) throw new BerthError("server_unreachable", `${to.name} is away`);
    const { life, server } = found;
    const dead = new Promise<never>((_, reject) => {
      life.onEnd(() => reject(new BerthError("server_unreachable", `${to.name} went away`)));
    });
    dead.catch(() => undefined);
    const work = ask(server, copy(body), signal).catch((error: unknown) => {
      // A server that died in the middle of it has no faults.
      const isFault = !(error instanceof BerthError) && !signal.aborted && !life.isOver;
      if (isFault) this.#onFault(error, to.name);
      throw error instanceof BerthError ? error : new BerthError("internal", "Berth itself is at fault");
    });
    return copy(await Promise.race([work, dead]));
  }

  #isLost({ isSure }: Pick<Sent<never, never, never>, "isSure">): boolean {
    return isSure !== true && this.#chance.is(this.weather.lost);
  }

  #delay({ isSure }: Pick<Sent<never, never, never>, "isSure">): number {
    const isSlow = isSure !== true && this.#chance.is(this.weather.slow);
    return 1 + this.#chance.below(isSlow ? SLOW_MS : FAST_MS);
  }
}

/** As it comes out of JSON at the other end. */
function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
