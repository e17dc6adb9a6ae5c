// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createOrderedNames, internName, type OrderedNames } from "./ordered-names.ts";

function rankOf(names: OrderedNames, name: string): number {
  return names.ranks[internName(names, name)] ?? Number.NaN;
}

function byRank(names: OrderedNames): readonly string[] {
  return names.texts.toSorted((a, b) => rankOf(names, a) - rankOf(names, b));
}

describe("OrderedNames", () => {
  it("N1: ranks order names by code unit after every arrival, and ordinals stay", () => {
    const name = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("__proto__", "host-10", "host-9", "Ä", "😀"));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), (arrivals) => {
        const names = createOrderedNames();
        const first = new Map<string, number>();
        for (const arrival of arrivals) {
          const ordinal = internName(names, arrival);
          assert.equal(ordinal, first.get(arrival) ?? first.size);
          first.set(arrival, ordinal);
          assert.deepEqual(byRank(names), [...first.keys()].toSorted());
        }
      }),
    );
  });

  const ORDERS: Readonly<Record<string, (at: number) => number>> = {
    ascending: (at) => at,
    descending: (at) => 9_999 - at,
    scattered: (at) => (at * 7_919) % 10_000,
    "into one gap": (at) => (at % 2 === 0 ? at : 9_999 - at),
  };
  for (const [order, dealt] of Object.entries(ORDERS)) {
    it(`orders thousands of names that arrive ${order}`, () => {
      const names = createOrderedNames();
      for (let at = 0; at < 3_100; at += 1) {
        internName(names, `host${String(dealt(at)).padStart(5, "0")}`);
        // Chunks are cut around multiples of 512 arrivals, where arrivals are in order.
        if ((at + 1) % 512 > 1) continue;
        assert.equal(new Set(names.ranks.subarray(0, at + 1)).size, at + 1);
        assert.deepEqual(byRank(names), names.texts.toSorted());
      }
    });
  }
});
