// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findAttributePath, isSafeAttribute, isSafeValue } from "./attribute-path.ts";
import { isReadBack } from "./step.ts";

describe("findAttributePath()", () => {
  const CASES: Readonly<Record<string, readonly [string, readonly string[], string | undefined]>> = {
    "finds an attribute at the device": ["aggregator", ["aggregator", "intel_vgpu/aggregator"], "aggregator"],
    "finds it one folder below": ["aggregator", ["remove", "intel_vgpu/aggregator"], "intel_vgpu/aggregator"],
    "takes the first folder of several": ["fps", ["b/fps", "a/fps"], "a/fps"],
    "takes a path as it is": ["mdev/aggregation", ["mdev/aggregation"], "mdev/aggregation"],
    "does not look two folders below": ["fps", ["a/b/fps"], undefined],
    "does not take a name that only ends alike": ["fps", ["a/xfps", "xfps"], undefined],
    "finds nothing where nothing is": ["fps", [], undefined],
  };
  for (const [name, [attribute, present, expected]] of Object.entries(CASES)) {
    it(name, () => {
      assert.equal(findAttributePath(attribute, present), expected);
    });
  }
});

describe("isSafeAttribute()", () => {
  it("takes names inside the device and nothing else", () => {
    const safe = ["aggregator", "mdev/aggregation", "..x", "a.b"];
    const unsafe = ["", "/etc/passwd", "../remove", "a/../b", "a//b", ".", "a/", "a b", "é", "x".repeat(4097)];
    assert.deepEqual([...safe, ...unsafe].filter(isSafeAttribute), safe);
  });
});

describe("isSafeValue()", () => {
  it("takes one line of printable ASCII", () => {
    assert.deepEqual(["", "30", "a b", "1\n2", "\u0000", "é", "x".repeat(4097)].filter(isSafeValue), ["", "30", "a b"]);
  });
});

describe("isReadBack()", () => {
  it("compares as text after trimming, and as integers where both are", () => {
    const isShown = (expected: string, text: string): boolean => isReadBack({ path: "/sys/x", expected }, text);
    assert.ok(isShown("30", "30\n") && isShown("16", "0x10\n") && isShown("a b", " a b "));
    assert.ok(!isShown("30", "31") && !isShown("", "0") && !isShown("0x", "0") && !isShown("a", "A"));
  });
});
