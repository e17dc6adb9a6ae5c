// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeCommandRunner, OUTPUT_MAX } from "./command-runner.ts";
import type { Ran } from "./command-runner.ts";
import { explainRan, findErrno, findMdevctl, makeMdevctlCommand } from "./mdevctl.ts";

const U = "aaaaaaaa-0000-4000-8000-000000000001";

function exit(stdout: string, code = 0): Ran {
  return { kind: "exited", code, stdout, stderr: "" };
}

const VERSIONS: Readonly<Record<string, readonly [ran: Ran, root: string, answer: string]>> = {
  "uses an old one in place": [exit("mdevctl 1.2.0\n"), "/", "1.2.0 {}"],
  "does not use an old one for another root": [
    exit("mdevctl 1.2.0\n"),
    "/srv/host",
    "mdevctl 1.2.0 cannot work below /srv/host: it knows no other root than /",
  ],
  "uses 1.3 for another root": [exit("mdevctl 1.3.0\n"), "/srv/host", '1.3.0 {"MDEVCTL_ENV_ROOT":"/srv/host"}'],
  "compares versions as numbers": [exit("mdevctl 1.10.0\n"), "/h", '1.10.0 {"MDEVCTL_ENV_ROOT":"/h"}'],
  "uses a development version of 2": [exit("mdevctl 2.0.0-dev\n"), "/h", '2.0.0-dev {"MDEVCTL_ENV_ROOT":"/h"}'],
  "does without where it is not installed": [{ kind: "not-started", errno: "ENOENT" }, "/", "mdevctl is not installed"],
  "does without one that says nothing known": [exit("hello\n"), "/", 'mdevctl --version says "hello"'],
  "does without one that fails": [exit("", 2), "/", "mdevctl --version fails: exit 2"],
  "does without one that hangs": [
    { kind: "timed-out", stderr: "" },
    "/",
    "mdevctl --version fails: killed after its time was over",
  ],
};

describe("findMdevctl()", () => {
  for (const [name, [ran, root, answer]] of Object.entries(VERSIONS)) {
    it(name, async () => {
      const found = await findMdevctl({ run: () => Promise.resolve(ran) }, root);
      const said = found.kind === "usable" ? `${found.version} ${JSON.stringify(found.variables)}` : found.why;
      assert.equal(said, answer);
    });
  }
});

describe("makeMdevctlCommand()", () => {
  it("gives each value to its option", () => {
    const verb = { kind: "define", uuid: U, parent: "-a", file: "/x" } as const;
    assert.deepEqual(makeMdevctlCommand(verb, { A: "b" }), {
      program: "mdevctl",
      args: ["define", `--uuid=${U}`, "--parent=-a", "--jsonfile=/x"],
      variables: { A: "b" },
      timeoutMs: 30_000,
    });
    assert.deepEqual(makeMdevctlCommand({ kind: "stop", uuid: U }, {}).args, ["stop", `--uuid=${U}`]);
  });
});

describe("findErrno()", () => {
  it("reads the number that a Rust program prints", () => {
    assert.equal(findErrno("Error: no\nCaused by:\n    File exists (os error 17)\n"), "EEXIST");
    assert.equal(findErrno("(os error 87)"), "EUSERS");
    assert.equal(findErrno("(os error 999)"), "errno 999");
    assert.equal(findErrno("Error: no"), undefined);
  });
});

describe("makeCommandRunner()", () => {
  const runner = makeCommandRunner();
  const sh = (script: string, timeoutMs = 10_000) => runner.run({ program: "sh", args: ["-c", script], timeoutMs });

  it("keeps exit code and both streams, and gives a program no input", async () => {
    assert.deepEqual(await sh("cat; echo out; echo err >&2; exit 3"), {
      kind: "exited",
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  it("reads no argument with a shell, and passes on no variable but those named", async () => {
    process.env["BERTH_TEST_SECRET"] = "secret";
    const args = ["-c", 'echo "$1 $A ${BERTH_TEST_SECRET-none}"', "sh", "$(id); *"];
    const ran = await runner.run({ program: "sh", args, variables: { A: "b" }, timeoutMs: 10_000 });
    delete process.env["BERTH_TEST_SECRET"];
    assert.deepEqual(ran, exit("$(id); * b none\n"));
  });

  it("tells apart what is missing, what was killed, and what took too long", async () => {
    assert.deepEqual(await runner.run({ program: "berth-no-such-program", args: [], timeoutMs: 1000 }), {
      kind: "not-started",
      errno: "ENOENT",
    });
    assert.deepEqual(await sh("kill -TERM $$"), { kind: "killed", signal: "SIGTERM", stderr: "" });
    assert.deepEqual(await sh("exec sleep 60", 20), { kind: "timed-out", stderr: "" });
  });

  it("stops a program that says too much, and keeps the start of what is long", async () => {
    const ran = await sh("head -c 100000 /dev/zero");
    assert.equal(ran.kind === "exited" ? ran.stdout.length : ran.kind, OUTPUT_MAX);
    const flood = await sh("cat /dev/zero");
    assert.equal(flood.kind, "killed");
  });
});

describe("explainRan()", () => {
  it("puts what was complained on one line", () => {
    const ran: Ran = { kind: "exited", code: 1, stdout: "", stderr: "Error: no\n\nCaused by:\n    full\u001b[2J\n" };
    assert.equal(explainRan(ran), 'exit 1, saying "Error: no; Caused by:; full\\u001b[2J"');
  });
});
