// SPDX-License-Identifier: Apache-2.0

import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { valueOf, type Reading } from "@berth/core/device/evidence";
import type { HostAnswer } from "@berth/core/protocol/api/answers";
import type { FleetCounts, FleetOrder } from "./agents-fleet.ts";
import type { ServerState } from "./agents-server.ts";
import { nameOf } from "./claims-fleet.ts";

// Ten thousand agents of one server: the real uplink of each over sockets of its own, in two processes, a long poll open all
// the time; the server over its embedded store in another. How long until all have reported, what the server takes while
// nothing happens, how long a change takes to show in an answer, and how many reports it takes in when all hosts change at
// once. `node bench/agents.bench.ts [--agents N] [--seconds N] [--rescan MS]`; `--start N` measures instead how long a
// server takes to start with so many hosts in its store, which takes minutes. Exits with 1 where a change does not show.

const { values: options } = parseArgs({
  options: {
    agents: { type: "string", default: "10000" },
    seconds: { type: "string", default: "30" },
    rescan: { type: "string", default: "30000" },
    changes: { type: "string", default: "200" },
    start: { type: "string" },
  },
  strict: false,
});
const AGENTS = Number(options.agents);
const SECONDS = Number(options.seconds);
const FLEETS = 2;
/** Changes that are followed at once. */
const WATCHED = 4;
const PATIENCE_MS = 90_000;
/** An agent waits so long for the rest of the kernel's events before it looks. */
const SETTLE_MS = 200;
/** A hundred thousand hosts take more than the heap that Node gives by itself. */
const HEAP_MIB = 12_288;

interface Child<Told> {
  readonly process: ChildProcess;
  ask(order: object): Promise<Told>;
}

function start<Told>(file: string, args: readonly (string | number)[], flags: readonly string[] = []): Child<Told> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), {
    execArgv: ["--disable-warning=ExperimentalWarning", ...flags],
  });
  return {
    process: child,
    ask: (order) => {
      const answer = told<Told>(child);
      child.send(order);
      return answer;
    },
  };
}

function told<Told>(child: ChildProcess): Promise<Told> {
  return new Promise((resolve, reject) => {
    const end = (status: number | null): void => reject(new Error(`A process has ended with ${String(status)}`));
    child.once("exit", end);
    child.once("message", (message) => {
      child.off("exit", end);
      resolve(message as Told);
    });
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

interface Scene {
  readonly server: Child<ServerState>;
  readonly fleets: readonly Child<FleetCounts>[];
  readonly port: number;
}

async function countReports({ fleets }: Scene): Promise<Readonly<Record<string, number>>> {
  const sums: Record<string, number> = {};
  for (const { reports, failures, welcome } of await Promise.all(fleets.map((fleet) => fleet.ask({ kind: "count" })))) {
    for (const [kind, count] of Object.entries({ ...reports, failures, welcome })) {
      sums[kind] = (sums[kind] ?? 0) + count;
    }
  }
  return sums;
}

async function measureAgents(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-"));
  const server = start<ServerState>(
    "./agents-server.ts",
    [join(directory, "data"), AGENTS, "enrolled"],
    ["--expose-gc"],
  );
  const children: ChildProcess[] = [server.process];
  try {
    const { port } = await told<ServerState>(server.process);
    const began = await server.ask({});
    const startMs = performance.now();
    const each = Math.ceil(AGENTS / FLEETS);
    const fleets = Array.from({ length: FLEETS }, (_, at) => {
      const own = Math.min(each, AGENTS - at * each);
      return start<FleetCounts>("./agents-fleet.ts", [port, at * each, own, String(options.rescan)]);
    });
    children.push(...fleets.map((fleet) => fleet.process));
    const scene: Scene = { server, fleets, port };
    const all = await waitForHosts(scene, began);
    const { failures = 0 } = await countReports(scene);
    print("all have reported", `${((performance.now() - startMs) / 1000).toFixed(1)} s   ${perAgent(began, all)}`);
    print("", `${failures} requests failed and were tried again   ${memory(all)}`);
    await measureQuiet(scene);
    await measureLatency(scene);
    await measureBurst(scene, "look");
    await measureBurst(scene, "change");
  } finally {
    await Promise.all(children.toReversed().map(end));
    rmSync(directory, { recursive: true });
  }
}

/** Ends a process as it ends by itself; kills one that does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(timer);
}

async function waitForHosts({ server }: Scene, began: ServerState): Promise<ServerState> {
  const lastMs = performance.now() + PATIENCE_MS;
  for (let state = began; ; state = await server.ask({})) {
    if (state.hosts >= AGENTS) return state;
    if (performance.now() > lastMs) throw new Error(`After ${PATIENCE_MS} ms ${state.hosts} have reported`);
    await sleep(100);
  }
}

function perAgent(before: ServerState, after: ServerState): string {
  return `${((after.cpuUs - before.cpuUs) / AGENTS / 1000).toFixed(2)} ms of the server's processor for each`;
}

function memory({ residentMib, heapMib }: ServerState): string {
  return `${residentMib.toFixed(0)} MiB resident, ${heapMib.toFixed(0)} MiB of it heap`;
}

/** What the server takes while agents look again now and then, and nothing has changed. */
async function measureQuiet(scene: Scene): Promise<void> {
  await sleep(3000);
  const samples: { readonly atMs: number; readonly state: ServerState }[] = [];
  const collected = await scene.server.ask({ isCollected: true });
  const before = await countReports(scene);
  const endMs = performance.now() + SECONDS * 1000;
  while (performance.now() < endMs) {
    samples.push({ atMs: performance.now(), state: await scene.server.ask({}) });
    await sleep(1000);
  }
  const after = await countReports(scene);
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) throw new Error("Nothing was measured");
  const ms = last.atMs - first.atMs;
  const cpu = (last.state.cpuUs - first.state.cpuUs) / 10 / ms;
  const rate = (((after["unchanged"] ?? 0) - (before["unchanged"] ?? 0)) * 1000) / ms;
  const revisions = last.state.revision - first.state.revision;
  const { heapMib } = await scene.server.ask({ isCollected: true });
  const slope = slopeOf(samples.map(({ atMs, state }) => [atMs / 60_000, state.residentMib]));
  print(
    `quiet, ${(ms / 1000).toFixed(0)} s`,
    `${cpu.toFixed(1)}% of a processor   ${rate.toFixed(0)} digests/s taken in`,
  );
  const heap = `heap after collection ${collected.heapMib.toFixed(1)} MiB before and ${heapMib.toFixed(1)} MiB after`;
  print("", `${memory(last.state)}   ${slope.toFixed(1)} MiB a minute resident`);
  print("", `${heap}   ${revisions} revisions written`);
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return over / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** From a change of a host, with the kernel's event, to an answer of the API that shows it. */
async function measureLatency(scene: Scene): Promise<void> {
  const count = Math.min(Number(options.changes), AGENTS);
  const numbers = Array.from({ length: count }, (_, at) => (at * 7919) % AGENTS);
  const times: number[] = [];
  const agent = new Agent({ keepAlive: true });
  await Promise.all(
    Array.from({ length: WATCHED }, async () => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
        times.push(await timeChange(scene, agent, number));
      }
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? Number.NaN).toFixed(0);
  print(
    `${count} changes`,
    `seen in an answer after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${SETTLE_MS} ms of it the agent waits`,
  );
}

async function timeChange(scene: Scene, agent: Agent, number: number): Promise<number> {
  const before = await readLastCard(scene, agent, number);
  const order: FleetOrder = { kind: "change", hosts: [number] };
  for (const fleet of scene.fleets) fleet.process.send(order);
  const fromMs = performance.now();
  while ((await readLastCard(scene, agent, number)) === before) {
    if (performance.now() - fromMs > PATIENCE_MS) {
      process.exitCode = 1;
      console.log(`WRONG: a change of ${nameOf(number)} does not show`);
      break;
    }
    await sleep(2);
  }
  return performance.now() - fromMs;
}

/** How many more a host says to fit on its last card, by `GET /v1/hosts/{host}`. */
async function readLastCard({ port }: Scene, agent: Agent, number: number): Promise<number | undefined> {
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request({ agent, host: "127.0.0.1", port, path: `/v1/hosts/${nameOf(number)}` }, (response) => {
      response.toArray().then((chunks) => resolve(Buffer.concat(chunks as Buffer[]).toString("utf8")), reject);
    });
    sent.on("error", reject).end();
  });
  const { parents } = JSON.parse(text) as HostAnswer;
  return valueOf(parents.at(-1)?.types[0]?.availableInstances as Reading<number>);
}

/** All agents report at once, with news or without. */
async function measureBurst(scene: Scene, kind: "change" | "look"): Promise<void> {
  await sleep(1500);
  const what = kind === "change" ? "delta" : "unchanged";
  const before = await countReports(scene);
  const began = await scene.server.ask({});
  const fromMs = performance.now();
  for (const { process: child } of scene.fleets) child.send({ kind, hosts: "all" } satisfies FleetOrder);
  let taken = 0;
  while (taken < AGENTS && performance.now() - fromMs < PATIENCE_MS) {
    await sleep(50);
    taken = ((await countReports(scene))[what] ?? 0) - (before[what] ?? 0);
  }
  const seconds = (performance.now() - fromMs) / 1000;
  const rate = (taken / seconds).toFixed(0);
  const ended = await scene.server.ask({});
  print(
    `all at once, ${kind === "change" ? "deltas" : "digests"}`,
    `${rate}/s   ${perAgent(began, ended)}   ${memory(ended)}`,
  );
}

/** The start of a server whose store has so many hosts. */
async function measureStart(hosts: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "berth-bench-"));
  const data = join(directory, "data");
  try {
    const filler = start("./agents-server.ts", [data, hosts, "reported"]);
    await new Promise((resolve) => filler.process.once("exit", resolve));
    const server = start<ServerState>(
      "./agents-server.ts",
      [data, hosts, "there"],
      [`--max-old-space-size=${HEAP_MIB}`],
    );
    const state = await told<ServerState>(server.process);
    await end(server.process);
    if (state.hosts !== hosts) throw new Error(`${state.hosts} of ${hosts} hosts are there`);
    print(`${hosts} hosts in the store`, `ready after ${state.readySeconds.toFixed(1)} s   ${memory(state)}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function print(title: string, text: string): void {
  console.log(`  ${title.padEnd(28)}${text}`);
}

console.log(`${AGENTS} agents in ${FLEETS} processes, one server; load of the machine ${loadavg()[0]?.toFixed(1)}`);
if (typeof options.start === "string") await measureStart(Number(options.start));
else await measureAgents();
console.log(`load of the machine at the end ${loadavg()[0]?.toFixed(1)}`);
