// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openMemoryTree } from "../host/memory-tree.ts";
import { makeHostEye } from "./host-eye.ts";
import type { HostEye } from "./host-eye.ts";

/** How often the host was opened, after a first look at 5 s and what came then. */
function countLooks(act: (eye: HostEye, clock: { nowMs: number }) => void): number {
  const clock = { nowMs: 5000 };
  let looks = 0;
  const look = () => {
    looks += 1;
    return openMemoryTree([]);
  };
  const eye = makeHostEye({ host: "b", look, tool: "sysfs", now: () => clock.nowMs });
  eye.look();
  act(eye, clock);
  eye.look();
  return looks;
}

describe("makeHostEye()", () => {
  const CASES: Readonly<Record<string, readonly [(eye: HostEye, clock: { nowMs: number }) => void, number]>> = {
    "looks once for all claims of a moment": [() => undefined, 1],
    "trusts a look for less than a second": [(_eye, clock) => void (clock.nowMs += 999), 1],
    "looks again after a second": [(_eye, clock) => void (clock.nowMs += 1000), 2],
    "looks again when the clock was set back": [(_eye, clock) => void (clock.nowMs -= 1), 2],
    "looks again after a change": [(eye) => eye.noteChange(), 2],
    "looks again after it blinked": [(eye) => eye.blink(), 2],
  };
  for (const [name, [act, looks]] of Object.entries(CASES)) it(name, () => assert.equal(countLooks(act), looks));

  it("counts changes, and no blinks", () => {
    const eye = makeHostEye({ host: "b", look: () => openMemoryTree([]), tool: "sysfs", now: () => 0 });
    eye.blink();
    eye.noteChange();
    assert.equal(eye.changes, 1);
  });
});
