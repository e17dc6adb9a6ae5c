// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatRational, isEqualRational, multiplyRationals, parseRational, rationalOf } from "./rational.ts";

const whole = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 18n - 1n });

describe("rational", () => {
  it("Q1: what was written reads back as the same fraction", () => {
    fc.assert(
      fc.property(positive, positive, (n, d) => {
        const ratio = rationalOf(n, d);
        assert.deepEqual(parseRational(formatRational(ratio), "units"), ratio);
      }),
    );
  });

  it("Q2: a common factor changes nothing", () => {
    fc.assert(
      fc.property(
        whole,
        positive,
        whole.filter((k) => k !== 0n),
        (n, d, k) => {
          assert.deepEqual(rationalOf(n * k, d * k), rationalOf(n, d));
        },
      ),
    );
  });

  it("Q3: dividing and multiplying by the same number gives the number back", () => {
    fc.assert(
      fc.property(whole, positive, (n, d) => {
        assert.deepEqual(multiplyRationals(rationalOf(n, d), rationalOf(d)), rationalOf(n));
      }),
    );
  });

  it("Q4: two fractions are equal exactly when their lowest terms are", () => {
    const small = fc.bigInt({ min: 1n, max: 12n });
    fc.assert(
      fc.property(small, small, small, small, (a, b, c, d) => {
        const [left, right] = [rationalOf(a, b), rationalOf(c, d)];
        assert.equal(isEqualRational(left, right), formatRational(left) === formatRational(right));
      }),
    );
  });
});
