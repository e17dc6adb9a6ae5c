// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { listTextsOnHost } from "@berth/core/report/join-snapshot";
import { openServer, type ServerLink } from "../connect/server-link.ts";
import { startDemo, type Demo } from "./run-demo.ts";

describe("a server with the demo's agents", () => {
  const temporary = mkdtempSync(join(tmpdir(), "berth-demo-test-"));
  let demo: Demo;
  let server: ServerLink;
  before(async () => {
    demo = await startDemo({ listen: { host: "127.0.0.1", port: 0 }, temporary }, () => undefined);
    server = openServer({ url: new URL(demo.url) });
  });
  after(async () => {
    await demo.close();
    rmSync(temporary, { recursive: true });
  });

  it("tells raw texts that stayed on a host, as the host has them", async () => {
    const viewed = demo.control.replica.view.findHost("rack6-n1");
    assert.ok(viewed !== undefined);
    const [path] = listTextsOnHost(viewed.host.snapshot);
    assert.ok(path !== undefined, "the demo has no text that stays on its host");
    const { text } = await server.control.readText("rack6-n1", path);
    const read = demo.agents.hosts.find(({ host }) => host === "rack6-n1")?.tree.read(path, 65_536);
    assert.ok(read?.kind === "text" && text !== null && text !== "");
    assert.ok(read.text.includes(text), `${path} holds ${JSON.stringify(text)}`);
  });

  it("tells no other file of a host", async () => {
    await assert.rejects(server.control.readText("rack6-n1", "/proc/version"), { code: "unknown_text" });
    await assert.rejects(server.control.readText("nowhere", "/proc/version"), { code: "unknown_host" });
  });
});
