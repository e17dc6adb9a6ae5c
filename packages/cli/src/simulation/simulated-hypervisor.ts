// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import { join } from "node:path";
import { openFollower } from "@berth/agent/follow/open-follower";
import { findDeviceUse } from "@berth/agent/host/device-users";
import type { HostWriter, Written } from "@berth/agent/provision/host-writer";
import type { ServerLine } from "@berth/agent/uplink/agent-parts";
import { raiseGeneration } from "@berth/agent/uplink/agent-state";
import { startAgent } from "@berth/agent/uplink/start-agent";
import { known } from "@berth/core/device/evidence";
import type { AgentClient } from "@berth/core/protocol/agent/agent-client";
import type { Control } from "@berth/server/http/control";
import { simulateHost, type SimulatedHost, type SimulatedHostSpec } from "@berth/simulator/machine/host";
import { HYPERVISOR_FACTS } from "../input/demo-fleet.ts";
import type { Chance } from "./chance.ts";
import type { Network, Target } from "./network.ts";
import { beginLife, type Life, type VirtualTime } from "./virtual-time.ts";

/** What all hosts of a simulation have in common. */
export interface HostWorld {
  readonly time: VirtualTime;
  readonly beganAtMs: number;
  readonly network: Network;
  readonly servers: readonly Target<Control>[];
  /** State directories are made here. */
  readonly directory: string;
  /** Told of each write of an agent before it is made. */
  readonly onWrite: (host: string, path: string, text: string) => void;
  readonly onRefusal: (host: string, path: string, outcome: Written) => void;
  readonly onFault: (error: unknown, where: string) => void;
}

/** A request of an agent as it came in. */
interface Asked<B> {
  readonly agents: Control["agents"];
  readonly host: string;
  readonly body: B;
  readonly gone: AbortSignal;
}

/** A host with its kernel and its agent, both of which die and begin again. */
export class SimulatedHypervisor {
  readonly name: string;
  kernel: SimulatedHost;
  credential = "";
  /** The agent dies at so many writes from now, before or after the write. */
  doom: { left: number; readonly when: "before" | "after" } | undefined;
  isPowered = true;
  readonly #spec: SimulatedHostSpec;
  readonly #world: HostWorld;
  readonly #chance: Chance;
  #life: Life = beginLife();
  #state: string;
  #copies = 0;

  constructor(spec: SimulatedHostSpec, world: HostWorld, chance: Chance) {
    this.name = spec.name;
    this.kernel = simulateHost(spec);
    this.#spec = spec;
    this.#world = world;
    this.#chance = chance;
    this.#state = join(world.directory, `${spec.name}-0`);
    fs.mkdirSync(this.#state, { mode: 0o700 });
    this.#life.end();
  }

  get isAlive(): boolean {
    return !this.#life.isOver;
  }

  /** The agent dies at this instant. What it still does in its own memory touches neither the host nor its state. */
  kill(): void {
    if (this.#life.isOver) return;
    this.#copies += 1;
    const next = join(this.#world.directory, `${this.name}-${this.#copies}`);
    fs.cpSync(this.#state, next, { recursive: true });
    this.#state = next;
    this.doom = undefined;
    this.#life.end();
  }

  /** The host loses power: agent and devices are gone. */
  powerOff(): void {
    this.kill();
    this.isPowered = false;
    this.kernel = simulateHost({ ...this.#spec, devices: [] });
  }

  powerOn(): void {
    this.isPowered = true;
    this.startAgent();
  }

  /** Starts the agent where it does not run. */
  startAgent(): void {
    if (this.isAlive || !this.isPowered) return;
    const { time, beganAtMs, servers, onFault } = this.#world;
    const life = beginLife();
    this.#life = life;
    const stateDirectory = this.#state;
    const facts = Object.entries(HYPERVISOR_FACTS).map(([fact, value]) => {
      return [fact, known(value, { host: this.name, source: "script", path: "simulated", text: value })] as const;
    });
    const agent = startAgent({
      servers: this.#chance.is(0.5) ? servers.map(this.#lineOf) : servers.map(this.#lineOf).toReversed(),
      follower: openFollower({
        host: this.name,
        look: () => this.kernel.tree,
        writer: this.#writerOf(life),
        runner: { run: () => Promise.resolve({ kind: "not-started", errno: "ENOENT" }) },
        mdevctl: { kind: "unusable", why: "a simulated host has no mdevctl" },
        tool: "sysfs",
        stateDirectory,
        useOf: (identity) => findDeviceUse(this.kernel.tree, identity),
        readFacts: () => Promise.resolve({ facts: Object.fromEntries(facts), problems: [] }),
        now: () => beganAtMs + time.nowMs,
        log: () => undefined,
      }),
      host: this.name,
      version: "1",
      generation: raiseGeneration(stateDirectory),
      session: this.#chance.hex(32),
      rescanMs: 12_000,
      clock: time.clockOf(life),
      random: () => this.#chance.next(),
      log: () => undefined,
    });
    agent.ended.catch((error: unknown) => {
      if (!life.isOver) onFault(error, `the agent of ${this.name}`);
    });
  }

  #writerOf(life: Life): HostWriter {
    return {
      write: (path, text) => {
        if (!life.isOver && this.#isDoomed("before")) this.#die();
        if (life.isOver) return { kind: "failed", errno: "EIO" };
        this.#world.onWrite(this.name, path, text);
        const outcome = this.kernel.tree.write(path, text);
        if (outcome.kind === "failed") this.#world.onRefusal(this.name, path, outcome);
        if (this.#isDoomed("after")) this.#die();
        return life.isOver ? { kind: "failed", errno: "EIO" } : outcome;
      },
    };
  }

  #isDoomed(when: "before" | "after"): boolean {
    if (this.doom?.when !== when) return false;
    this.doom.left -= 1;
    return this.doom.left < 0;
  }

  #die(): void {
    this.kill();
    this.#world.time.alarm(500 + this.#chance.below(5000), () => this.startAgent());
  }

  readonly #lineOf = (to: Target<Control>): ServerLine => {
    const from = this.#life;
    const { network } = this.#world;
    const { credential } = this;
    const send = <B, A>(body: B, ask: (asked: Asked<B>) => Promise<A>, signal?: AbortSignal): Promise<A> =>
      network.send({
        from,
        to,
        body,
        signal,
        ask: async ({ agents }, copied: B, gone) =>
          ask({ agents, host: agents.authenticate(credential), body: copied, gone }),
      });
    const client: AgentClient = {
      enrol: () => Promise.reject(new Error("An agent that runs is enrolled")),
      hello: (request) => send(request, ({ agents, host, body }) => agents.hello(host, body)),
      report: (request) => send(request, ({ agents, host, body }) => agents.report(host, body)),
      desired: (request, options) => {
        const signal = options?.signal as AbortSignal | undefined;
        return send(request, ({ agents, host, body, gone }) => agents.desired(host, body, gone), signal);
      },
      tell: (request) => send(request, ({ agents, host, body }) => agents.hear(host, body)),
    };
    return { place: to.name, client };
  };
}

/** The devices that stand on a host with their units, sorted by id. */
export function listDevices({ tree }: SimulatedHost): ReadonlyMap<string, number> {
  const found = tree.list("/sys/bus/mdev/devices");
  const names = found.kind === "names" ? found.names : [];
  return new Map(
    names.map((uuid) => {
      const read = tree.read(`/sys/bus/mdev/devices/${uuid}/aggregator`, 4096);
      return [uuid, read.kind === "text" ? Number(read.text) : Number.NaN];
    }),
  );
}
