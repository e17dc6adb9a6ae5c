// SPDX-License-Identifier: Apache-2.0

import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import type { Policy } from "@berth/core/compatibility/policy";
import { BerthError } from "@berth/core/protocol/berth-error";
import { startControlPlane } from "@berth/server/control-plane/start-control-plane";
import type { Control } from "@berth/server/http/control";
import { MemoryStore } from "@berth/server/store/memory/memory-store";
import type { MemoryJournal } from "@berth/server/store/memory/memory-journal";
import { drawUuid, type Chance } from "./chance.ts";
import type { Target } from "./network.ts";
import { beginLife, never, type Life, type VirtualTime } from "./virtual-time.ts";

/** What all servers of a simulation have in common. */
export interface ServerWorld {
  readonly time: VirtualTime;
  readonly journal: MemoryJournal;
  readonly policy: Policy;
  readonly packs: readonly LoadedPack[];
  /** Milliseconds since 1970 at the beginning. */
  readonly beganAtMs: number;
  /** How often the store fails an operation, before it or after: part of 1. */
  readonly storeFaults: () => number;
  readonly onFault: (error: unknown, where: string) => void;
}

/** One of several servers over one store, which dies and starts again. */
export class SimulatedServer implements Target<Control> {
  readonly name: string;
  readonly #world: ServerWorld;
  readonly #chance: Chance;
  #starts = 0;
  #drawn = 0;
  #life: Life | undefined;
  #control: Control | undefined;

  constructor(name: string, world: ServerWorld, chance: Chance) {
    this.name = name;
    this.#world = world;
    this.#chance = chance;
  }

  readonly served = (): { readonly life: Life; readonly server: Control } | undefined => {
    if (this.#life === undefined || this.#control === undefined) return undefined;
    return { life: this.#life, server: this.#control };
  };

  kill(): void {
    this.#life?.end();
    this.#life = undefined;
    this.#control = undefined;
  }

  /** Starts it where it does not run; one that cannot start is started again, as a service manager does. */
  start(): void {
    if (this.#life !== undefined) return;
    const { time, journal, policy, packs, beganAtMs, onFault } = this.#world;
    const life = beginLife();
    this.#life = life;
    this.#starts += 1;
    const now = (): number => beganAtMs + time.nowMs;
    const store = new MemoryStore(journal, (moment) => this.#turn(life, moment));
    const starting = startControlPlane({
      store,
      policy,
      packs,
      name: `${this.name}.${this.#starts}`,
      log: () => undefined,
      onFatal: (error) => onFault(error, `${this.name} cannot go on`),
      now,
      passed: () => time.nowMs,
      newId: () => this.#newId(now()),
      newUuid: () => drawUuid(this.#chance),
      newSecret: () => this.#chance.hex(64),
      alarm: time.alarmOf(life),
    });
    starting.then(
      ({ control }) => {
        if (!life.isOver) this.#control = control;
      },
      (error: unknown) => {
        if (life.isOver) return;
        if (!(error instanceof BerthError)) onFault(error, this.name);
        this.kill();
        time.alarm(1000, () => this.start());
      },
    );
  }

  /** Each operation of the store takes its time, and may fail before its effect or after it. */
  async #turn(life: Life, moment: "before" | "after"): Promise<void> {
    if (life.isOver) await never();
    await this.#world.time.sleep(this.#chance.is(0.02) ? this.#chance.below(3000) : this.#chance.below(4));
    if (life.isOver) await never();
    if (!this.#chance.is(this.#world.storeFaults())) return;
    throw new BerthError("store_unavailable", `The store fails ${moment} it does what it was asked`);
  }

  #newId(nowMs: number): string {
    this.#drawn += 1;
    return `${nowMs.toString(32).padStart(10, "0")}${this.name}${String(this.#drawn).padStart(8, "0")}`;
  }
}
