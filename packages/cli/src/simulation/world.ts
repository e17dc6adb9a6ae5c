// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { Control } from "@berth/server/http/control";
import { MemoryJournal } from "@berth/server/store/memory/memory-journal";
import { readPacks, readPolicy } from "../input/statements.ts";
import { makeChance, type Chance } from "./chance.ts";
import { keepLaws, type Laws } from "./laws.ts";
import { CALM, Network } from "./network.ts";
import { PARENT, SOURCE, SOURCE_UNITS, sourceDevice, specOf } from "./pool-hosts.ts";
import { checkAtRest, isAtRest } from "./quiet-laws.ts";
import type { Acknowledged } from "./simulated-client.ts";
import { SimulatedHypervisor } from "./simulated-hypervisor.ts";
import { SimulatedServer } from "./simulated-server.ts";
import { startStorm } from "./storm.ts";
import { VirtualTime } from "./virtual-time.ts";

/** What one run came to. */
export interface Run {
  readonly seed: number;
  /** Sorted by when it was found. */
  readonly violations: readonly string[];
  readonly told: Acknowledged;
  readonly revisions: number;
  /** Of everything that the store was ever told: equal runs have equal ones. */
  readonly digest: string;
}

const BEGAN_AT_MS = 1_790_000_000_000;
const SET_UP_MS = 180_000;
const STORM_MS = 90_000;
const REST_MS = 600_000;
const ENOUGH_VIOLATIONS = 5;

/** Lives through one seed: a storm, and what is left when it is over. State directories are made in `directory`. */
export async function liveThrough(seed: number, directory: string): Promise<Run> {
  const world = makeWorld(seed, directory);
  const { time, laws, violations } = world;
  const look = (): "go on" | "enough" => {
    laws.look();
    return violations.length >= ENOUGH_VIOLATIONS ? "enough" : "go on";
  };
  try {
    await setUp(world, look);
    const { chance } = world;
    const often = (): number => chance.pick([0.01, 0.03, 0.12]);
    world.network.weather = { lost: often(), doubled: often(), slow: often() };
    world.storm.faults = chance.pick([0, 0.01, 0.05]);
    const storm = startStorm(world);
    await time.runUntil(time.nowMs + STORM_MS, look);
    storm.end();
    await comeToRest(world, look);
  } catch (error) {
    violations.push(`fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  for (const server of world.servers) server.kill();
  for (const host of world.hosts.values()) host.kill();
  const { told, journal } = world;
  return { seed, violations, told, revisions: journal.revision, digest: digestOf(journal) };
}

/** Everything of one run. */
export interface World {
  readonly chance: Chance;
  readonly time: VirtualTime;
  readonly journal: MemoryJournal;
  readonly network: Network;
  readonly servers: readonly SimulatedServer[];
  readonly hosts: ReadonlyMap<string, SimulatedHypervisor>;
  readonly strangers: Map<string, Set<string>>;
  readonly told: Acknowledged;
  readonly laws: Laws;
  readonly violations: string[];
  readonly storm: { faults: number };
  readonly hasStrangers: boolean;
  readonly onFault: (error: unknown, where: string) => void;
}

function makeWorld(seed: number, directory: string): World {
  const chance = makeChance(seed);
  const time = new VirtualTime();
  const { violations, onViolation, onFault } = makeFindings(time);
  const journal = new MemoryJournal({ epoch: `seed-${seed}`, alarm: time.alarm });
  const network = new Network(time, chance.split(), onFault);
  const storm = { faults: 0 };
  const parts = { time, journal, policy: readPolicy({ assumePlatform: true }), packs: readPacks({}), onFault };
  const shared = { ...parts, beganAtMs: BEGAN_AT_MS, storeFaults: () => storm.faults };
  const servers = ["a", "b", "c"].map((name) => new SimulatedServer(name, shared, chance.split()));
  const hosts = new Map<string, SimulatedHypervisor>();
  const capacity = new Map(["node1", "node2", "node3"].map((name) => [name, 3 + chance.below(5)]));
  const hasStrangers = chance.is(0.4);
  const laws = keepLaws({ journal, hosts, capacity, onViolation });
  const hostWorld = {
    time,
    beganAtMs: BEGAN_AT_MS,
    network,
    servers,
    directory,
    onFault,
    onWrite: laws.noteWrite,
    onRefusal: (host: string, path: string, outcome: object) => {
      if (!hasStrangers) onViolation("S7", `the kernel of ${host} refuses ${path}: ${JSON.stringify(outcome)}`);
    },
  };
  for (const name of [SOURCE, ...capacity.keys()]) {
    hosts.set(name, new SimulatedHypervisor(specOf(name, capacity.get(name) ?? 32), hostWorld, chance.split()));
  }
  const told = makeTold();
  const strangers = new Map<string, Set<string>>();
  return {
    chance,
    time,
    journal,
    network,
    servers,
    hosts,
    strangers,
    told,
    laws,
    violations,
    storm,
    hasStrangers,
    onFault,
  };
}

function makeTold(): Acknowledged {
  return { granted: new Map(), confirmed: new Set(), released: new Set(), letGo: new Set(), refused: 0 };
}

/** What was found, each with the time at which it was. */
function makeFindings(time: VirtualTime) {
  const violations: string[] = [];
  const onViolation = (law: string, what: string): void => {
    violations.push(`${(time.nowMs / 1000).toFixed(3)} s ${law}: ${what}`);
  };
  const onFault = (error: unknown, where: string): void => {
    onViolation("S0", `${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  };
  return { violations, onViolation, onFault };
}

type Look = () => "go on" | "enough";

/** Servers start, hosts are enrolled, report and are handed over, in fair weather. */
async function setUp(world: World, look: Look): Promise<void> {
  const { time, servers, hosts } = world;
  for (const server of servers) server.start();
  await time.runUntil(time.nowMs + 10_000, look);
  const [first] = servers;
  const control = first?.served()?.server;
  if (control === undefined) throw new Error("A server does not start");
  const caller = { principal: "operator" };
  for (const host of hosts.values()) {
    const secret = control.agents.makeEnrolment({ host: host.name }, caller).then(async ({ token }) => {
      const answer = await control.agents.enrol({ ...parseEnrolmentToken(token), host: host.name });
      host.credential = answer.credential;
      host.startAgent();
    });
    await Promise.all([secret, time.runUntil(time.nowMs + 10_000, look)]);
  }
  const isShown = (host: string): boolean => (control.replica.view.findHost(host)?.host.pools.length ?? 0) > 0;
  while (![...hosts.keys()].every(isShown)) {
    if (time.nowMs > SET_UP_MS) throw new Error("A host does not report in fair weather");
    await time.runUntil(time.nowMs + 1000, look);
  }
  for (const name of [...hosts.keys()].filter((host) => host !== SOURCE)) {
    const adopted = control.orders.adopt({ host: name, parent: PARENT }, caller);
    await Promise.all([adopted, time.runUntil(time.nowMs + 5000, look)]);
  }
}

/** Fair weather, everybody alive, and time until nothing is under way. */
async function comeToRest(world: World, look: Look): Promise<void> {
  const { time, servers, hosts, network, storm, laws, told, strangers, violations } = world;
  network.weather = CALM;
  storm.faults = 0;
  const wake = (): void => {
    for (const server of servers) server.start();
    for (const host of hosts.values()) {
      host.doom = undefined;
      if (host.isPowered) host.startAgent();
    }
  };
  for (let waited = 0; waited < REST_MS && violations.length === 0; waited += 10_000) {
    wake();
    await time.runUntil(time.nowMs + 10_000, look);
    if (waited > 120_000 && isAtRest(laws.claims)) break;
  }
  if (violations.length > 0) return;
  const fresh = new SimulatedServer("fresh", { ...worldOfServers(world), storeFaults: () => 0 }, makeChance(1));
  fresh.start();
  await time.runUntil(time.nowMs + 15_000, look);
  const all = [...servers, fresh].map((server) => server.served()?.server);
  const onViolation = (law: string, what: string): void => void violations.push(`at rest ${law}: ${what}`);
  const controls = all.filter((control): control is Control => control !== undefined);
  if (controls.length !== all.length) onViolation("Q0", "a server does not serve");
  checkAtRest({
    claims: laws.claims,
    hosts: [...hosts.values()],
    strangers: sourceToo(strangers),
    told,
    servers: controls,
    onViolation,
  });
  fresh.kill();
}

function worldOfServers({ time, journal, onFault }: World) {
  return {
    time,
    journal,
    policy: readPolicy({ assumePlatform: true }),
    packs: readPacks({}),
    beganAtMs: BEGAN_AT_MS,
    onFault,
  };
}

/** The devices of the source are nobody's claim. */
function sourceToo(strangers: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map([...strangers, [SOURCE, new Set(SOURCE_UNITS.map(sourceDevice))]]);
}

function digestOf(journal: MemoryJournal): string {
  const { documents } = journal.read({ key: "", prefix: true });
  return createHash("sha256").update(JSON.stringify(documents)).digest("hex").slice(0, 16);
}
