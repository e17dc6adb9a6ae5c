// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import type { FleetDevice } from "./claims-fleet.ts";

// Clients that claim over HTTP, in a process of their own: `claimFromOutside` starts this file, which reads what to claim
// from its standard input and writes what came of it as JSON. They speak HTTP over bare sockets, so that they cost little
// beside the server: both share the machine.

/** What so many clients do, one request each at a time. */
export interface ClaimWork {
  readonly port: number;
  readonly clients: number;
  /** Each is claimed for once. */
  readonly devices: readonly FleetDevice[];
  /** `search`: candidates are asked for first, and the best host is claimed. A text: that host is claimed. */
  readonly to: "any" | "search" | { readonly host: string };
  readonly strategy: "spread" | "fragmentation";
  /** Part of all idempotency keys. */
  readonly round: string;
}

/** What came of it. */
export interface ClaimRound {
  readonly seconds: number;
  /** Milliseconds of each claim; of search and claim together where both were asked. */
  readonly timesMs: readonly number[];
  /** `HOST:PARENT ID` of each device of each grant. */
  readonly granted: readonly string[];
  readonly noRoom: number;
  /** Answers that are neither. */
  readonly others: readonly string[];
  /** Searches that had to be made again, because the place was gone when it was claimed. */
  readonly again: number;
}

/** Claims from another process, so that the clients' work is not the server's. */
export function claimFromOutside(work: ClaimWork): Promise<ClaimRound> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.end(JSON.stringify(work));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(JSON.parse(text) as ClaimRound);
      else reject(new Error(`The clients ended with ${String(status)}`));
    });
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One connection; one request at a time. */
class Line {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #left = 0;
  #status = 0;
  #settle: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error) => this.#settle?.reject(error));
    socket.on("close", () => this.#settle?.reject(new Error("The server has hung up")));
  }

  static open(port: number): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new Line(socket)));
    });
  }

  post(path: string, body: object, fields: readonly string[] = []): Promise<Answer> {
    const text = JSON.stringify(body);
    const head = [
      `POST ${path} HTTP/1.1`,
      "host: 127.0.0.1",
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(text)}`,
      ...fields,
    ];
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(`${head.join("\r\n")}\r\n\r\n${text}`);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.end();
  }

  #take(chunk: Buffer): void {
    const body = this.#left === 0 ? this.#readHead(chunk) : chunk;
    this.#chunks.push(body);
    this.#left -= body.length;
    if (this.#left > 0) return;
    const text = Buffer.concat(this.#chunks).toString("utf8");
    this.#chunks = [];
    this.#settle?.resolve({ status: this.#status, text });
  }

  /** The head comes in one piece: it is written in one. */
  #readHead(chunk: Buffer): Buffer {
    const end = chunk.indexOf("\r\n\r\n");
    const head = chunk.toString("latin1", 0, end);
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    if (end < 0 || length === undefined) throw new Error(`An answer without content-length: ${head.slice(0, 200)}`);
    this.#left = Number(length);
    this.#status = Number(head.slice(9, 12));
    return chunk.subarray(end + 4);
  }
}

interface Tally {
  next: number;
  noRoom: number;
  again: number;
  readonly timesMs: number[];
  readonly granted: string[];
  readonly others: string[];
}

async function claimAll(work: ClaimWork): Promise<ClaimRound> {
  const tally: Tally = { next: 0, noRoom: 0, again: 0, timesMs: [], granted: [], others: [] };
  const lines = await Promise.all(Array.from({ length: work.clients }, () => Line.open(work.port)));
  const start = performance.now();
  await Promise.all(lines.map((line) => runClient(work, line, tally)));
  const seconds = (performance.now() - start) / 1000;
  for (const line of lines) line.close();
  const { timesMs, granted, noRoom, others, again } = tally;
  return { seconds, timesMs, granted, noRoom, others, again };
}

async function runClient(work: ClaimWork, line: Line, tally: Tally): Promise<void> {
  for (;;) {
    const at = tally.next;
    const device = work.devices[at];
    if (device === undefined) return;
    tally.next += 1;
    const from = performance.now();
    for (let tries = 0; ; tries += 1) {
      const key = `idempotency-key: ${work.round}-${at}-${tries}`;
      const answer = await line.post("/v1/claims", await bodyOf(work, line, device), [key]);
      const isGone = countAnswer(answer, tally) === "no-room";
      if (!isGone || work.to !== "search" || tries > 20) break;
      tally.again += 1;
    }
    tally.timesMs.push(performance.now() - from);
  }
}

async function bodyOf({ to, strategy }: ClaimWork, line: Line, device: FleetDevice): Promise<object> {
  if (to === "any") return { for: device, strategy };
  if (to !== "search") return { for: device, to: to.host };
  const question = { source: device, strategy, explain: false };
  const { text } = await line.post("/v1/candidates", question);
  const { candidates } = JSON.parse(text) as { readonly candidates: readonly { readonly host: string }[] };
  const [best] = candidates;
  if (best === undefined) throw new Error(`There is no candidate for ${device.device}: ${text.slice(0, 200)}`);
  return { for: device, to: best.host };
}

function countAnswer({ status, text }: Answer, tally: Tally): "granted" | "no-room" | "other" {
  const answer = status === 200 ? (JSON.parse(text) as ClaimDecisionAnswer) : undefined;
  if (answer?.kind === "granted") {
    const { host, devices } = answer.claim;
    tally.granted.push(...devices.map(({ parent, occupant }) => `${host}:${parent} ${occupant.id}`));
    return "granted";
  }
  if (answer?.because === "no-room") {
    tally.noRoom += 1;
    return "no-room";
  }
  tally.others.push(`${status} ${text.slice(0, 200)}`);
  return "other";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chunks = (await process.stdin.toArray()) as Buffer[];
  const round = await claimAll(JSON.parse(Buffer.concat(chunks).toString("utf8")) as ClaimWork);
  process.stdout.write(JSON.stringify(round));
}
