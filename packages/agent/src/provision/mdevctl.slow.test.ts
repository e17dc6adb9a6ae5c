// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeEmulatedHost } from "./emulated-kernel.ts";
import type { Outcome } from "./outcome.ts";

const AGENT = fileURLToPath(new URL("./mdevctl-agent.ts", import.meta.url));
const base = fs.mkdtempSync(`${tmpdir()}/berth-mdevctl-`);
after(() => fs.rmSync(base, { recursive: true }));

function isRunning(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Why mdevctl cannot be tried here; false: it can. It is installed where that is possible. */
function findObstacle(): string | false {
  if (!isRunning("unshare", ["-m", "true"])) return "DID NOT RUN: no mount namespaces (unshare -m is refused)";
  if (isRunning("mdevctl", ["--version"])) return false;
  const isInstalled = process.getuid?.() === 0 && isRunning("apt-get", ["install", "-y", "mdevctl"]);
  return isInstalled ? false : "DID NOT RUN: mdevctl is not installed, and cannot be";
}

function listDefinitions(): readonly string[] {
  return fs.readdirSync("/etc/mdevctl.d", { recursive: true, encoding: "utf8" }).sort();
}

interface Told {
  readonly outcome: Outcome;
  readonly defined: boolean;
  readonly stands: boolean;
}

describe("the mdevctl of this machine", () => {
  it("defines, starts, stops and undefines for the executor", { skip: findObstacle() }, () => {
    const root = `${base}/host`;
    makeEmulatedHost(root);
    // Without these two folders no command of mdevctl works.
    for (const folder of ["definitions/scripts.d/callouts", "definitions/scripts.d/notifiers", "state"]) {
      fs.mkdirSync(`${base}/${folder}`, { recursive: true });
    }
    const before = listDefinitions();
    const script =
      'mount --bind "$1/definitions" /etc/mdevctl.d && mount --bind "$1/host/sys" /sys && exec "$2" "$3" run-steps "$1/host" "$1/state"';
    const args = ["-m", "--propagation", "private", "sh", "-c", script, "sh", base, process.execPath, AGENT];
    const ran = spawnSync("unshare", args, { encoding: "utf8" });
    assert.equal(ran.status, 0, ran.stderr);
    const [found, ...told] = JSON.parse(ran.stdout) as [{ kind: string }, ...Told[]];
    assert.equal(found.kind, "usable", ran.stdout);
    const short = told.map(({ outcome, defined, stands }) => {
      const more =
        outcome.kind === "completed"
          ? ""
          : ` ${outcome.failure.code} ${outcome.undos.map(({ kind }) => kind).join(" ")}`;
      return `${outcome.kind}${more}, ${defined ? "defined" : "not defined"}, ${stands ? "stands" : "gone"}`;
    });
    assert.deepEqual(short, [
      "undone refused undone undone, not defined, gone",
      "completed, defined, stands",
      "completed, not defined, gone",
      "undone command_failed nothing-left undone, not defined, gone",
    ]);
    assert.deepEqual(listDefinitions(), before);
  });
});
