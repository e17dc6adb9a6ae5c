// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { AgentLogLine } from "../uplink/agent-log.ts";
import { readCredential, writeCredential, type AgentCredential } from "../uplink/agent-state.ts";
import { startServer, type StartedServer } from "../uplink/started-server.ts";
import { lockState } from "../uplink/state-lock.ts";
import type { AgentOptions } from "./agent-options.ts";
import { enrolHost, startHostAgent } from "./run-agent.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-agent-`);
const open: StartedServer[] = [];
after(async () => {
  for (const server of open) await server.close();
  fs.rmSync(base, { recursive: true });
});
fs.mkdirSync(`${base}/tree/sys/class/mdev_bus`, { recursive: true });

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:1";
const TOKEN = `berth1.${"s".repeat(43)}.-`;
const CREDENTIAL: AgentCredential = { host: "h1", credential: "c".repeat(43), servers: [NOWHERE] };
let states = 0;

/** Options of a host; `files` are those of its state directory. */
function options(files?: Readonly<Record<string, string>>): AgentOptions {
  states += 1;
  const stateDirectory = `${base}/state-${states}`;
  if (files !== undefined) {
    fs.mkdirSync(stateDirectory, { mode: 0o700 });
    writeCredential(stateDirectory, CREDENTIAL);
    for (const [name, text] of Object.entries(files)) {
      fs.writeFileSync(`${stateDirectory}/${name}`, text, { mode: 0o600 });
    }
  }
  return {
    servers: [],
    host: "h1",
    stateDirectory,
    rescanSeconds: 30,
    tool: "sysfs",
    root: `${base}/tree`,
    factsDirectory: "/none",
  };
}

/** Who cannot start has nothing to log. */
function silent({ text }: AgentLogLine): void {
  assert.fail(text);
}

/** Starts an agent and stops it when it has said something that fits. */
async function startUntil(given: AgentOptions, fits: (line: AgentLogLine) => boolean): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const agent = await startHostAgent(given, (line) => {
    if (fits(line)) resolve();
  });
  await promise;
  await agent.stop();
  return agent.host;
}

/** A server that enrols whoever comes first, and refuses everybody after. */
async function enrollingServer(): Promise<StartedServer> {
  let enrolled = 0;
  const server = await startServer((request, response) => {
    request.resume();
    const isFirst = request.url === "/v1/agent/enrol" && enrolled++ === 0;
    response.statusCode = isFirst ? 200 : 401;
    const refusal = { code: "enrolment_refused", message: "Used", place: null, expected: null, details: [] };
    response.end(JSON.stringify(isFirst ? { host: "h1", credential: "d".repeat(43) } : refusal));
  });
  open.push(server);
  return server;
}

describe("startHostAgent()", () => {
  const DAMAGED = ["credential.json", "generation.json", "fences.json", "refused.json", "desired.json"];
  for (const name of DAMAGED) {
    it(`does not start with a damaged ${name}, and leaves it as it is`, async () => {
      const given = options({ [name]: '{"format":1,' });
      await assert.rejects(startHostAgent(given, silent), { code: "agent_state_damaged" });
      assert.equal(fs.readFileSync(`${given.stateDirectory}/${name}`, "utf8"), '{"format":1,');
      // What it held is free again.
      await (await lockState(given.stateDirectory)).release();
    });
  }

  it("does not start with a state directory that others can enter", async () => {
    const given = options({});
    fs.chmodSync(given.stateDirectory, 0o755);
    await assert.rejects(startHostAgent(given, silent), { code: "token_unsafe" });
  });

  it("does not start with a credential that others can read", async () => {
    const given = options({});
    fs.chmodSync(`${given.stateDirectory}/credential.json`, 0o640);
    await assert.rejects(startHostAgent(given, silent), { code: "token_unsafe" });
  });

  it("says what the file system has against the state directory", async () => {
    fs.writeFileSync(`${base}/file`, "");
    const given = { ...options(), stateDirectory: `${base}/file/state` };
    const error = { code: "agent_state_unusable", place: given.stateDirectory, message: /ENOTDIR/ };
    await assert.rejects(startHostAgent(given, silent), error);
    await assert.rejects(enrolHost({ ...given, servers: [NOWHERE], token: TOKEN }), error);
  });

  it("leaves a state directory alone that another agent has", async () => {
    const given = { ...options({}), servers: ["http://127.0.0.1:2"] };
    const lock = await lockState(given.stateDirectory);
    await assert.rejects(startHostAgent(given, silent), { code: "store_locked" });
    assert.deepEqual(readCredential(given.stateDirectory), CREDENTIAL);
    assert.ok(!fs.existsSync(`${given.stateDirectory}/generation.json`));
    await lock.release();
  });

  it("refuses a host that was never enrolled and has no token", async () => {
    await assert.rejects(startHostAgent(options(), silent), { code: "usage_missing_argument" });
  });

  it("keeps trying where no server can be reached, and keeps the servers that it was told", async () => {
    const given = { ...options({}), servers: ["http://127.0.0.1:1", "http://127.0.0.1:2"] };
    const host = await startUntil(given, ({ level, code }) => level === "warning" && code === "server_unreachable");
    assert.equal(host, "h1");
    assert.deepEqual(readCredential(given.stateDirectory)?.servers, given.servers);
    assert.deepEqual(
      fs.readFileSync(`${given.stateDirectory}/generation.json`, "utf8"),
      '{"format":1,"generation":1}\n',
    );
  });

  it("does not keep servers that are none", async () => {
    const given = { ...options({}), servers: ["http://192.0.2.7"] };
    await assert.rejects(startHostAgent(given, silent), { code: "usage_bad_value" });
    assert.deepEqual(readCredential(given.stateDirectory), CREDENTIAL);
  });

  it("enrols a host first that never was, once", async () => {
    const server = await enrollingServer();
    const given = { ...options(), servers: [server.origin], token: TOKEN };
    await startUntil(given, ({ text }) => text === `Enrolled as h1 at ${server.origin}`);
    await startUntil(given, ({ level }) => level !== "info");
    assert.equal(server.requests.filter((request) => request.endsWith("/enrol")).length, 1);
    assert.equal(readCredential(given.stateDirectory)?.credential, "d".repeat(43));
  });
});

describe("enrolHost()", () => {
  it("is refused with a token that was used", async () => {
    const server = await enrollingServer();
    const given = { ...options(), servers: [server.origin], token: TOKEN };
    assert.deepEqual(await enrolHost(given), { host: "h1", server: server.origin });
    await assert.rejects(enrolHost(given), { code: "enrolment_refused" });
    assert.equal(readCredential(given.stateDirectory)?.credential, "d".repeat(43));
  });
});
