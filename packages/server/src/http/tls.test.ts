// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { describe, it } from "node:test";
import { connect, type ConnectionOptions } from "node:tls";
import { connect as connectPlain, type AddressInfo } from "node:net";
import { ANSWER_SCHEMAS } from "@berth/core/protocol/api/answer-schemas";
import { findProblems } from "@berth/core/protocol/validate-document";
import { testServer, testView } from "./test-server.ts";

function read(name: string): string {
  return readFileSync(new URL(`../../../../fixtures/tls/${name}`, import.meta.url), "utf8");
}

const ca = read("authority.pem");

describe("a server with TLS", () => {
  it("answers over TLS 1.2 and newer, and nothing older, and cuts off who dribbles", async (t) => {
    const tls = { cert: read("server.pem"), key: read("server.key") };
    const server = testServer(testView(), { tls, limits: { requestMs: 200 } });
    t.after(async () => await server.close());
    await server.listen({ port: 0, host: "127.0.0.1" });
    const { port } = server.server.address() as AddressInfo;
    const common: ConnectionOptions = { port, host: "127.0.0.1", ca, servername: "localhost" };

    const asked = request({ ...common, path: "/v1/hosts", agent: false }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of answer) text += String(chunk);
    assert.deepEqual(findProblems(ANSWER_SCHEMAS.HostPage, JSON.parse(text)), []);

    const versionOf = async (maxVersion: "TLSv1.1" | "TLSv1.2"): Promise<string | null> => {
      const minVersion = maxVersion;
      const socket = connect({ ...common, minVersion, maxVersion, ciphers: "DEFAULT@SECLEVEL=0" });
      await once(socket, "secureConnect");
      const version = socket.getProtocol();
      socket.destroy();
      return version;
    };
    assert.equal(await versionOf("TLSv1.2"), "TLSv1.2");
    await assert.rejects(versionOf("TLSv1.1"));

    const slow = connect(common);
    slow.write("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1");
    const [cut] = (await once(slow, "data")) as [Buffer];
    assert.match(cut.toString(), /^HTTP\/1\.1 408 /);
    slow.destroy();
  });

  it("keeps no connection of somebody who says nothing, before the handshake or after it", async (t) => {
    const tls = { cert: read("server.pem"), key: read("server.key") };
    const server = testServer(testView(), { tls, limits: { requestMs: 200, idleMs: 300 } });
    t.after(async () => await server.close());
    await server.listen({ port: 0, host: "127.0.0.1" });
    const { port } = server.server.address() as AddressInfo;
    const silent = connectPlain(port, "127.0.0.1")
      .on("error", () => undefined)
      .resume();
    const shaken = connect({ port, host: "127.0.0.1", ca, servername: "localhost" })
      .on("error", () => undefined)
      .resume();
    await Promise.all([once(silent, "close"), once(shaken, "close")]);
  });
});
