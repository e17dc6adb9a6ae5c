// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatDuration, parseDuration } from "./duration.ts";

const LIMITS = { min: 1, max: 604_800 };

const READ: Record<string, number> = {
  "90s": 90,
  "10m": 600,
  "1h": 3600,
  "2d": 172_800,
  "1s": 1,
  "7d": 604_800,
  "0010m": 600,
};
const REFUSED = [
  "",
  "10",
  "m",
  "10 m",
  "1.5h",
  "-1h",
  "10min",
  "1w",
  "0s",
  "8d",
  "9999999999s",
  "10M",
  " 10m",
  "1h30m",
];

describe("parseDuration()", () => {
  for (const [text, seconds] of Object.entries(READ)) {
    it(`reads ${text}`, () => assert.equal(parseDuration("--ttl", LIMITS)(text), seconds));
  }
  for (const text of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseDuration("--ttl", LIMITS)(text), {
        code: "usage_bad_value",
        message: `Cannot read --ttl ${JSON.stringify(text)}`,
        expected: "a duration from 1s to 7d, such as 90s, 10m, 1h or 2d",
      });
    });
  }
});

describe("formatDuration()", () => {
  it("is read as the same number again", () => {
    for (const seconds of [1, 59, 60, 61, 3600, 5400, 86_400, 604_800]) {
      assert.equal(parseDuration("--ttl", LIMITS)(formatDuration(seconds)), seconds);
    }
    assert.deepEqual([3600, 5400, 90, 172_800, 0].map(formatDuration), ["1h", "90m", "90s", "2d", "0s"]);
  });
});
