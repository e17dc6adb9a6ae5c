// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ClaimBook } from "@berth/server/claims/claim-book";
import { startControlPlane, type ControlPlane } from "@berth/server/control-plane/start-control-plane";
import { makeApiServer } from "@berth/server/http/make-server";
import { openEtcdStore } from "@berth/server/store/etcd/etcd-store";
import { findEtcd, startEtcd } from "@berth/server/store/etcd/started-etcd";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import type { Store, Transaction } from "@berth/server/store/store";
import { claimFromOutside, type ClaimRound, type ClaimWork } from "./claims-clients.ts";
import {
  fillStore,
  listDevices,
  listFleetWrites,
  PACKS,
  POLICY,
  RACE_DEVICE,
  RACE_HOSTS,
  RACE_UNITS,
  raceHost,
  type FleetDevice,
} from "./claims-fleet.ts";
import { compareStores, openReplayer, recordClaims, type RecordingStore, type Replayer } from "./claims-raw.ts";

// Durable claims a second through the whole of what decides them, beside the same transactions - same compares, same
// documents, same bytes - written by the same store with nothing around it; over the embedded store and over one member of
// etcd, in turns. Then over HTTP: claims with an idempotency key, search and claim together, and sixteen clients on the
// last places of one card, of which each must be granted exactly once. `node bench/claims.bench.ts [--hosts N] [--claims N]
// [--rounds N] [--store sqlite|etcd]`. A figure that misses its aim is marked and does not fail; a wrong answer does.

const { values: options } = parseArgs({
  options: {
    hosts: { type: "string", default: "1000" },
    claims: { type: "string" },
    rounds: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
    store: { type: "string" },
  },
  strict: false,
});
const HOSTS = Number(options.hosts);
const ROUNDS = Number(options.rounds);
/** Rounds that warm up before those that are measured. */
const WARM = 3;
const CLIENTS = 64;
const FEW_CLIENTS = 16;
const AIM = 0.5;

/** A control plane over a store, and another store of the same content that nothing follows. */
interface Scene {
  readonly name: string;
  /** Claims of a round. */
  readonly claims: number;
  readonly store: RecordingStore;
  readonly raw: Store;
  close(): Promise<void>;
}

async function openSqliteScene(): Promise<Scene> {
  const directory = mkdtempSync(join(String(options.directory), "berth-bench-"));
  const [store, raw] = await Promise.all([
    openSqliteStore({ directory: join(directory, "data") }),
    openSqliteStore({ directory: join(directory, "raw") }),
  ]);
  return {
    name: "embedded store",
    claims: Number(options.claims ?? 2000),
    store: recordClaims(store),
    raw,
    close: async () => {
      await Promise.all([store.close(), raw.close()]);
      rmSync(directory, { recursive: true });
    },
  };
}

/** One real member; undefined, and said so, where there is none on this machine. */
async function openEtcdScene(): Promise<Scene | undefined> {
  const program = await findEtcd();
  if (program.kind === "missing") {
    console.log(`\nNOT MEASURED over etcd: ${program.reason}`);
    return undefined;
  }
  const etcd = await startEtcd({ path: program.path, count: 1 });
  const { endpoints } = etcd;
  const store = await openEtcdStore({ endpoints });
  const raw = await openEtcdStore({ endpoints, root: "raw/1/" });
  return {
    name: "one member of etcd",
    claims: Number(options.claims ?? 600),
    store: recordClaims(store),
    raw,
    close: async () => {
      await Promise.all([store.close(), raw.close()]);
      await etcd.stop();
    },
  };
}

async function measureStore(scene: Scene): Promise<void> {
  const writes = listFleetWrites(HOSTS);
  await Promise.all([fillStore(scene.store, writes), fillStore(scene.raw, writes)]);
  const plane = await startPlane(scene.store);
  const replayer = await openReplayer(scene.raw);
  try {
    await measureClaims(scene, plane.control.claims, replayer);
    for (const prefix of ["ledger/", "claim/", "audit/"]) {
      if ((await compareStores(scene.store, scene.raw, prefix)) === "same") continue;
      fail(`the two stores do not hold the same ${prefix}`);
    }
    await measureHttp(scene, plane);
  } finally {
    await plane.close();
  }
}

async function startPlane(store: Store): Promise<ControlPlane> {
  const log = (line: string): void => console.log(line);
  return startControlPlane({ store, policy: POLICY, packs: PACKS, log, onFatal: ({ message }) => fail(message) });
}

let dealt = 0;
const DEVICES = listDevices(HOSTS);

/** The next devices, round and round: a device may be claimed for more than once. */
function dealDevices(count: number): readonly FleetDevice[] {
  return Array.from({ length: count }, () => DEVICES[dealt++ % DEVICES.length] as FleetDevice);
}

/** How many a second, and the processor time of this process for each, its threads included. */
interface Rate {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function rateOf(count: number, work: () => Promise<unknown>): Promise<Rate> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuUs: (user + system) / count };
}

/** Rounds of claims, each followed by the same transactions alone. */
async function measureClaims({ name, store, claims }: Scene, book: ClaimBook, replayer: Replayer): Promise<void> {
  const rows: { readonly claimed: Rate; readonly written: Rate }[] = [];
  let last: readonly Transaction[] = [];
  for (let round = 0; round < WARM + ROUNDS; round += 1) {
    const devices = dealDevices(claims);
    store.takeClaims();
    const claimed = await rateOf(claims, async () => claimAll(book, devices, `round${round}`));
    last = store.takeClaims();
    if (last.length !== claims) fail(`${claims} claims were asked for and ${last.length} written`);
    const written = await rateOf(claims, async () => replayer.replay(last, CLIENTS));
    if (round >= WARM) rows.push({ claimed, written });
  }
  const bytes = last.reduce((sum, { writes }) => sum + countBytes(writes), 0) / last.length;
  const [first] = last;
  const shape = `${first?.compares.length} compares, ${first?.writes.length} documents, ${bytes.toFixed(0)} bytes at the end`;
  console.log(`\n${name}: ${CLIENTS} clients, ${HOSTS} hosts; a claim is ${shape}`);
  for (const [title, kind] of [
    ["claims", "claimed"],
    ["the same transactions alone", "written"],
  ] as const) {
    const cpu = median(rows.map((row) => row[kind].cpuUs)).toFixed(0);
    print(title, `${perSecond(median(rows.map((row) => row[kind].perSecond)))}   ${cpu} us of processor each`);
  }
  const ratio = median(rows.map(({ claimed, written }) => claimed.perSecond / written.perSecond));
  print("ratio", `${ratio.toFixed(2)}   aim ${AIM}${ratio >= AIM ? "" : "  MISSED"}`);
}

function countBytes(writes: Transaction["writes"]): number {
  return writes.reduce((sum, write) => sum + (write.kind === "put" ? Buffer.byteLength(write.value) : 0), 0);
}

/** Claims for so many devices, each client one at a time. */
async function claimAll(book: ClaimBook, devices: readonly FleetDevice[], round: string): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let at = next++; at < devices.length; at = next++) {
        const device = devices[at] as FleetDevice;
        const idempotency = { key: `${round} ${at}`, request: "r".repeat(64) };
        const answer = await book.claim({ for: device, strategy: "spread" }, { principal: "bench", idempotency });
        if (answer.kind !== "granted") fail(`a claim was refused: ${JSON.stringify(answer).slice(0, 500)}`);
      }
    }),
  );
}

async function measureHttp({ name, store, claims }: Scene, { control }: ControlPlane): Promise<void> {
  const { view } = control.replica;
  const server = makeApiServer({ view, control, version: "0.0.0", tokens: () => undefined });
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const run = async (work: Omit<ClaimWork, "port">): Promise<ClaimRound> => claimFromOutside({ port, ...work });
  try {
    console.log(`\n${name}, over HTTP:`);
    for (const [title, work] of [
      ["claims, 64 clients", { clients: CLIENTS, to: "any", strategy: "spread" }],
      ["claims, 16 clients", { clients: FEW_CLIENTS, to: "any", strategy: "spread" }],
      ["search and claim, spread", { clients: FEW_CLIENTS, to: "search", strategy: "spread" }],
      ["search and claim, standard", { clients: FEW_CLIENTS, to: "search", strategy: "fragmentation" }],
    ] as const) {
      const rounds: ClaimRound[] = [];
      for (let round = 0; round < 3; round += 1) {
        const devices = dealDevices(claims);
        const made = await run({ ...work, devices, round: `${title.replaceAll(" ", "-")}-${round}` });
        if (made.others.length > 0) fail(`an answer that is no answer: ${made.others[0]}`);
        if (work.to === "any" && made.granted.length !== claims) fail(`${made.granted.length} of ${claims} granted`);
        if (round > 0) rounds.push(made);
      }
      printRounds(title, rounds);
    }
    await measureRaces(run);
  } finally {
    await server.close();
    store.takeClaims();
  }
}

/** Cards of which sixteen clients want more places than there are, one card after the other. */
async function measureRaces(run: (work: Omit<ClaimWork, "port">) => Promise<ClaimRound>): Promise<void> {
  const wanted = RACE_UNITS + FEW_CLIENTS * 4;
  const devices = Array.from({ length: wanted }, () => RACE_DEVICE);
  let seconds = 0;
  for (let race = 0; race < RACE_HOSTS; race += 1) {
    const host = raceHost(race);
    const made = await run({ clients: FEW_CLIENTS, devices, to: { host }, strategy: "spread", round: `race-${race}` });
    const ids = new Set(made.granted);
    const isExact = made.granted.length === RACE_UNITS && ids.size === RACE_UNITS;
    if (!isExact) fail(`${RACE_UNITS} places of ${host} were granted ${made.granted.length} times`);
    if (made.noRoom !== wanted - RACE_UNITS) fail(`${made.noRoom} heard that there is no room on ${host}`);
    if (made.others.length > 0) fail(`neither granted nor no room: ${made.others[0]}`);
    seconds += made.seconds;
  }
  const races = `${RACE_HOSTS} cards of ${RACE_UNITS} places, ${FEW_CLIENTS} clients`;
  print(races, `${perSecond((wanted * RACE_HOSTS) / seconds)}   each place granted once, all others told no room`);
}

function printRounds(title: string, rounds: readonly ClaimRound[]): void {
  const rate = median(rounds.map(({ timesMs, seconds }) => timesMs.length / seconds));
  const times = rounds.flatMap(({ timesMs }) => timesMs).toSorted((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? Number.NaN).toFixed(1);
  const again = rounds.reduce((sum, round) => sum + round.again, 0);
  const repeated = again === 0 ? "" : `   searched again ${again} times`;
  print(title, `${perSecond(rate)}   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms${repeated}`);
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString("en").padStart(7)}/s`;
}

function print(title: string, text: string): void {
  console.log(`  ${title.padEnd(30)}${text}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function fail(message: string): void {
  console.log(`WRONG: ${message}`);
  process.exitCode = 1;
}

const load = (): string => loadavg()[0]?.toFixed(1) ?? "unknown";
console.log(`load of the machine at the start ${load()}`);
for (const [name, openScene] of [
  ["sqlite", openSqliteScene],
  ["etcd", openEtcdScene],
] as const) {
  if (options.store !== undefined && options.store !== name) continue;
  const scene = await openScene();
  if (scene === undefined) continue;
  try {
    await measureStore(scene);
  } finally {
    await scene.close();
  }
}
console.log(`\nload of the machine at the end ${load()}`);
