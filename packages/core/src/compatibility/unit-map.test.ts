// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasEqualUnits, parseRatio } from "./unit-map.ts";

describe("parseRatio()", () => {
  it("reads whole numbers and fractions", () => {
    assert.deepEqual(parseRatio("2"), { numerator: 2n, denominator: 1n });
    assert.deepEqual(parseRatio("1/30"), { numerator: 1n, denominator: 30n });
  });

  for (const text of ["", "0", "1/0", "-1", "1.5", "1/", "/2", "1/2/3", " 1", "1e3", "x", "1".repeat(19)]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseRatio(text), SyntaxError));
  }
});

describe("hasEqualUnits()", () => {
  const CASES = [
    ["1", 30, "2", 15, true],
    ["1", 30, "2", 16, false],
    ["1/3", 3, "1", 1, true],
    ["1/3", 1, "33333333333333333/100000000000000000", 1, false],
    ["1/2", 1, "1/4", 2, true],
    ["999999999999999999", 2, "999999999999999998", 2, false],
  ] as const;
  for (const [left, leftCount, right, rightCount, equal] of CASES) {
    it(`${leftCount} of ${left} and ${rightCount} of ${right}: ${equal}`, () => {
      const amounts = [
        { units: parseRatio(left), count: leftCount },
        { units: parseRatio(right), count: rightCount },
      ] as const;
      assert.equal(hasEqualUnits(amounts[0], amounts[1]), equal);
      assert.equal(hasEqualUnits(amounts[1], amounts[0]), equal);
    });
  }
});
