// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { openState, raiseGeneration, readCredential, writeCredential, type AgentCredential } from "./agent-state.ts";
import { lockState } from "./state-lock.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-state-`);
after(() => fs.rmSync(base, { recursive: true }));

let directories = 0;
function fresh(): string {
  directories += 1;
  const directory = `${base}/${directories}`;
  openState(directory);
  return directory;
}

const CREDENTIAL: AgentCredential = {
  host: "h1",
  credential: "top-secret",
  servers: ["https://a", "https://b"],
  ca: "PEM",
};

describe("openState()", () => {
  it("makes a directory for this user alone, and opens it again", () => {
    const directory = fresh();
    assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
    openState(directory);
  });
  it("refuses a directory that others can enter, a link, and a file", () => {
    const directory = fresh();
    fs.chmodSync(directory, 0o750);
    assert.throws(() => openState(directory), { code: "token_unsafe", message: /0750/ });
    fs.chmodSync(directory, 0o700);
    fs.symlinkSync(directory, `${base}/link`);
    assert.throws(() => openState(`${base}/link`), { code: "token_unsafe" });
  });
  it("refuses a directory of another user", { skip: process.geteuid?.() === 0 ? false : "needs root" }, () => {
    const directory = fresh();
    fs.chownSync(directory, 65_534, 65_534);
    assert.throws(() => openState(directory), { code: "token_unsafe", message: /user 65534/ });
  });
});

describe("readCredential()", () => {
  it("reads what was written", () => {
    const directory = fresh();
    assert.equal(readCredential(directory), undefined);
    writeCredential(directory, CREDENTIAL);
    assert.deepEqual(readCredential(directory), CREDENTIAL);
    const { ca: _ca, ...without } = CREDENTIAL;
    writeCredential(directory, without);
    assert.deepEqual(readCredential(directory), without);
    assert.deepEqual(fs.readdirSync(directory), ["credential.json"]);
  });

  it("refuses a file that others can read, and a link", () => {
    const directory = fresh();
    writeCredential(directory, CREDENTIAL);
    fs.chmodSync(`${directory}/credential.json`, 0o640);
    assert.throws(() => readCredential(directory), { code: "token_unsafe" });
    fs.renameSync(`${directory}/credential.json`, `${directory}/other`);
    fs.chmodSync(`${directory}/other`, 0o600);
    fs.symlinkSync("other", `${directory}/credential.json`);
    assert.throws(() => readCredential(directory), { code: "token_unsafe" });
  });

  const DAMAGED: Record<string, string> = {
    "cut off": '{"format":1,"host":"h1","credential":"top-secret"',
    empty: "",
    "of another format": '{"format":2,"host":"h1","credential":"top-secret","servers":["https://a"]}',
    "without servers": '{"format":1,"host":"h1","credential":"top-secret","servers":[]}',
    "with an empty credential": '{"format":1,"host":"h1","credential":"","servers":["https://a"]}',
    "of null": "null",
    "of no object": '"top-secret"',
  };
  for (const [name, text] of Object.entries(DAMAGED)) {
    it(`refuses a file ${name}, without showing it`, () => {
      const directory = fresh();
      fs.writeFileSync(`${directory}/credential.json`, text, { mode: 0o600 });
      assert.throws(
        () => readCredential(directory),
        (error: Error & { readonly code: string }) => {
          assert.equal(error.code, "agent_state_damaged");
          assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /top-secret/);
          return true;
        },
      );
    });
  }
});

describe("raiseGeneration()", () => {
  it("grows with every call, above what it is told, and is on disk", () => {
    const directory = fresh();
    assert.deepEqual([raiseGeneration(directory), raiseGeneration(directory)], [1, 2]);
    assert.equal(raiseGeneration(directory, 10), 11);
    assert.equal(raiseGeneration(directory, 5), 12);
    assert.equal(fs.readFileSync(`${directory}/generation.json`, "utf8"), '{"format":1,"generation":12}\n');
  });
  it("refuses a damaged file rather than begin anew", () => {
    const directory = fresh();
    for (const text of ["", "{}", '{"format":1,"generation":-1}', '{"format":1,"generation":1e99}']) {
      fs.writeFileSync(`${directory}/generation.json`, text, { mode: 0o600 });
      assert.throws(() => raiseGeneration(directory), { code: "agent_state_damaged" });
    }
  });
});

describe("lockState()", () => {
  it("is held once, whatever the path, until it is released", async () => {
    const directory = fresh();
    const lock = await lockState(directory);
    fs.symlinkSync(directory, `${base}/other-path`);
    await assert.rejects(lockState(directory), { code: "store_locked" });
    await assert.rejects(lockState(`${base}/other-path`), { code: "store_locked" });
    await (await lockState(fresh())).release();
    await lock.release();
    await (await lockState(directory)).release();
  });

  it("ends with a process that is killed", async () => {
    const directory = fresh();
    const lock = JSON.stringify(new URL("./state-lock.ts", import.meta.url).href);
    const program = `const { lockState } = await import(${lock}); await lockState(${JSON.stringify(directory)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await assert.rejects(lockState(directory), { code: "store_locked" });
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await lockState(directory)).release();
  });
});
