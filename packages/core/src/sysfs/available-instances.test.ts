// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatAvailableInstances } from "./available-instances.ts";

describe("formatAvailableInstances()", () => {
  it("writes a count with its LF", () => assert.equal(formatAvailableInstances(24), "24\n"));
  it("writes no limit as -1", () => assert.equal(formatAvailableInstances(Infinity), "-1\n"));

  for (const count of [-1, -Infinity, 0.5, Number.NaN, 2 ** 53]) {
    it(`refuses ${count}`, () => assert.throws(() => formatAvailableInstances(count), RangeError));
  }
});
