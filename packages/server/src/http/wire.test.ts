// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as requestHttp, Agent } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { describe, it } from "node:test";
import type { FastifyInstance } from "fastify";
import type { DesiredAnswer } from "@berth/core/protocol/agent/agent-wire";
import { makeAgentClient } from "@berth/core/protocol/agent/agent-client";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import type { Control } from "./control.ts";
import { fetchInProcess } from "./in-process.ts";
import { TEST_CREDENTIAL, testControl } from "./test-control.ts";
import { testServer, testView } from "./test-server.ts";

async function listen(server: FastifyInstance): Promise<number> {
  await server.listen({ port: 0, host: "127.0.0.1" });
  return (server.server.address() as AddressInfo).port;
}

function head(port: number, lines: readonly string[]): string {
  const [first = "", ...rest] = lines;
  return `${[first, `host: 127.0.0.1:${port}`, "content-type: application/json", ...rest].join("\r\n")}\r\n\r\n`;
}

/** Everything that arrives until the server closes the connection. */
async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => undefined);
  await once(socket, "close");
  return text;
}

function errorOf(answer: string): string {
  const text = answer.slice(answer.indexOf("\r\n\r\n") + 4);
  return (JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as ErrorAnswer).code;
}

describe("a connection on which nothing is said", () => {
  it("is closed after a while", async (t) => {
    const server = testServer(testView(), { limits: { idleMs: 100 } });
    t.after(async () => await server.close());
    const socket = connect(await listen(server), "127.0.0.1");
    assert.equal(await readToEnd(socket), "");
  });
});

describe("a body above the limit", () => {
  it("is refused by its announced size before any of it was sent, and the connection goes on living", async (t) => {
    const server = testServer(testView());
    t.after(async () => await server.close());
    const port = await listen(server);
    const socket = connect(port, "127.0.0.1");
    socket.write(head(port, ["POST /v1/candidates HTTP/1.1", "content-length: 104857600"]));
    const [refused] = (await once(socket, "data")) as [Buffer];
    assert.match(refused.toString(), /^HTTP\/1\.1 413 /);
    assert.equal(errorOf(refused.toString()), "body_too_large");
    const mebibyte = Buffer.alloc(1024 * 1024, " ");
    for (let sent = 0; sent < 100; sent += 1) if (!socket.write(mebibyte)) await once(socket, "drain");
    socket.write(head(port, ["GET /healthz HTTP/1.1"]));
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 200 [^]*"status":"ok"/);
    socket.destroy();
  });

  it("is refused while it arrives where no size was announced", async (t) => {
    const server = testServer(testView());
    t.after(async () => await server.close());
    const port = await listen(server);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(head(port, ["POST /v1/checks HTTP/1.1", "transfer-encoding: chunked"]));
    const chunk = `10000\r\n${" ".repeat(65536)}\r\n`;
    for (let sent = 0; sent < 32; sent += 1) socket.write(chunk);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it("is another one for reports", async () => {
    const server = testServer(testView(), { control: testControl(testView()) });
    const post = async (url: string, bytes: number): Promise<string> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${TEST_CREDENTIAL}` };
      return (await server.inject({ method: "POST", url, headers, body: " ".repeat(bytes) })).json<ErrorAnswer>().code;
    };
    assert.equal(await post("/v1/agent/reports", 4 * 1024 * 1024), "json_malformed");
    assert.equal(await post("/v1/agent/reports", 4 * 1024 * 1024 + 1), "body_too_large");
    assert.equal(await post("/v1/agent/events", 1024 * 1024 + 1), "body_too_large");
  });
});

describe("a request that dribbles", () => {
  const CASES: Record<string, (port: number) => string> = {
    "in its header fields": () => "GET /healthz HTTP/1.1\r\nhost: 127",
    "in its body": (port) => `${head(port, ["POST /v1/checks HTTP/1.1", "content-length: 1000"])}{`,
  };
  for (const [name, begin] of Object.entries(CASES)) {
    it(`${name} is cut off with request_timeout`, async (t) => {
      const server = testServer(testView(), { limits: { requestMs: 100 } });
      t.after(async () => await server.close());
      const port = await listen(server);
      const socket = connect(port, "127.0.0.1");
      const answer = readToEnd(socket);
      socket.write(begin(port));
      // Each byte comes in time: it is the whole that does not.
      const dribble = setInterval(() => socket.write(" "), 20);
      const text = await answer;
      clearInterval(dribble);
      assert.match(text, /^HTTP\/1\.1 408 /);
      assert.equal(errorOf(text), "request_timeout");
    });
  }
});

/** A control plane whose agents wait until their signal says otherwise. */
function waitingControl(): { readonly control: Control; readonly waiting: () => number; readonly reasons: unknown[] } {
  const control = testControl(testView());
  const reasons: unknown[] = [];
  let waiting = 0;
  const desired = async (_host: string, _request: object, signal: AbortSignal): Promise<DesiredAnswer> => {
    waiting += 1;
    await once(signal, "abort");
    waiting -= 1;
    reasons.push(signal.reason);
    throw signal.reason;
  };
  return { control: { ...control, agents: { ...control.agents, desired } }, waiting: () => waiting, reasons };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("an agent that waits for news", () => {
  const body = JSON.stringify({ session: "s", waitMs: 30_000 });
  const headers = { "content-type": "application/json", authorization: `Bearer ${TEST_CREDENTIAL}` };

  it("is forgotten when its connection ends", async (t) => {
    const { control, waiting } = waitingControl();
    const server = testServer(testView(), { control });
    t.after(async () => await server.close());
    const port = await listen(server);
    const asked = requestHttp({ port, host: "127.0.0.1", method: "POST", path: "/v1/agent/desired", headers });
    asked.on("error", () => undefined);
    asked.end(body);
    await until(() => waiting() === 1);
    assert.match((await server.inject({ url: "/metrics" })).body, /^berth_desired_waits 1$/m);
    asked.destroy();
    await until(() => waiting() === 0);
    assert.match((await server.inject({ url: "/metrics" })).body, /^berth_desired_waits 0$/m);
  });

  it("is forgotten when a caller of the same process gives it up", async () => {
    const { control, waiting } = waitingControl();
    const server = testServer(testView(), { control });
    const client = makeAgentClient(fetchInProcess(server), { credential: TEST_CREDENTIAL });
    const gone = new AbortController();
    const wait = client.desired({ session: "s", waitMs: 30_000 }, { signal: gone.signal });
    await until(() => waiting() === 1);
    gone.abort(new Error("enough"));
    await assert.rejects(wait, { message: "enough" });
    await until(() => waiting() === 0);
  });

  it("does not keep a server from closing", async () => {
    const { control, waiting, reasons } = waitingControl();
    const server = testServer(testView(), { control });
    const port = await listen(server);
    const asked = requestHttp({ port, host: "127.0.0.1", method: "POST", path: "/v1/agent/desired", headers });
    asked.on("error", () => undefined);
    asked.end(body);
    await until(() => waiting() === 1);
    await server.close();
    assert.equal(waiting(), 0);
    assert.equal((reasons[0] as { code?: string }).code, "store_unavailable");
  });

  it("is refused where as many wait as the server allows, and where the host itself waits too often", async () => {
    const post = { method: "POST", url: "/v1/agent/desired", headers, body } as const;
    for (const [most, code] of [
      [2, "too_many_streams"],
      [100, "rate_limited"],
    ] as const) {
      const { control, waiting } = waitingControl();
      const server = testServer(testView(), { control, limits: { waits: most } });
      const waits = Array.from({ length: Math.min(most, 4) }, async () => await server.inject(post));
      await until(() => waiting() === waits.length);
      const refused = await server.inject(post);
      assert.equal(refused.json<ErrorAnswer>().code, code);
      assert.ok(Number(refused.headers["retry-after"]) > 0);
      await server.close();
      await Promise.all(waits);
    }
  });
});

describe("a connection", () => {
  it("carries one request after the other", async (t) => {
    const server = testServer(testView());
    t.after(async () => await server.close());
    const port = await listen(server);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let connections = 0;
    server.server.on("connection", () => (connections += 1));
    for (const path of ["/healthz", "/v1/hosts/nowhere", "/v1/nothing", "/v1/hosts"]) {
      const [answer] = (await once(requestHttp({ port, host: "127.0.0.1", path, agent }).end(), "response")) as [
        NodeJS.ReadableStream,
      ];
      answer.resume();
      await once(answer, "end");
    }
    assert.equal(connections, 1);
    agent.destroy();
  });
});
