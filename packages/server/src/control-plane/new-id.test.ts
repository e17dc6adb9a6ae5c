// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newId } from "./new-id.ts";

describe("newId()", () => {
  it("makes 26 letters and digits that may stand in keys and file names", () => {
    assert.match(newId(1_790_000_000_000), /^[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it("sorts by time", () => {
    const times = [0, 1, 31, 32, 1023, 1024, 1_790_000_000_000, 1_790_000_000_001, 9_999_999_999_999];
    const ids = times.map(newId);
    assert.deepEqual(ids.toSorted(), ids);
  });

  it("writes the time in its first ten digits", () => {
    assert.equal(newId(33).slice(0, 10), "0000000011");
  });

  it("is another one each time", () => {
    assert.equal(new Set(Array.from({ length: 1000 }, () => newId(5))).size, 1000);
  });
});
