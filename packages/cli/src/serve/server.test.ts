// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { capturedPath } from "../input/demo-fleet.ts";
import { runCommand } from "../program.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const TOKEN = "a-token-of-this-test-0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "berth-server-"));
after(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly written: string;
  readonly complaint: string;
}

async function run(...args: readonly string[]): Promise<Ran> {
  let written = "";
  let complaint = "";
  const code = await runCommand(args, {
    write: (text) => void (written += text),
    writeError: (text) => void (complaint += text),
  });
  return { code, written, complaint };
}

/** Starts a server and answers its URL once it serves. */
async function start(args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, "server", "--listen", "127.0.0.1:0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout?.setEncoding("utf8") ?? child, "data")) as [string];
  const url = /http:\/\/[\d.:]+/.exec(line)?.[0];
  assert.ok(url, line);
  return { child, url };
}

describe("berth server", () => {
  it("serves whoever has a token, reads its hosts and tokens again on SIGHUP, and ends on SIGINT with code 0", async () => {
    const tokens = join(folder, "tokens.json");
    const token = join(folder, "token");
    const entry = { name: "test", role: "viewer", sha256: createHash("sha256").update(TOKEN).digest("hex") };
    writeFileSync(tokens, JSON.stringify({ tokens: "berth.tokens/v1", entries: [entry] }));
    writeFileSync(token, `${TOKEN}\n`, { mode: 0o600 });
    const { child, url } = await start(["--host", `a=${capturedPath("host-a")}`, "--tokens", tokens]);
    const list = await run("hosts", "--server", url, "--token-file", token);
    assert.deepEqual([list.code, list.complaint], [0, ""]);
    assert.match(list.written, /^a {2,}6\.12.*\n1 host\n$/m);
    const refused = await run("hosts", "--server", url);
    assert.deepEqual([refused.code, refused.written], [1, ""]);
    assert.match(refused.complaint, /^berth: not_authenticated: /);
    const authorization = `Bearer ${TOKEN}`;
    const events = await fetch(`${url}/v1/events`, { headers: { authorization } });
    const other = createHash("sha256").update("another").digest("hex");
    writeFileSync(tokens, JSON.stringify({ tokens: "berth.tokens/v1", entries: [{ ...entry, sha256: other }] }));
    child.kill("SIGHUP");
    for (;;) {
      const answer = await fetch(`${url}/v1/hosts`, { headers: { authorization } });
      await answer.text();
      if (answer.status === 401) break;
    }
    child.kill("SIGINT");
    assert.deepEqual(await once(child, "exit"), [0, null]);
    await events.text();
  });

  const REFUSED: Record<string, { args: readonly string[]; code: number; complaint: RegExp }> = {
    "an address that others can reach, without tokens": {
      args: ["--demo", "--listen", "0.0.0.0:7411"],
      code: 2,
      complaint: /^berth: listen_needs_tokens: /,
    },
    "an address that is none": {
      args: ["--demo", "--listen", "7411"],
      code: 2,
      complaint: /^berth: usage_bad_value: /,
    },
    "a port that is none": { args: ["--demo", "--listen", "[::1]:65536"], code: 2, complaint: /usage_bad_value/ },
    "a rescan that is none": { args: ["--demo", "--rescan", "0"], code: 2, complaint: /^berth: usage_bad_value: / },
    "a tokens file that is not there": {
      args: ["--demo", "--tokens", join(folder, "none")],
      code: 1,
      complaint: /^berth: file_not_found: /,
    },
    "an address of another machine": {
      args: ["--host", `a=${capturedPath("host-a")}`, "--listen", "127.0.0.1:1", "--policy", join(folder, "none")],
      code: 1,
      complaint: /^berth: file_not_found: /,
    },
  };
  for (const [name, { args, code, complaint }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, async () => {
      const ran = await run("server", ...args);
      assert.equal(ran.code, code, ran.complaint);
      assert.match(ran.complaint, complaint);
    });
  }
});

describe("berth hosts, devices, classes, capacity, problems", () => {
  const hosts = ["--host", `a=${capturedPath("host-a")}`, "--host", `b=${capturedPath("host-b")}`];
  for (const name of ["hosts", "devices", "classes", "capacity", "problems"]) {
    it(`berth ${name} writes a table, and the same entries with --json`, async () => {
      const table = await run(name, ...hosts);
      assert.equal(table.code, 0);
      const json = await run(name, ...hosts, "--json");
      const { berth, items } = JSON.parse(json.written) as { berth: string; items: readonly object[] };
      assert.equal(berth, `${name}/v1`);
      assert.ok(items.length > 0);
      assert.match(table.written, new RegExp(`^${items.length} [a-z]+\n$`, "m"));
    });
  }

  it("need somebody to ask, and say so where nobody answers", async () => {
    assert.match((await run("hosts", "--server", "ftp://x")).complaint, /^berth: usage_bad_value: /);
    assert.match((await run("hosts", "--server", "http://u:p@x")).complaint, /^berth: usage_bad_value: /);
    assert.match((await run("hosts", "--server", "http://x", "--demo")).complaint, /^berth: usage_conflict: /);
    const nobody = await run("hosts", "--server", "http://127.0.0.1:1");
    assert.deepEqual([nobody.code, nobody.written], [1, ""]);
    assert.match(nobody.complaint, /^berth: server_unreachable: /);
  });
});
