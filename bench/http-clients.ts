// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

// Clients of a server of this machine, in a process of their own: `askFromOutside` starts this file, which reads what to ask
// from its standard input and writes one round as JSON. They speak HTTP over bare sockets, so that they cost little beside
// the server: both share the machine.

/** What to ask, and how many at once. */
export interface Asked {
  readonly port: number;
  readonly path: string;
  /** Each is asked once, by whichever client is free. */
  readonly bodies: readonly string[];
  readonly clients: number;
}

/** What came of it. */
export interface Round {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds of each request, ascending. */
  readonly timesMs: readonly number[];
  /** Answers that were not 200. */
  readonly failed: number;
  readonly bytes: number;
}

/** Asks from another process, so that the clients' work is not the server's. */
export function askFromOutside(asked: Asked): Promise<Round> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  child.stdin.end(JSON.stringify(asked));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(JSON.parse(text) as Round);
      else reject(new Error(`The clients ended with ${String(status)}`));
    });
  });
}

interface Tally {
  next: number;
  failed: number;
  bytes: number;
  readonly timesMs: number[];
}

async function ask(asked: Asked): Promise<Round> {
  const requests = asked.bodies.map((body) => formatRequest(asked, body));
  const tally: Tally = { next: 0, failed: 0, bytes: 0, timesMs: [] };
  const start = performance.now();
  await Promise.all(Array.from({ length: asked.clients }, () => runClient(asked.port, requests, tally)));
  const seconds = (performance.now() - start) / 1000;
  const { failed, bytes, timesMs } = tally;
  return { requests: timesMs.length, seconds, timesMs: timesMs.toSorted((a, b) => a - b), failed, bytes };
}

function formatRequest({ path, port }: Asked, body: string): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** One connection that asks, waits for the whole answer, and asks again until nothing is left. */
function runClient(port: number, requests: readonly Buffer[], tally: Tally): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let from = 0;
    let left = 0;
    const send = (): void => {
      const request = requests[tally.next];
      if (request === undefined) {
        socket.end();
        resolve();
        return;
      }
      tally.next += 1;
      from = performance.now();
      socket.write(request);
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      if (left === 0) left = readHead(chunk, tally);
      left -= chunk.length;
      if (left > 0) return;
      tally.timesMs.push(performance.now() - from);
      left = 0;
      send();
    });
  });
}

/** Length of the whole answer, head and body. The head comes in one piece: it is written in one. */
function readHead(chunk: Buffer, tally: Tally): number {
  const end = chunk.indexOf("\r\n\r\n");
  const head = chunk.toString("latin1", 0, end);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (end < 0 || length === undefined) throw new Error(`An answer without content-length: ${head.slice(0, 200)}`);
  if (!head.startsWith("HTTP/1.1 200 ")) tally.failed += 1;
  tally.bytes += Number(length);
  return end + 4 + Number(length);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chunks = (await process.stdin.toArray()) as Buffer[];
  const round = await ask(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Asked);
  process.stdout.write(JSON.stringify(round));
}
