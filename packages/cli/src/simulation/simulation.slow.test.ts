// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { liveThrough } from "./world.ts";

/** How many seeds are lived through, from 1000 on; or one list of seeds, such as `16,30`, to see one again. */
const SEEDS = process.env["BERTH_SEEDS"] ?? "20";

function listSeeds(): readonly number[] {
  if (SEEDS.includes(",")) return SEEDS.split(",").map(Number);
  return Array.from({ length: Number(SEEDS) }, (_, at) => 1000 + at);
}

describe("servers, store, network, agents and kernels under many seeds", () => {
  it("keep S1 to S7 all the time and Q0 to Q5 at rest", async () => {
    const found: string[] = [];
    const sum = { granted: 0, released: 0, refused: 0 };
    for (const seed of listSeeds()) {
      const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "berth-simulation-"));
      const { violations, told } = await liveThrough(seed, directory);
      rmSync(directory, { recursive: true });
      found.push(...violations.map((violation) => `seed ${seed}: ${violation}`));
      sum.granted += told.granted.size;
      sum.released += told.released.size;
      sum.refused += told.refused;
    }
    process.stdout.write(`${listSeeds().length} seeds: ${JSON.stringify(sum)}\n`);
    assert.deepEqual(found, []);
  });
});
