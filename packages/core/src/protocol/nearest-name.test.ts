// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findNearestName } from "./nearest-name.ts";

const NAMES = ["crossType", "hybrid", "sameBuild", "facts"];

describe("findNearestName()", () => {
  const CASES: Readonly<Record<string, readonly [string, string | undefined]>> = {
    "mends a swapped pair of letters": ["crosTsype", "crossType"],
    "mends a missing letter": ["hybid", "hybrid"],
    "mends the case": ["SAMEBUILD", "sameBuild"],
    "mends one letter of a short name": ["fact", "facts"],
    "knows nothing near a strange word": ["banana", undefined],
    "knows nothing near an empty name": ["", undefined],
    "does not compare a text of any length": ["x".repeat(100_000), undefined],
  };
  for (const [name, [text, expected]] of Object.entries(CASES)) {
    it(name, () => assert.equal(findNearestName(text, NAMES), expected));
  }
  it("takes the first of two that are as near", () => assert.equal(findNearestName("bax", ["bay", "baz"]), "bay"));
});
