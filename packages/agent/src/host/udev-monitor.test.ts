// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openUdevMonitor } from "./udev-monitor.ts";

const base = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

function lay(name: string, body: string): string {
  writeFileSync(`${base}/${name}`, `#!/bin/sh\n${body}\n`);
  chmodSync(`${base}/${name}`, 0o755);
  return `${base}/${name}`;
}

/** Watches with a program until it has given `count` hints or lines. */
function watch(program: string, stop: { readonly hints?: number; readonly lines?: number }) {
  const lines: string[] = [];
  let hints = 0;
  return new Promise<{ readonly hints: number; readonly lines: readonly string[] }>((resolve) => {
    const check = (): void => {
      if (hints < (stop.hints ?? 0) || lines.length < (stop.lines ?? 0)) return;
      monitor.close();
      resolve({ hints, lines });
    };
    const monitor = openUdevMonitor({
      program,
      restartMs: 1,
      onHint: () => {
        hints += 1;
        check();
      },
      log: (line) => {
        lines.push(line);
        check();
      },
    });
  });
}

describe("openUdevMonitor()", () => {
  it("hints at kernel events, not at what is said before them", async () => {
    const body =
      'echo "$@" > "$0.args"; echo "monitor will print the received events for:"; echo "KERNEL - the kernel uevent"; echo "KERNEL[1.2] add /devices/x (mdev)"; exec sleep 60';
    const program = lay("udevadm", body);
    assert.deepEqual(await watch(program, { hints: 1 }), { hints: 1, lines: [] });
    const args = readFileSync(`${program}.args`, "utf8").split(" ");
    assert.deepEqual(args.slice(0, 3), ["monitor", "--kernel", "--subsystem-match=mdev"]);
  });

  it("starts it again when it dies, after pauses that grow", async () => {
    const { lines } = await watch(lay("dying", "exit 3"), { lines: 3 });
    assert.deepEqual(
      lines.map((line) => /ended \((.*)\): started again in (\d+) ms/.exec(line)?.slice(1)),
      [
        ["exit 3", "1"],
        ["exit 3", "2"],
        ["exit 3", "4"],
      ],
    );
  });

  it("takes no explanation for an event", async () => {
    const { hints } = await watch(lay("talking", 'echo "KERNEL - the kernel uevent"'), { lines: 3 });
    assert.equal(hints, 0);
  });

  it("says once that there is none", async () => {
    const { lines } = await watch(`${base}/none`, { lines: 1 });
    assert.match(lines[0] ?? "", /is not installed: changes are only seen by rescans/);
  });

  it("ends its process when it is closed, and starts none again", async () => {
    const program = lay("living", 'echo $$ > "$0.pid"; echo "KERNEL[1.2] x"; exec sleep 60');
    const { lines } = await watch(program, { hints: 1 });
    const stat = `/proc/${readFileSync(`${program}.pid`, "utf8").trim()}/stat`;
    for (let turn = 0; turn < 200 && existsSync(stat); turn++) await sleep(5);
    assert.deepEqual([existsSync(stat), lines], [false, []]);
  });
});
