// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { SoftwareVersion } from "../device/software-version.ts";
import { checkVersion, formatVersionRanges, parseVersionRanges } from "./version-ranges.ts";
import type { VersionRange } from "./version-ranges.ts";

const small = fc.integer({ min: 0, max: 3 });
const version: fc.Arbitrary<SoftwareVersion> = fc.record(
  { major: small, minor: small, bugfix: small },
  { noNullPrototype: true },
);

/** A number that orders versions of parts up to 3 as the parts do. */
function rank({ major, minor, bugfix }: SoftwareVersion): number {
  return major * 16 + minor * 4 + bugfix;
}

const range: fc.Arbitrary<VersionRange> = fc.oneof(
  version.map((only): VersionRange => ({ kind: "only", version: only })),
  version.map((from): VersionRange => ({ kind: "since", from })),
  fc.tuple(version, version).map(([a, b]): VersionRange => {
    return rank(a) <= rank(b) ? { kind: "between", from: a, to: b } : { kind: "between", from: b, to: a };
  }),
);
const ranges = fc.tuple(range, fc.array(range, { maxLength: 4 })).map(([first, more]) => [first, ...more] as const);

describe("version ranges", () => {
  it("V1: what was written reads back the same", () => {
    fc.assert(fc.property(ranges, (of) => assert.deepEqual(parseVersionRanges(formatVersionRanges(of)), of)));
  });

  it("V2: accepted is exactly what lies in a range and in the owner's major version", () => {
    fc.assert(
      fc.property(ranges, version, version, (of, owner, candidate) => {
        const lies = of.some((each) => {
          const first = each.kind === "only" ? each.version : each.from;
          const last = each.kind === "between" ? rank(each.to) : each.kind === "only" ? rank(each.version) : Infinity;
          return rank(candidate) >= rank(first) && rank(candidate) <= last;
        });
        const expected = lies && owner.major === candidate.major ? "accepted" : "refused";
        assert.equal(checkVersion(of, owner, candidate).kind, expected);
      }),
      { numRuns: 500 },
    );
  });

  it("V3: any text is read or refused with a SyntaxError or a RangeError", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("0", "2", ".", "-", ",", " ") }));
    fc.assert(
      fc.property(text, (of) => {
        try {
          assert.ok(parseVersionRanges(of).length > 0);
        } catch (error) {
          assert.ok(error instanceof SyntaxError || error instanceof RangeError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
