// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareDotted, isWithin, parseDotted, parseKernelRelease } from "./dotted.ts";

describe("parseDotted()", () => {
  const CASES: Readonly<Record<string, readonly [string, readonly number[] | undefined]>> = {
    "reads dotted numbers": ["550.144.02", [550, 144, 2]],
    "reads one integer": ["17", [17]],
    "reads a hexadecimal integer": ["0x10", [16]],
    "drops outer white space": [" 1.2 ", [1, 2]],
    "refuses an empty text": ["", undefined],
    "refuses a word": ["new", undefined],
    "refuses a trailing dot": ["1.", undefined],
    "refuses a sign": ["-1.2", undefined],
    "refuses a suffix": ["1.2-rc1", undefined],
    "refuses a number that is not exact": ["1.9999999999999999", undefined],
  };
  for (const [name, [text, expected]] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(parseDotted(text), expected));
  }
});

describe("parseKernelRelease()", () => {
  const CASES: Readonly<Record<string, readonly [string, readonly number[] | undefined]>> = {
    "takes the numeric head": ["6.12.107+deb13-amd64", [6, 12, 107]],
    "takes a release without a suffix": ["6.7", [6, 7]],
    "takes a distribution's release": ["5.14.0-427.13.1.el9_4.x86_64", [5, 14, 0]],
    "refuses a text without a number": ["linux", undefined],
    "refuses a single number": ["6", undefined],
    "refuses a dangling dot": ["6.7.", undefined],
  };
  for (const [name, [text, expected]] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(parseKernelRelease(text), expected));
  }
});

describe("compareDotted()", () => {
  it("compares numbers, not letters", () => assert.ok(compareDotted([1, 10], [1, 9]) > 0));
  it("takes a missing number for 0", () => assert.equal(compareDotted([6, 7], [6, 7, 0]), 0));
  it("sees an older version", () => assert.ok(compareDotted([6, 6, 99], [6, 7]) < 0));
});

describe("isWithin()", () => {
  it("holds the lower bound", () => assert.equal(isWithin([6, 7], [6, 7], undefined), true));
  it("does not hold the upper bound", () => assert.equal(isWithin([6, 7], undefined, [6, 7]), false));
  it("holds anything without bounds", () => assert.equal(isWithin([0], undefined, undefined), true));
});
