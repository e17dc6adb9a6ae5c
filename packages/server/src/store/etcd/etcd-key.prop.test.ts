// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { KeyRange } from "./etcd-key.ts";
import { formatEpochKey, formatKey, formatRange, formatSlotKey, parseKey, parseRoot, toBytes } from "./etcd-key.ts";

const SPACE = parseRoot("berth/1/");
const character = fc.constantFrom("!", "/", "0", "a", "b", "~", "}");
const key = fc.string({ unit: character, minLength: 1, maxLength: 6 });
const prefix = fc.string({ unit: character, maxLength: 3 });

/** As etcd decides it: by bytes, the end left out. */
function isInside(range: KeyRange | undefined, bytes: Uint8Array): boolean {
  return range !== undefined && Buffer.compare(range.key, bytes) <= 0 && Buffer.compare(bytes, range.rangeEnd) < 0;
}

describe("keys in etcd", () => {
  test("P1: parseKey() gives back what formatKey() was given", () => {
    fc.assert(fc.property(key, (one) => assert.equal(parseKey(SPACE, formatKey(SPACE, one)), one)));
  });
  test("P2: the order of bytes is the order of code units", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const bytes = Math.sign(Buffer.compare(formatKey(SPACE, a), formatKey(SPACE, b)));
        assert.equal(bytes, a < b ? -1 : Number(a > b));
      }),
    );
  });
  test("P3: a range holds exactly the keys that begin with the prefix and follow the one before", () => {
    fc.assert(
      fc.property(prefix, key, fc.option(key, { nil: undefined }), (start, one, after) => {
        const expected = one.startsWith(start) && (after === undefined || one > after);
        assert.equal(isInside(formatRange(SPACE, start, after), formatKey(SPACE, one)), expected);
      }),
      { numRuns: 2000 },
    );
  });
  test("P4: no prefix reaches a slot, the mark, or a key of another root", () => {
    fc.assert(
      fc.property(prefix, key, (start, one) => {
        const range = formatRange(SPACE, start);
        const foreign = [formatSlotKey(SPACE, one), formatEpochKey(SPACE), formatKey(parseRoot("berth/10/"), one)];
        for (const bytes of foreign) assert.equal(isInside(range, bytes), false);
      }),
    );
  });
});

describe("parseKey()", () => {
  test("refuses a key of another place", () => {
    for (const text of ["berth/1/op/x", "berth/10/d/x", "x"]) {
      assert.throws(() => parseKey(SPACE, toBytes(text)), RangeError);
    }
  });
});

describe("formatRange()", () => {
  test("says that nothing can follow the end of a prefix", () => {
    assert.equal(formatRange(SPACE, "p/", "q"), undefined);
    assert.notEqual(formatRange(SPACE, "p/", "p/~"), undefined);
  });
});
