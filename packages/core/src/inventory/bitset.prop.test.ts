// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  addBit,
  bitsetOf,
  countBits,
  createBitset,
  hasBit,
  isSubset,
  nextBit,
  removeBit,
  type Bitset,
} from "./bitset.ts";

const member = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(31, 32, 63, 64, 1000));
const members = fc.array(member, { maxLength: 40 });

function listOf(set: Bitset): readonly number[] {
  const found: number[] = [];
  for (let at = nextBit(set, 0); at >= 0; at = nextBit(set, at + 1)) found.push(at);
  return found;
}

describe("Bitset", () => {
  it("B1: holds what was added and not removed since, as a Set does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), member)), (acts) => {
        const set = createBitset(8);
        const model = new Set<number>();
        for (const [isAdded, one] of acts) {
          if (isAdded) addBit(set, one);
          else removeBit(set, one);
          if (isAdded) model.add(one);
          else model.delete(one);
        }
        assert.deepEqual(
          listOf(set),
          [...model].toSorted((a, b) => a - b),
        );
        assert.equal(countBits(set), model.size);
        for (let one = 0; one < 1100; one += 1) assert.equal(hasBit(set, one), model.has(one));
      }),
    );
  });

  it("B2: isSubset is inclusion, whatever space either set has", () => {
    fc.assert(
      fc.property(members, members, fc.boolean(), (some, others, areIncluded) => {
        const outer = areIncluded ? [...some, ...others] : others;
        const expected = some.every((one) => outer.includes(one));
        assert.equal(isSubset(bitsetOf(some), bitsetOf(outer)), expected);
      }),
    );
  });

  it("B3: nextBit is the smallest member from there on", () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 1100 }), (some, from) => {
        const later = some.filter((one) => one >= from);
        assert.equal(nextBit(bitsetOf(some), from), later.length === 0 ? -1 : Math.min(...later));
      }),
    );
  });

  it("refuses what is no integer from 0", () => {
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 32]) assert.throws(() => bitsetOf([wrong]), RangeError);
  });
});
