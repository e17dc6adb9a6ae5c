// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from "node:child_process";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { CandidatesRequest } from "@berth/core/protocol/api/requests";
import { ENDPOINTS } from "@berth/core/protocol/api/endpoints";
import { answerCandidates } from "@berth/server/http/question-answers";
import { requireBody } from "@berth/server/http/request-parts";
import { askFromOutside, type Round } from "./http-clients.ts";
import { claimFor, SEED, serveFleet, type ServedFleet } from "./http-fleet.ts";

// Measures `POST /v1/candidates` (ten best, one device) beside a handler of the same server that holds the request against
// the same schema and answers with one canned answer: what HTTP and JSON alone cost. Sixteen clients in a process of their
// own, the two in turns, every question about a device that was not asked about before. `node bench/http.bench.ts [--hosts N]`;
// without a number each size runs in a process of its own. Figures that miss their aim are marked and do not fail; a text that is not the answer does.

const CLIENTS = 16;
/** Rounds that warm up, then rounds that are measured: a server that has run for a while has met most pairs of forms. */
const WARM = 8;
const ROUNDS = 5;
const REQUESTS = 4000;
/** Claims that are made meanwhile in the rounds that come last. */
const CLAIMS_A_SECOND = 100;
/** Answers that are compared with those that are not written from what is kept. */
const COMPARED = 200;
const SIZES = [10_000, 100_000];
/** A hundred thousand hosts take more than the heap that Node gives by itself. */
const HEAP_MIB = 12_288;
const AIMS = { ratio: 0.7, p99Ms: 10 };
/** With the young generation that Node gives by itself, garbage is collected every two hundred answers (docs/operations.md). */
const YOUNG_MIB = 64;
const PATHS = ["/canned", "/v1/candidates"] as const;

/** One round and the processor time that the server had in it. */
interface Measured extends Round {
  readonly serverCpuUs: number;
}

async function measure(hosts: number): Promise<void> {
  const before = process.memoryUsage();
  const served = serveFleet(hosts, REQUESTS * (WARM + ROUNDS));
  await addCanned(served);
  await served.server.listen({ host: "127.0.0.1", port: 0 });
  reportBuild(served, hosts, before);
  const rounds: Record<string, Measured[]> = { "/canned": [], "/v1/candidates": [] };
  for (let round = 0; round < WARM + ROUNDS; round += 1) {
    for (const path of PATHS) {
      const measured = await measureRound(served, path, round);
      if (round >= WARM) rounds[path]?.push(measured);
    }
  }
  reportRounds(rounds);
  reportFigures(`with ${CLAIMS_A_SECOND} claims/s`, sumUp(await measureWhileClaimed(served)));
  await compareAnswers(served);
  await served.server.close();
}

async function addCanned({ server, bodies }: ServedFleet): Promise<void> {
  const canned: { answer: unknown } = { answer: undefined };
  server.post("/canned", async ({ body }) => {
    requireBody(ENDPOINTS.findCandidates, body);
    return canned.answer;
  });
  const sample = await server.inject({
    method: "POST",
    url: "/v1/candidates",
    body: JSON.parse(bodies.at(-1) ?? "{}"),
  });
  canned.answer = sample.json();
}

/** As many rounds of the same questions, while the best places of others are taken one after another, as claims do. */
async function measureWhileClaimed(served: ServedFleet): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  let claimed = 0;
  const timer = setInterval(() => {
    claimFor(served, claimed);
    claimed += 1;
  }, 1000 / CLAIMS_A_SECOND);
  for (let round = 0; round < ROUNDS; round += 1) {
    measured.push(await measureRound(served, "/v1/candidates", WARM + round));
  }
  clearInterval(timer);
  return measured;
}

async function measureRound({ server, bodies }: ServedFleet, path: string, round: number): Promise<Measured> {
  const { port } = server.server.address() as AddressInfo;
  // Small fleets have fewer devices than questions: then some are asked about again.
  const asks = Array.from({ length: REQUESTS }, (_, at) => bodies[(round * REQUESTS + at) % bodies.length] ?? "");
  const cpu = process.cpuUsage();
  const asked = { port, path, bodies: asks, clients: CLIENTS };
  const measured = await askFromOutside(asked);
  const { user, system } = process.cpuUsage(cpu);
  return { ...measured, serverCpuUs: (user + system) / measured.requests };
}

function reportBuild({ view, buildSeconds }: ServedFleet, hosts: number, before: NodeJS.MemoryUsage): void {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const held = heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers;
  const places = view.index.places.length - view.index.places.vacant.length;
  console.log(
    `${hosts} hosts, ${places} places, seed ${SEED}: seen in ${buildSeconds.toFixed(1)} s, ` +
      `${(held / hosts / 1024).toFixed(1)} KiB a host, ${(rss / 2 ** 30).toFixed(2)} GiB resident`,
  );
}

function reportRounds(rounds: Readonly<Record<string, readonly Measured[]>>): void {
  const figures = PATHS.map((path) => ({ path, ...sumUp(rounds[path] ?? []) }));
  for (const { path, ...figure } of figures) reportFigures(path, figure);
  const [canned, real] = figures;
  if (canned === undefined || real === undefined) throw new Error("Nothing was measured");
  const ratio = real.perSecond / canned.perSecond;
  console.log(`ratio ${ratio.toFixed(2)}   aim ${AIMS.ratio}${ratio >= AIMS.ratio ? "" : "  MISSED"}`);
  console.log(`p99 ${real.p99Ms.toFixed(2)} ms   aim ${AIMS.p99Ms}${real.p99Ms <= AIMS.p99Ms ? "" : "  MISSED"}`);
}

type Figures = Record<"perSecond" | "p50Ms" | "p99Ms" | "cpuUs" | "failed" | "bytes", number>;

function reportFigures(name: string, { perSecond, p50Ms, p99Ms, cpuUs, failed, bytes }: Figures): void {
  console.log(
    `${name.padEnd(17)} ${perSecond.toFixed(0).padStart(6)} requests/s   p50 ${p50Ms.toFixed(2)} ms   p99 ${p99Ms.toFixed(2)} ms   ` +
      `server ${cpuUs.toFixed(0)} us a request   ${(bytes / 1024).toFixed(1)} KiB   failed ${failed}`,
  );
  if (failed > 0) process.exitCode = 1;
}

/** The median round's rate; percentiles of the requests of all rounds together. */
function sumUp(rounds: readonly Measured[]): Figures {
  const rates = rounds.map(({ requests, seconds }) => requests / seconds).toSorted((a, b) => a - b);
  const times = rounds.flatMap(({ timesMs }) => timesMs).toSorted((a, b) => a - b);
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? Number.NaN;
  const sum = (of: (round: Measured) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  return {
    perSecond: rates[rates.length >> 1] ?? Number.NaN,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuUs: sum(({ serverCpuUs }) => serverCpuUs) / rounds.length,
    failed: sum(({ failed }) => failed),
    bytes: sum(({ bytes }) => bytes) / sum(({ requests }) => requests),
  };
}

/** What was answered is what a search without any memory answers. */
async function compareAnswers({ server, view, bodies }: ServedFleet): Promise<void> {
  const step = Math.max(1, Math.floor(bodies.length / COMPARED));
  let compared = 0;
  for (let at = 0; at < bodies.length; at += step) {
    const body = JSON.parse(bodies[at] ?? "{}") as CandidatesRequest;
    const written = await server.inject({ method: "POST", url: "/v1/candidates", body });
    compared += 1;
    if (written.body === JSON.stringify(answerCandidates(view, body))) continue;
    console.log(`WRONG answer to ${bodies[at]}`);
    process.exitCode = 1;
  }
  console.log(`${compared} answers are those of a search that keeps nothing`);
}

const { values } = parseArgs({ options: { hosts: { type: "string" } }, strict: false });
if (typeof values.hosts === "string") {
  await measure(Number(values.hosts));
} else {
  for (const size of SIZES) {
    const args = [
      ...process.execArgv,
      `--max-old-space-size=${HEAP_MIB}`,
      `--max-semi-space-size=${YOUNG_MIB}`,
      fileURLToPath(import.meta.url),
      "--hosts",
      String(size),
    ];
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    if (status !== 0) process.exitCode = status ?? 1;
  }
}
