// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BerthError } from "./berth-error.ts";
import { canonicalJson } from "./canonical-json.ts";
import { parseJsonText } from "./json-text.ts";

const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes("__proto__"));

describe("parseJsonText() and canonicalJson() laws", () => {
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

  it("J3: canonicalJson is read back to the same value", () => {
    fc.assert(
      fc.property(value, (json) => assert.deepEqual(JSON.parse(canonicalJson(json)), JSON.parse(JSON.stringify(json)))),
    );
  });

  it("J4: canonicalJson does not see the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (json) => {
        const reversed = Object.fromEntries(Object.entries(json).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(json));
      }),
    );
  });

  it("J5: canonicalJson tells different values apart", () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right);
        let equal = true;
        try {
          assert.deepEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right)));
        } catch {
          equal = false;
        }
        assert.equal(same, equal);
      }),
    );
  });
});

describe("canonicalJson()", () => {
  it("sorts keys and leaves no space", () => {
    assert.equal(canonicalJson({ b: [1, { d: null, c: "x" }], a: true }), '{"a":true,"b":[1,{"c":"x","d":null}]}');
  });
  it("refuses what JSON cannot hold", () => {
    for (const bad of [undefined, NaN, Infinity, () => 1, 1n, { a: undefined }]) {
      assert.throws(() => canonicalJson(bad), TypeError);
    }
  });
});
