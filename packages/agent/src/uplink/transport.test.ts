// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, describe, it } from "node:test";
import type { ApiRequest } from "@berth/core/protocol/api/client";
import { parseServerAddress } from "./server-address.ts";
import { readFixture, startServer, type Shown, type StartedServer } from "./started-server.ts";
import { ANSWER_MAX_BYTES, openTransport, type Transport, type TransportOptions } from "./transport.ts";

const HELLO: ApiRequest = {
  method: "POST",
  path: "/v1/agent/hello",
  headers: { authorization: "Bearer secret" },
  body: "{}",
};

const open: { close(): unknown }[] = [];
after(async () => {
  for (const each of open) await each.close();
});

async function start(listener: RequestListener, shown?: Shown): Promise<StartedServer> {
  const server = await startServer(listener, shown);
  open.push(server);
  return server;
}

function reach(server: StartedServer, options: TransportOptions = {}): Transport {
  const transport = openTransport(parseServerAddress(server.origin), options);
  open.push(transport);
  return transport;
}

const answer: RequestListener = (_request, response) => response.end('{"kind":"welcome"}');

describe("openTransport()", () => {
  it("sends a request and keeps the connection", async () => {
    const server = await start((request, response) => {
      request.setEncoding("utf8").on("data", (body: string) => {
        response.statusCode = 409;
        response.end(JSON.stringify([request.headers["authorization"], request.headers["content-length"], body]));
      });
    });
    const transport = reach(server);
    const first = await transport.fetchLike({ ...HELLO, body: '"ä"' });
    assert.deepEqual(first, { status: 409, body: '["Bearer secret","4","\\"ä\\""]' });
    await transport.fetchLike(HELLO);
    assert.equal(server.connections.length, 1);
  });

  const TRUSTED: Record<string, { readonly shown: Shown; readonly ca: string | undefined; readonly fails: boolean }> = {
    "takes a certificate from the authority": { shown: { name: "server", chain: [] }, ca: "authority", fails: false },
    "refuses one from another authority of the same name": {
      shown: { name: "impostor", chain: ["stranger"] },
      ca: "authority",
      fails: true,
    },
    "refuses one that only shows the authority": {
      shown: { name: "impostor", chain: ["authority"] },
      ca: "authority",
      fails: true,
    },
    "refuses one of another host": { shown: { name: "elsewhere", chain: [] }, ca: "authority", fails: true },
    "refuses one that the system's authorities do not know": {
      shown: { name: "server", chain: ["authority"] },
      ca: undefined,
      fails: true,
    },
  };
  for (const [name, { shown, ca, fails }] of Object.entries(TRUSTED)) {
    it(`${name}${fails ? ", and sends nothing" : ""}`, async () => {
      const server = await start(answer, shown);
      const transport = reach(server, ca === undefined ? {} : { ca: readFixture(`${ca}.pem`) });
      if (!fails) {
        assert.equal((await transport.fetchLike(HELLO)).status, 200);
        return;
      }
      await assert.rejects(transport.fetchLike(HELLO), { code: "server_certificate_refused" });
      assert.deepEqual([server.requests, server.bytes()], [[], 0]);
    });
  }

  it("checks certificates although the environment says not to", async () => {
    const server = await start(answer, { name: "impostor", chain: [] });
    const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env;
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await assert.rejects(reach(server).fetchLike(HELLO), { code: "server_certificate_refused" });
      assert.equal(server.bytes(), 0);
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  it("does not follow a redirect", async () => {
    const other = await start(answer);
    const server = await start((_request, response) => {
      response.writeHead(307, { location: `${other.origin}/v1/agent/hello` }).end();
    });
    await assert.rejects(reach(server).fetchLike(HELLO), { code: "server_answer_malformed", message: /307/ });
    assert.deepEqual(other.requests, []);
  });

  it("takes an answer of 8 MiB, and ends one that does not end", async () => {
    const server = await start((request, response) => {
      if (request.url !== "/endless") {
        response.end(Buffer.alloc(ANSWER_MAX_BYTES, "x"));
        return;
      }
      const more = (): boolean => response.write(Buffer.alloc(1024 * 1024), (error) => error ?? more());
      more();
    });
    const transport = reach(server);
    assert.equal((await transport.fetchLike(HELLO)).body.length, ANSWER_MAX_BYTES);
    await assert.rejects(transport.fetchLike({ ...HELLO, path: "/endless" }), { code: "server_answer_malformed" });
  });

  it("says that a server is unreachable that ends in the middle of an answer", async () => {
    const server = await start((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setImmediate(() => response.destroy());
    });
    await assert.rejects(reach(server).fetchLike(HELLO), {
      code: "server_unreachable",
      message: /middle of an answer/,
    });
  });

  it("sends anew what met a kept connection that the server had ended", async () => {
    const server = await start(answer);
    const transport = reach(server);
    await transport.fetchLike(HELLO);
    // The server ends the connection while the second request is on its way to it.
    server.connections[0]?.removeAllListeners("data").once("data", () => server.connections[0]?.resetAndDestroy());
    assert.equal((await transport.fetchLike(HELLO)).status, 200);
    assert.equal(server.connections.length, 2);
  });

  it("waits no longer than the request says", async () => {
    const server = await start(() => undefined);
    const waiting = reach(server).fetchLike({ ...HELLO, timeoutMs: 30 });
    await assert.rejects(waiting, { code: "server_unreachable", message: /0\.03 s/ });
  });

  it("waits no longer than a slow drip of an answer allows", async () => {
    const server = await start((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(drip));
    });
    await assert.rejects(reach(server, { timeoutMs: 50 }).fetchLike(HELLO), { code: "server_unreachable" });
  });

  it("rejects with the reason of the signal, before and while it waits", async () => {
    const server = await start(() => undefined);
    const reason = new Error("enough");
    const transport = reach(server);
    await assert.rejects(transport.fetchLike({ ...HELLO, signal: AbortSignal.abort(reason) }), reason);
    assert.deepEqual(server.requests, []);
    const later = new AbortController();
    const waiting = transport.fetchLike({ ...HELLO, signal: later.signal });
    setTimeout(() => later.abort(reason), 20);
    await assert.rejects(waiting, reason);
  });

  it("hangs up on what is under way, and is used again", async () => {
    let isSilent = false;
    const server = await start((request, response) => (isSilent ? undefined : answer(request, response)));
    const transport = reach(server);
    await transport.fetchLike(HELLO);
    isSilent = true;
    const waiting = transport.fetchLike(HELLO);
    setTimeout(() => transport.hangUp(), 20);
    await assert.rejects(waiting, { code: "server_unreachable" });
    assert.equal(server.requests.length, 2);
    isSilent = false;
    assert.equal((await transport.fetchLike(HELLO)).status, 200);
    transport.close();
    await assert.rejects(transport.fetchLike(HELLO), { code: "server_unreachable" });
  });

  it("says that nobody listens, and never the credential", async () => {
    const server = await startServer(answer);
    await server.close();
    await assert.rejects(reach(server).fetchLike(HELLO), (error: Error) => {
      assert.match(error.message, /ECONNREFUSED/);
      assert.doesNotMatch(`${JSON.stringify(error)} ${error.stack}`, /secret/);
      return true;
    });
  });
});
