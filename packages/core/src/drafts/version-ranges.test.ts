// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSoftwareVersion } from "../device/software-version.ts";
import { checkVersion, formatVersionRanges, parseVersionRanges } from "./version-ranges.ts";

/** `owner` and `ranges` are those of the worked example of section 6.1 unless a case says otherwise. */
interface Case {
  readonly of: string;
  readonly ranges?: string;
  readonly owner?: string;
  /** The range that accepts, or the code of the refusal. */
  readonly gives: string;
}

const CASES: Readonly<Record<string, Case>> = {
  "refuses 2.0.1, before the first range": { of: "2.0.1", gives: "in_no_range" },
  "accepts 2.0.2, where the first range begins": { of: "2.0.2", gives: "2.0.2-2.0.4" },
  "accepts 2.0.3": { of: "2.0.3", gives: "2.0.2-2.0.4" },
  "accepts 2.0.4, where the first range ends": { of: "2.0.4", gives: "2.0.2-2.0.4" },
  "refuses 2.0.5, between the ranges": { of: "2.0.5", gives: "in_no_range" },
  "accepts 2.1.0, where the open range begins": { of: "2.1.0", gives: "2.1.0-" },
  "accepts the owner's own version": { of: "2.1.3", gives: "2.1.0-" },
  "accepts what is newer than the owner": { of: "2.7.0", gives: "2.1.0-" },
  "accepts the last version of the major": { of: "2.999999999.999999999", gives: "2.1.0-" },
  "refuses 1.x": { of: "1.9.9", gives: "other_major" },
  "refuses 3.x": { of: "3.0.0", gives: "other_major" },
  "refuses another major that a range spans": { of: "1.9.5", ranges: "1.9.0-2.1.0", gives: "other_major" },
  "accepts the owner's major of a range that spans two": { of: "2.0.7", ranges: "1.9.0-2.1.0", gives: "1.9.0-2.1.0" },
  "refuses everything by ranges of another major": { of: "2.1.3", ranges: "1.0.0-1.9.0", gives: "in_no_range" },
  "compares numbers, not characters": { of: "2.10.0", ranges: "2.9.0-2.11.0", gives: "2.9.0-2.11.0" },
  "takes a single version for itself alone": { of: "2.0.3", ranges: "2.0.2", gives: "in_no_range" },
  "accepts a range of one version": { of: "2.0.2", ranges: "2.0.2-2.0.2", gives: "2.0.2-2.0.2" },
  "accepts a single version": { of: "2.0.2", ranges: "2.0.2", gives: "2.0.2" },
  "compares bugfix versions, other than R4": { of: "2.1.2", ranges: "2.1.3-", gives: "in_no_range" },
  "names the first of two ranges that accept": { of: "2.1.0", ranges: "2.0.0-,2.1.0", gives: "2.0.0-" },
};

describe("checkVersion()", () => {
  for (const [name, { of, ranges = "2.0.2-2.0.4,2.1.0-", owner = "2.1.3", gives }] of Object.entries(CASES)) {
    it(name, () => {
      const answer = checkVersion(parseVersionRanges(ranges), parseSoftwareVersion(owner), parseSoftwareVersion(of));
      assert.equal(answer.kind === "accepted" ? formatVersionRanges([answer.by]) : answer.why.code, gives);
    });
  }

  it("says why in words", () => {
    const [ranges, owner] = [parseVersionRanges("2.0.2-2.0.4,2.1.0-"), parseSoftwareVersion("2.1.3")];
    const why = (of: string): string => {
      const answer = checkVersion(ranges, owner, parseSoftwareVersion(of));
      return answer.kind === "refused" ? answer.why.text : "accepted";
    };
    assert.equal(why("2.0.5"), '2.0.5 is in none of the ranges "2.0.2-2.0.4,2.1.0-"');
    assert.equal(why("3.0.0"), "3.0.0 is of another major version than 2.1.3");
  });
});

describe("parseVersionRanges()", () => {
  it("reads the three kinds of range in their order", () => {
    const [first, second, third] = ["2.0.2", "2.0.4", "2.1.0"].map(parseSoftwareVersion);
    assert.deepEqual(parseVersionRanges("2.1.0-,2.0.2-2.0.4,2.0.2"), [
      { kind: "since", from: third },
      { kind: "between", from: first, to: second },
      { kind: "only", version: first },
    ]);
  });

  it("takes a missing bugfix for 0", () =>
    assert.equal(formatVersionRanges(parseVersionRanges("2.0-2.1")), "2.0.0-2.1.0"));

  const MALFORMED = [
    "",
    ",",
    "2.0.2,",
    ",2.0.2",
    "2.0.2,,2.1.0",
    "-2.0.2",
    "-",
    "2.0.2-2.0.4-",
    "2.0.2--",
    "2.0.2 - 2.0.4",
    "2.0.2, 2.1.0",
    "2.x",
    "2",
    "2.0.2-2.x",
    "2.0.2\n",
    "2.0.2..2.0.4",
    "__proto__",
  ];
  for (const text of MALFORMED) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseVersionRanges(text), { name: "SyntaxError" }));
  }

  it("refuses a range that ends before it begins", () => {
    const message = 'Cannot parse version ranges: a range ends before it begins: "2.0.4-2.0.2"';
    assert.throws(() => parseVersionRanges("2.0.0,2.0.4-2.0.2"), { name: "RangeError", message });
  });

  it("reads 4094 characters and refuses more", () => {
    const text = "2.0.0,".repeat(681) + "2.0.0000";
    assert.equal(text.length, 4094);
    assert.equal(parseVersionRanges(text).length, 682);
    assert.throws(() => parseVersionRanges(`${text}0`), { name: "RangeError", message: /at most 4094 characters/ });
  });
});
