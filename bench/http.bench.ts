// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { ENDPOINTS } from "@berth/core/protocol/api/endpoints";
import { requireBody } from "@berth/server/http/request-parts";
import { serveFleet } from "./http-fleet.ts";

// Measures `POST /v1/candidates` (ten best, one device) beside a handler of the same server that holds the request against
// the same schema and answers with one canned answer: what HTTP and JSON alone cost. Sixteen clients in a process of their own,
// the two in turns. `node bench/http.bench.ts [HOSTS]`. Figures that miss their aim are marked and do not fail.

const CLIENTS = 16;
const ROUNDS = 2;
/** Each round ends with whichever comes first. */
const REQUESTS = 4000;
const ROUND_MS = 5000;
const QUESTIONS = 500;
const AIMS = { ratio: 0.7, p99Ms: 10 };

interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

async function run(): Promise<void> {
  const hosts = Number(process.argv[2] ?? 10_000);
  const { server, bodies, buildSeconds } = serveFleet(hosts, QUESTIONS);
  const canned: { answer: unknown } = { answer: undefined };
  server.post("/canned", async ({ body }) => {
    requireBody(ENDPOINTS.findCandidates, body);
    return canned.answer;
  });
  const sample = await server.inject({ method: "POST", url: "/v1/candidates", body: JSON.parse(bodies[0] ?? "{}") });
  canned.answer = sample.json();
  const { candidates } = sample.json<{ candidates: readonly unknown[] }>();
  await server.listen({ host: "127.0.0.1", port: 0 });
  const { port } = server.server.address() as AddressInfo;
  console.log(
    `${hosts} hosts read in ${buildSeconds.toFixed(1)} s; the canned answer has ${candidates.length} candidates`,
  );
  const rounds: Record<string, Round[]> = { "/canned": [], "/v1/candidates": [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [path, done] of Object.entries(rounds)) {
      const measured = await askFromOutside({ port, path, bodies });
      // The first round of each warms up.
      if (round > 0) done.push(measured);
    }
  }
  await server.close();
  report(rounds);
}

function report(rounds: Readonly<Record<string, readonly Round[]>>): void {
  const best = Object.fromEntries(
    Object.entries(rounds).map(([path, done]) => [
      path,
      done.toSorted((a, b) => a.perSecond - b.perSecond)[done.length >> 1]!,
    ]),
  );
  for (const [path, { perSecond, p50Ms, p99Ms, failed }] of Object.entries(best)) {
    console.log(
      `${path.padEnd(16)} ${perSecond.toFixed(0).padStart(7)} requests/s   p50 ${p50Ms.toFixed(2)} ms   p99 ${p99Ms.toFixed(2)} ms   failed ${failed}`,
    );
  }
  const [canned, real] = [best["/canned"]!, best["/v1/candidates"]!];
  const ratio = real.perSecond / canned.perSecond;
  console.log(`ratio ${ratio.toFixed(2)}   aim ${AIMS.ratio}${ratio >= AIMS.ratio ? "" : "  MISSED"}`);
  console.log(`p99 ${real.p99Ms.toFixed(2)} ms   aim ${AIMS.p99Ms}${real.p99Ms <= AIMS.p99Ms ? "" : "  MISSED"}`);
}

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly bodies: readonly string[];
}

/** Asks from another process, so that the clients' work is not the server's. */
function askFromOutside(asked: Asked): Promise<Round> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "--ask"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.end(JSON.stringify(asked));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(JSON.parse(text) as Round));
  });
}

/** The clients' process: reads what to ask, asks, and writes one round. */
async function ask(): Promise<void> {
  const { port, path, bodies } = JSON.parse(await readStandardInput()) as Asked;
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const times: number[] = [];
  let next = 0;
  let failed = 0;
  const start = performance.now();
  const client = async (): Promise<void> => {
    while (next < REQUESTS && performance.now() - start < ROUND_MS) {
      const body = bodies[next % bodies.length] ?? "";
      next += 1;
      const from = performance.now();
      const status = await post({ port, path, agent }, body);
      times.push(performance.now() - from);
      if (status !== 200) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  const round: Round = { perSecond: times.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed };
  process.stdout.write(JSON.stringify(round));
}

function post(
  to: { readonly port: number; readonly path: string; readonly agent: Agent },
  body: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request({ ...to, method: "POST", headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });
}

async function readStandardInput(): Promise<string> {
  const chunks = await process.stdin.toArray();
  return Buffer.concat(chunks as Buffer[]).toString("utf8");
}

await (process.argv[2] === "--ask" ? ask() : run());
