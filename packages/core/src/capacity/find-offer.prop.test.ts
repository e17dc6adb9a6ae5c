// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findOffer } from "./find-offer.ts";

const NAMES = ["a", "b", "c", "__proto__", "constructor", ""];
const named = fc.record({ parent: fc.constantFrom(...NAMES), type: fc.constantFrom(...NAMES) });
const said = fc.record({ parent: fc.constantFrom(...NAMES), type: fc.constantFrom(...NAMES), available: fc.nat(3) });
/** Short lists, and such as are long enough for an index. */
const list = fc.oneof(fc.array(said, { maxLength: 5 }), fc.array(said, { minLength: 34, maxLength: 60 }));
const lists = fc.array(list, { minLength: 1, maxLength: 3 });

describe("findOffer()", () => {
  it("O1: answers the first offer of that parent and type, whichever lists were asked before and how often", () => {
    let [found, missed] = [0, 0];
    fc.assert(
      fc.property(lists, fc.array(fc.tuple(fc.nat(2), named, fc.nat(40)), { maxLength: 12 }), (all, questions) => {
        for (const [which, { parent, type }, times] of questions) {
          const offers = all[which % all.length] ?? [];
          const expected = offers.filter((offer) => offer.parent === parent && offer.type === type).at(0);
          for (let time = 0; time <= times; time += 1) {
            assert.equal(findOffer(offers, { parent, type }), expected);
          }
          if (expected === undefined) missed += 1;
          else found += 1;
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(found > 200 && missed > 200, `${found} were found, ${missed} were not`);
  });
});
