// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFactReader } from "./fact-scripts.ts";
import type { FactScriptParts, ScriptFacts } from "./fact-scripts.ts";

const base = mkdtempSync(`${tmpdir()}/berth-`);
chmodSync(base, 0o755);
after(() => rmSync(base, { recursive: true }));
const owner = process.getuid?.() ?? 0;

/** A folder of scripts, by name; each is a shell script. */
function lay(scripts: Readonly<Record<string, string>>, mode = 0o755): string {
  const directory = mkdtempSync(`${base}/facts-`);
  chmodSync(directory, 0o755);
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(`${directory}/${name}`, `#!/bin/sh\n${body}\n`);
    chmodSync(`${directory}/${name}`, mode);
  }
  return directory;
}

function partsOf(directory: string, parts: Partial<FactScriptParts> = {}): FactScriptParts {
  return { host: "b", directory, now: () => 0, owner, ...parts };
}

/** Facts as name and value, `?` where they are not believed; then problems as code and file name. */
function tell({ facts, problems }: ScriptFacts): readonly unknown[] {
  return [
    Object.entries(facts).map(([name, reading]) => `${name}=${reading.kind === "known" ? reading.value : "?"}`),
    problems.map(({ code, path }) => `${code} ${path.slice(path.lastIndexOf("/") + 1)}`),
  ];
}

interface Case {
  readonly scripts: Readonly<Record<string, string>>;
  readonly mode?: number;
  readonly facts?: readonly string[];
  readonly problems?: readonly string[];
  readonly says?: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  "takes texts, numbers and booleans": {
    scripts: { nvml: `echo '{"ecc": true, "rack": "r1", "label.zone": "a b", "guests": 4}'` },
    facts: ["ecc=true", "guests=4", "label.zone=a b", "rack=r1"],
  },
  "joins scripts in the order of their names": {
    scripts: { b: `echo '{"x": 1}'`, a: `echo '{"y": 2}'` },
    facts: ["x=1", "y=2"],
  },
  "believes two scripts that say the same": {
    scripts: { a: `echo '{"x": 1}'`, b: `echo '{"x": "1"}'` },
    facts: ["x=1"],
  },
  "believes neither of two scripts that disagree": {
    scripts: { a: `echo '{"x": 1}'`, b: `echo '{"x": 2}'`, c: `echo '{"x": 1}'` },
    facts: ["x=?"],
    problems: ["facts_disagree b", "facts_disagree c"],
  },
  "tells of a script that fails, and of what it complains": {
    scripts: { a: `echo '{"x": 1}'; echo no GPU >&2; exit 3`, b: `echo '{"y": 1}'` },
    facts: ["y=1"],
    problems: ["fact_script_failed a"],
    says: /exit 3, saying \\"no GPU\\"/,
  },
  "tells of a script that is killed": {
    scripts: { a: "kill -9 $$" },
    problems: ["fact_script_failed a"],
    says: /SIGKILL/,
  },
  "tells of garbage": { scripts: { a: "echo garbage" }, problems: ["fact_script_failed a"], says: /one JSON object/ },
  "tells of silence": { scripts: { a: "true" }, problems: ["fact_script_failed a"] },
  "takes no list for an object": { scripts: { a: "echo '[1]'" }, problems: ["fact_script_failed a"] },
  "leaves out what is no fact, and tells of it": {
    scripts: { a: `echo '{"__proto__": 1, "X": 1, "deep": {}, "gone": null, "bell": "\\u0007", "ok": 1}'` },
    facts: ["ok=1"],
    problems: Array.from({ length: 5 }, () => "fact_script_failed a"),
  },
  "leaves out a text that is too long": {
    scripts: { a: `echo "{\\"x\\": \\"$(printf '%02000d' 0)\\", \\"y\\": \\"$(printf '%01024d' 0)\\"}"` },
    facts: [`y=${"0".repeat(1024)}`],
    problems: ["fact_script_failed a"],
    says: /x: the text is longer than 1024 characters/,
  },
  "stops a script that writes too much": {
    scripts: { a: "while :; do echo 0123456789012345678901234567890123456789; done" },
    problems: ["fact_script_failed a"],
    says: /more than 65536 bytes/,
  },
  "runs scripts with an environment of their own": {
    scripts: { a: `echo "{\\"home\\": \\"\${HOME-none}\\", \\"here\\": \\"$PWD\\", \\"lc\\": \\"$LC_ALL\\"}"` },
    facts: ["here=/", "home=none", "lc=C"],
  },
  "does not run what others may write": {
    scripts: { a: "echo '{}'" },
    mode: 0o777,
    problems: ["fact_script_failed a"],
  },
  "does not run what may not be executed": {
    scripts: { a: "echo '{}'" },
    mode: 0o644,
    problems: ["fact_script_failed a"],
  },
};

describe("makeFactReader()", () => {
  for (const [name, { scripts, mode, facts = [], problems = [], says = /(?:)/ }] of Object.entries(CASES)) {
    it(name, async () => {
      const said = await makeFactReader(partsOf(lay(scripts, mode)))();
      assert.deepEqual(tell(said), [facts, problems]);
      assert.match(JSON.stringify(said.problems), says);
    });
  }

  it("has no facts where there is no folder, and that is no problem", async () => {
    assert.deepEqual(await makeFactReader(partsOf(`${base}/none`))(), { facts: {}, problems: [] });
  });

  it("runs nothing of a folder that others may write to", async () => {
    const directory = lay({ a: `echo '{"x": 1}'` });
    chmodSync(directory, 0o777);
    assert.deepEqual(tell(await makeFactReader(partsOf(directory))())[0], []);
  });

  it("runs no link, no folder, and nothing of another owner", async () => {
    const directory = lay({ a: `echo '{"x": 1}'` });
    symlinkSync(`${directory}/a`, `${directory}/link`);
    mkdirSync(`${directory}/folder`);
    const problems = ["fact_script_failed folder", "fact_script_failed link"];
    assert.deepEqual(tell(await makeFactReader(partsOf(directory))()), [["x=1"], problems]);
    const foreign = await makeFactReader(partsOf(directory, { owner: owner + 1 }))();
    assert.deepEqual([foreign.facts, foreign.problems.length], [{}, 1]);
  });

  it("kills a script that is too slow, with all that it started", async () => {
    const directory = lay({ a: `sh -c 'echo $$ > "$0.pid"; sleep 60' "$0" & sleep 60` });
    chmodSync(directory, 0o755);
    const user = { uid: owner, gid: process.getgid?.() ?? 0 };
    const said = await makeFactReader(partsOf(directory, { timeoutMs: 300, user }))();
    assert.match(said.problems[0]?.message ?? "", /longer than 300 ms/);
    const pid = Number(readFileSync(`${directory}/a.pid`, "utf8"));
    for (let turn = 0; turn < 100 && isRunning(pid); turn++) await sleep(5);
    assert.ok(!isRunning(pid));
  });

  it("does not wait for what a script leaves behind", async () => {
    const directory = lay({ a: `sleep 60 & echo '{"x": 1}'` });
    assert.deepEqual(tell(await makeFactReader(partsOf(directory))()), [["x=1"], []]);
  });

  it("runs scripts as nobody where it is root", { skip: owner === 0 ? false : "this is not root" }, async () => {
    const directory = lay({ a: `echo "{\\"user\\": \\"$(id -u) $(id -g) $(id -G)\\"}"` });
    assert.deepEqual(tell(await makeFactReader(partsOf(directory))()), [["user=65534 65534 65534"], []]);
  });

  it("tells again what was said, for a while, and keeps nothing of a script that fails", async () => {
    const directory = lay({ a: `test -e "$0.off" && exit 1; echo '{"x": 1}'` });
    let nowMs = 0;
    const read = makeFactReader(partsOf(directory, { now: () => nowMs, keepMs: 1000 }));
    assert.deepEqual(tell(await read())[0], ["x=1"]);
    writeFileSync(`${directory}/a.off`, "");
    nowMs = 999;
    assert.deepEqual(tell(await read())[0], ["x=1"]);
    nowMs = 1000;
    assert.deepEqual(tell(await read())[0], []);
    rmSync(`${directory}/a.off`);
    nowMs = 500;
    assert.deepEqual(tell(await read())[0], ["x=1"]);
  });
});

/** A process that ended and was not waited for yet does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
