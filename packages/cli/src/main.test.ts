// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly complaint: string;
}

/** Runs the command with an output of the caller's choice: a pipe that nobody reads, or a file. */
function run(args: readonly string[], output: "unread pipe" | number): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ["ignore", output === "unread pipe" ? "pipe" : output, "pipe"],
  });
  child.stdout?.destroy();
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, complaint }));
  });
}

describe("berth", () => {
  it("says nothing when its reader has gone, and keeps the exit code of its answer", async () => {
    assert.deepEqual(await run(["host", "--demo", "rack1-n1"], "unread pipe"), { code: 0, complaint: "" });
    const question = ["where", "aaaaaaaa-0000-4000-8000-000000000001", "--demo"];
    assert.deepEqual(await run(question, "unread pipe"), { code: 4, complaint: "" });
  });

  it("fails with a code where its answer cannot be written", { skip: process.platform !== "linux" }, async () => {
    const { code, complaint } = await run(["host", "--demo", "rack1-n1"], openSync("/dev/full", "w"));
    assert.equal(code, 1);
    assert.match(complaint, /^berth: output_failed: Cannot write the answer: ENOSPC[^\n]*\n {2}at: standard output\n/);
    assert.doesNotMatch(complaint, /\n\s+at .*\.ts/);
  });
});
