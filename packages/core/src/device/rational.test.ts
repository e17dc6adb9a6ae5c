// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatRational,
  isEqualRational,
  isIntegerRational,
  multiplyRationals,
  parseRational,
  rationalOf,
} from "./rational.ts";

describe("rationalOf()", () => {
  const CASES = {
    "keeps lowest terms": { of: [1n, 30n], gives: [1n, 30n] },
    "reduces to lowest terms": { of: [6n, 4n], gives: [3n, 2n] },
    "takes the sign to the numerator": { of: [1n, -2n], gives: [-1n, 2n] },
    "turns two signs into none": { of: [-2n, -4n], gives: [1n, 2n] },
    "has one zero": { of: [0n, -7n], gives: [0n, 1n] },
  } as const;
  for (const [name, { of, gives }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(rationalOf(of[0], of[1]), { numerator: gives[0], denominator: gives[1] }));
  }
  it("divides by 1 unless told otherwise", () => assert.deepEqual(rationalOf(5n), { numerator: 5n, denominator: 1n }));
  it("refuses to divide by 0", () => {
    assert.throws(() => rationalOf(1n, 0n), { name: "RangeError", message: "Cannot divide 1 by 0" });
  });
});

describe("parseRational()", () => {
  it("reads an integer", () => assert.deepEqual(parseRational("30", "units"), rationalOf(30n)));
  it("reads a fraction and reduces it", () => assert.deepEqual(parseRational("2/30", "units"), rationalOf(1n, 15n)));
  for (const text of [
    "",
    "0",
    "0/1",
    "1/0",
    "-1",
    "+1",
    "1.5",
    "1/",
    "/2",
    "1/2/3",
    " 1",
    "1\n",
    "0x10",
    "1".repeat(19),
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const message = `Cannot parse units: expected n or n/d, both positive, got ${JSON.stringify(text)}`;
      assert.throws(() => parseRational(text, "units"), { name: "SyntaxError", message });
    });
  }
});

describe("formatRational()", () => {
  it("writes an integer without a denominator", () => assert.equal(formatRational(rationalOf(4n, 2n)), "2"));
  it("writes a fraction", () => assert.equal(formatRational(rationalOf(2n, 15n)), "2/15"));
});

describe("multiplyRationals()", () => {
  it("is exact where a float is not", () => {
    const third = rationalOf(1n, 3n);
    assert.deepEqual(multiplyRationals(third, rationalOf(3n)), rationalOf(1n));
    assert.deepEqual(multiplyRationals(rationalOf(10n ** 30n + 1n), third), rationalOf(10n ** 30n + 1n, 3n));
  });
});

describe("isEqualRational()", () => {
  it("holds for one number in two spellings", () => {
    assert.equal(isEqualRational({ numerator: 2n, denominator: 4n }, rationalOf(1n, 2n)), true);
  });
  it("tells 1/30 from 2/15", () => assert.equal(isEqualRational(rationalOf(1n, 30n), rationalOf(2n, 15n)), false));
});

describe("isIntegerRational()", () => {
  it("holds for 4/2", () => assert.equal(isIntegerRational({ numerator: 4n, denominator: 2n }), true));
  it("holds for 0", () => assert.equal(isIntegerRational(rationalOf(0n, 2n)), true));
  it("does not hold for 1/2", () => assert.equal(isIntegerRational(rationalOf(1n, 2n)), false));
});
