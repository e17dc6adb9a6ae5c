// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";

const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes("__proto__"));

describe("canonicalJson() laws", () => {
  it("K1: what it writes is read back to the same value", () => {
    fc.assert(
      fc.property(value, (json) => assert.deepEqual(JSON.parse(canonicalJson(json)), JSON.parse(JSON.stringify(json)))),
    );
  });

  it("K2: it does not see the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (json) => {
        const reversed = Object.fromEntries(Object.entries(json).reverse());
        assert.equal(canonicalJson(reversed), canonicalJson(json));
      }),
    );
  });

  it("K3: it tells different values apart", () => {
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
