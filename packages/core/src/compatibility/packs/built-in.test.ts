// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { BUILT_IN_PACKS } from "./built-in.ts";
import type { PackVectors } from "./vectors.ts";
import { runVectors } from "./vectors.ts";

function readVectors(name: string): PackVectors {
  return JSON.parse(readFileSync(new URL(`${name}.vectors.json`, import.meta.url), "utf8")) as PackVectors;
}

describe("BUILT_IN_PACKS", () => {
  it("holds one pack per name, sorted", () => {
    const names = BUILT_IN_PACKS.map((pack) => pack.name);
    assert.deepEqual(names, [...new Set(names)].sort());
    assert.deepEqual(names, ["i915", "idxd", "mtty", "nvidia", "vfio_ap", "vfio_ccw"]);
  });

  for (const pack of BUILT_IN_PACKS) {
    it(`${pack.name} says what its vectors expect`, () => {
      const vectors = readVectors(pack.name);
      assert.equal(vectors.pack, pack.name);
      assert.ok(vectors.cases.length > 1);
      assert.deepEqual(runVectors(pack, vectors), []);
    });

    it(`${pack.name} has a vector for each reason that it can give`, () => {
      const codes = new Set(
        readVectors(pack.name).cases.flatMap((vector) =>
          vector.expected === "incompatible" ? (vector.codes ?? []) : [],
        ),
      );
      const wanted = pack.rules
        .filter((rule) => rule.doubtful !== true && rule.failing === undefined)
        .map((rule) => rule.code);
      assert.deepEqual(
        wanted.filter((code) => !codes.has(code)),
        [],
      );
    });
  }
});

describe("runVectors()", () => {
  it("lists each expectation that is not met", () => {
    const [pack] = BUILT_IN_PACKS.filter((candidate) => candidate.name === "mtty");
    assert.ok(pack);
    const facts = { type: "mtty-1", device_api: "vfio-pci", kernel_release: "6.12.0" };
    const failures = runVectors(pack, {
      vectors: "berth.pack-vectors/v1",
      pack: "mtty",
      cases: [
        {
          name: "wrong",
          source: facts,
          destination: facts,
          expected: "incompatible",
          codes: ["x"],
          migration: "unsupported",
          streamVersion: "2.0.0",
        },
      ],
    });
    assert.deepEqual(
      failures.map((failure) => [failure.what, failure.found]),
      [
        ["expected", "compatible"],
        ["codes", ""],
        ["migration", "supported"],
        ["streamVersion", "1.0.0"],
      ],
    );
  });
});
