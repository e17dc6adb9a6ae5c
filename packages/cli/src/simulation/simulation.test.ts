// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { liveThrough } from "./world.ts";

// Bringing to disk costs nothing in memory, and here nothing but simulated processes dies.
const base = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "berth-simulation-"));
after(() => rmSync(base, { recursive: true }));

/** Seeds that found something once. */
const SEEDS = [7, 16];

describe("servers, store, network, agents and kernels under a seed", () => {
  it("keep S1 to S7 all the time and Q0 to Q5 at rest, and live through the same seed alike", async () => {
    const digests: string[] = [];
    for (const seed of [...SEEDS, ...SEEDS.slice(0, 1)]) {
      const { violations, told, digest } = await liveThrough(seed, mkdtempSync(join(base, "run-")));
      assert.deepEqual(violations, [], `seed ${seed}`);
      assert.ok(told.granted.size > 5 && told.released.size > 5, "too little happened");
      digests.push(digest);
    }
    assert.equal(digests.at(-1), digests[0]);
    assert.notEqual(digests[1], digests[0]);
  });
});
