// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer, type StartedServer } from "../uplink/started-server.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const TOKEN = `berth1.${"s".repeat(43)}.-`;
const base = fs.mkdtempSync(`${tmpdir()}/berth-full-`);
const state = `${base}/state`;
fs.mkdirSync(state, { mode: 0o700 });
const open: StartedServer[] = [];
after(async () => {
  for (const server of open) await server.close();
  fs.rmSync(base, { recursive: true });
});

const canMount = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", state]).status === 0;

/** A server that enrols everybody. */
async function enrollingServer(): Promise<StartedServer> {
  const server = await startServer((request, response) => {
    request.resume();
    response.end(JSON.stringify({ host: "h1", credential: "c".repeat(43) }));
  });
  open.push(server);
  return server;
}

/** Runs a shell text that finds the agent as `agent`, where the state directory is a small disk of its own. */
async function runOnDisk(text: string): Promise<string> {
  const agent = `agent() { "${process.execPath}" --disable-warning=ExperimentalWarning "${MAIN}" "$@" 2>&1; }`;
  const mount = `mount -t tmpfs -o size=256k,mode=700 none ${state}`;
  const child = spawn("unshare", ["--mount", "sh", "-c", `${mount}; ${agent}; ${text}`], {
    env: { PATH: process.env["PATH"], BERTH_AGENT_STATE: state, BERTH_AGENT_TOKEN: TOKEN },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  await new Promise((resolve) => {
    child.once("close", resolve);
  });
  return output;
}

const FILL = `head -c 1m /dev/zero > ${state}/fill 2>/dev/null`;

describe("an agent whose disk fails", { skip: !canMount && "NOT RUN: only root can mount a small disk" }, () => {
  it("uses no token up while the disk is full, and enrols with it when there is room", async () => {
    const server = await enrollingServer();
    const enrol = `agent enrol --server ${server.origin} --name h1`;
    const full = await runOnDisk(`${FILL}; ${enrol}; echo "code $?"`);
    assert.match(full, /^berth-agent: agent_state_unusable: .*ENOSPC\n[^]*code 1\n$/);
    assert.deepEqual(server.requests, []);
    const roomy = await runOnDisk(`${FILL}; rm ${state}/fill; ${enrol}; ls -A ${state}`);
    assert.equal(roomy, `Enrolled as h1 at ${server.origin}\ncredential.json\ngeneration.json\n`);
  });

  const FAILING: Readonly<Record<string, { readonly how: string; readonly says: RegExp }>> = {
    "is full": { how: FILL, says: /agent_state_unusable: .*ENOSPC/ },
    "cannot be written to": { how: `mount -o remount,ro ${state}`, says: /agent_state_unusable: .*EROFS/ },
  };
  for (const [name, { how, says }] of Object.entries(FAILING)) {
    it(`does not start where the disk ${name}`, async () => {
      const server = await enrollingServer();
      const enrol = `agent enrol --server ${server.origin} --name h1`;
      const output = await runOnDisk(`${enrol}; ${how}; agent run --root ${base}; echo "code $?"`);
      assert.match(output, says);
      assert.match(output, /code 1\n$/);
    });
  }
});
