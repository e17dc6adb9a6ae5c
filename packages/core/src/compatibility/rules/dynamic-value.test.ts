// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasEqualText, isAggregationName, isDefaultCount } from "./dynamic-value.ts";

describe("hasEqualText()", () => {
  const CASES = [
    ["16", "0x10", true],
    ["0X10", "16", true],
    [" 16\n", "16", true],
    ["016", "16", true],
    ["-1", "-1", true],
    ["-1", "1", false],
    ["fast", "fast", true],
    ["fast", "Fast", false],
    ["", "0", false],
    ["9007199254740993", "9007199254740992", false],
  ] as const;
  for (const [left, right, equal] of CASES) {
    it(`${JSON.stringify(left)} and ${JSON.stringify(right)}: ${equal}`, () => {
      assert.equal(hasEqualText(left, right), equal);
      assert.equal(hasEqualText(right, left), equal);
    });
  }
});

describe("isAggregationName()", () => {
  for (const name of ["aggregator", "mdev/aggregated_instances", "mdev/aggregation", "intel_vgpu/aggregator"]) {
    it(`knows ${name}`, () => assert.equal(isAggregationName(name), true));
  }
  for (const name of ["fps", "aggregator/fps", "max_aggregation", ""]) {
    it(`does not know ${JSON.stringify(name)}`, () => assert.equal(isAggregationName(name), false));
  }
});

describe("isDefaultCount()", () => {
  it("is one, however it is written", () => {
    assert.deepEqual(["1", "0x1", " 1 ", "01", "2", "", "one"].map(isDefaultCount), [
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
