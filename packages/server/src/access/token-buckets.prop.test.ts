// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TokenBuckets } from "./token-buckets.ts";

const RATE = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 20 }) });
const STEPS = fc.array(
  fc.record({ name: fc.constantFrom("a", "b", "__proto__"), afterMs: fc.integer({ min: -50, max: 500 }) }),
  { maxLength: 200 },
);

describe("TokenBuckets", () => {
  it("L1: nobody is given more than the burst and what the time since has brought", () => {
    fc.assert(
      fc.property(RATE, STEPS, (rate, steps) => {
        const buckets = new TokenBuckets(rate);
        const given = new Map<string, number[]>();
        let nowMs = 0;
        for (const { name, afterMs } of steps) {
          nowMs += Math.max(0, afterMs);
          if (buckets.take(name, nowMs) === 0) given.set(name, [...(given.get(name) ?? []), nowMs]);
        }
        for (const times of given.values()) {
          for (const [at, from] of times.entries()) {
            for (const [more, to] of times.slice(at).entries()) {
              const most = rate.burst + ((to - from) / 1000) * rate.perSecond;
              assert.ok(more + 1 <= most + 1e-6, `${more + 1} within ${to - from} ms`);
            }
          }
        }
      }),
    );
  });

  it("L2: after the time that a refusal names there is a token, and not before", () => {
    fc.assert(
      fc.property(RATE, fc.integer({ min: 0, max: 30 }), (rate, taken) => {
        const empty = (): { readonly buckets: TokenBuckets; readonly waitMs: number } => {
          const buckets = new TokenBuckets(rate);
          for (let time = 0; time < rate.burst + taken; time += 1) buckets.take("a", 0);
          return { buckets, waitMs: buckets.wait("a", 0) * 1000 };
        };
        const { buckets, waitMs } = empty();
        assert.ok(waitMs > 0);
        assert.ok(buckets.take("a", waitMs * 0.99) > 0);
        assert.equal(empty().buckets.take("a", waitMs + 1e-6), 0);
      }),
    );
  });

  it("L3: names are told apart, and no more of them are kept than said", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 50 }), (names) => {
        const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 10);
        for (const name of names) {
          buckets.take(name, 0);
          assert.ok(buckets.take(name, 0) > 0, "the name that was just heard of is remembered");
          assert.equal(buckets.wait(`not ${name}`, 0), 0);
        }
        assert.equal(buckets.size, Math.min(10, new Set(names).size));
      }),
    );
  });

  it("L4: a clock that is set back gives nothing", () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    assert.equal(buckets.take("a", 10_000), 0);
    assert.ok(buckets.take("a", 0) > 0);
    assert.ok(buckets.take("a", 900) > 0);
    assert.equal(buckets.take("a", 1_000), 0);
  });
});
