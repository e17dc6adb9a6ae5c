// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { runAgentCommand } from "./run-command.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-agent-`);
after(() => fs.rmSync(base, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly written: string;
  readonly complaint: string;
}

async function run(...args: readonly string[]): Promise<Ran> {
  let written = "";
  let complaint = "";
  const code = await runAgentCommand(args, {
    write: (text) => void (written += text),
    writeError: (text) => void (complaint += text),
  });
  return { code, written, complaint };
}

function makeFile(name: string, text: string, mode = 0o600): string {
  fs.writeFileSync(`${base}/${name}`, text);
  fs.chmodSync(`${base}/${name}`, mode);
  return `${base}/${name}`;
}

const SERVER = ["--server", "https://127.0.0.1:1"];

const REFUSED: Readonly<
  Record<string, { readonly args: readonly string[]; readonly code: 1 | 2; readonly says: RegExp }>
> = {
  "a command that there is not": { args: ["start"], code: 2, says: /usage_unknown_command: .*"start"/ },
  "an option that there is not": { args: ["run", "--sever"], code: 2, says: /usage_unknown_option: / },
  "an option of host that there is not": { args: ["host", "--rot", "/"], code: 2, says: /usage_unknown_option: / },
  "a root that is not there": { args: ["host", "--root", `${base}/none`], code: 2, says: /root_not_found: / },
  "to enrol without a server": {
    args: ["enrol", "--token", "t"],
    code: 2,
    says: /usage_missing_argument: .*\n.*--server/,
  },
  "to enrol without a token": { args: ["enrol", ...SERVER], code: 2, says: /usage_missing_argument: [^]*--token-file/ },
  "a token that is none": {
    args: ["enrol", ...SERVER, "--token", "secret-word", "--state", `${base}/s`],
    code: 2,
    says: /usage_bad_value: (?![^]*secret-word)/,
  },
  "a token file that is not there": {
    args: ["enrol", ...SERVER, "--token-file", `${base}/none`],
    code: 1,
    says: /file_not_found: .*none: ENOENT/,
  },
  "a token file that others can read": {
    args: ["enrol", ...SERVER, "--token-file", makeFile("open", "t", 0o644)],
    code: 1,
    says: /token_unsafe: /,
  },
  "a token file that is a folder": {
    args: ["enrol", ...SERVER, "--token-file", base],
    code: 1,
    says: /file_unreadable: .*EISDIR/,
  },
  "an authority that is not there": {
    args: ["enrol", ...SERVER, "--token", "t", "--ca", `${base}/none`],
    code: 1,
    says: /file_not_found: .*none: ENOENT/,
  },
  "to run a host that was never enrolled": {
    args: ["run", "--state", `${base}/fresh`],
    code: 2,
    says: /usage_missing_argument: /,
  },
};

describe("runAgentCommand()", () => {
  for (const [name, { args, code, says }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, async () => {
      const ran = await run(...args);
      assert.deepEqual([ran.code, ran.written], [code, ""]);
      assert.match(ran.complaint, says);
    });
  }

  it("shows its help with any command, and fails without one", async () => {
    for (const args of [["--help"], ["help"], ["run", "-h"], ["enrol", "--help"]]) {
      const ran = await run(...args);
      assert.deepEqual([ran.code, ran.complaint], [0, ""]);
      assert.match(ran.written, /^Usage: berth-agent run/);
    }
    assert.equal((await run()).code, 2);
  });

  it("says its version", async () => {
    assert.match((await run("--version")).written, /^\d+\.\d+\.\d+\n$/);
  });

  it("shows a host as JSON", async () => {
    fs.mkdirSync(`${base}/tree/sys/class/mdev_bus`, { recursive: true });
    const ran = await run("host", "--root", `${base}/tree`);
    const { parents } = JSON.parse(ran.written) as { readonly parents: readonly object[] };
    assert.deepEqual([ran.code, parents], [0, []]);
  });
});
