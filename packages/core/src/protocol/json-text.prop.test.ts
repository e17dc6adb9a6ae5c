// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BerthError } from "./berth-error.ts";
import { parseJsonText } from "./json-text.ts";

const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes("__proto__"));

describe("parseJsonText() laws", () => {
  it("J1: reads what JSON.stringify writes, as JSON.parse does", () => {
    fc.assert(
      fc.property(value, fc.nat(4), (json, indent) => {
        const text = JSON.stringify(json, null, indent);
        assert.deepEqual(parseJsonText(text, "f"), JSON.parse(text));
      }),
    );
  });

  it("J2: refuses every text that JSON.parse refuses, and with a coded error", () => {
    const near = fc
      .tuple(value, fc.nat(), fc.constantFrom("", ",", '"', "}", "]", "0", "e", "\\", "\u0000", " "))
      .map(([json, at, put]) => {
        const text = JSON.stringify(json);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + put + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        try {
          const read = parseJsonText(text, "f");
          assert.deepEqual(read, JSON.parse(text.replace(/^\u{feff}/u, "")));
        } catch (error) {
          assert.ok(error instanceof BerthError && error.code === "json_malformed", String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
