// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PairException, RefusedState, TwoSidedRule } from "./primitives.ts";
import { compareFacts, comparePair, compareState } from "./primitives.ts";

const BASE = { fact: "f", code: "c", text: "t", from: "x", tried: "source-read" } as const;
const EQUAL: TwoSidedRule = { ...BASE, kind: "equal" };
const SEMVER: TwoSidedRule = { ...BASE, kind: "semver" };
const EXACT: TwoSidedRule = { ...BASE, kind: "semver", exact: true };
const AT_LEAST: TwoSidedRule = { ...BASE, kind: "at-least" };
const LIST: TwoSidedRule = { ...BASE, kind: "superset" };
const BITS: TwoSidedRule = { ...BASE, kind: "superset", bits: true };
const RANGE: TwoSidedRule = { ...BASE, kind: "in-range", range: "r" };

type Expected = "holds" | "fails" | "malformed source" | "malformed destination";

describe("compareFacts()", () => {
  const CASES: Readonly<Record<string, readonly [TwoSidedRule, string, string, Expected]>> = {
    "takes equal texts": [EQUAL, "enabled", "enabled", "holds"],
    "does not tell ASCII case apart": [EQUAL, "Enabled", "enabled ", "holds"],
    "tells other letters' case apart": [EQUAL, "É", "é", "fails"],
    "takes 0x10 and 16 for equal": [EQUAL, "0x10", "16", "holds"],
    "does not take 010 for 8 or 10": [EQUAL, "010", "10", "fails"],
    "refuses different texts": [EQUAL, "a", "b", "fails"],
    "takes an empty source for no fact": [EQUAL, " ", "a", "malformed source"],
    "takes an empty destination for no fact": [EQUAL, "a", "", "malformed destination"],
    "takes a newer minor version": [SEMVER, "2.3.0", "2.4.0", "holds"],
    "compares versions as numbers": [SEMVER, "1.9.0", "1.10.0", "holds"],
    "ignores an older bugfix": [SEMVER, "2.0.1", "2.0.0", "holds"],
    "refuses an older minor version": [SEMVER, "2.1.1", "2.0.1", "fails"],
    "refuses another major version": [SEMVER, "2.0.0", "3.0.0", "fails"],
    "refuses a newer minor where it must be exact": [EXACT, "1.0.0", "1.1.0", "fails"],
    "takes an equal minor where it must be exact": [EXACT, "1.0.0", "1.0.7", "holds"],
    "cannot read a source version": [SEMVER, "1.x", "1.0.0", "malformed source"],
    "cannot read a destination version": [SEMVER, "1.0.0", "1.0.0.0", "malformed destination"],
    "takes an equal number": [AT_LEAST, "550.144.02", "550.144.2", "holds"],
    "takes a greater number": [AT_LEAST, "9", "10", "holds"],
    "refuses a lesser number": [AT_LEAST, "550.163", "550.144.02", "fails"],
    "cannot read a word as a number": [AT_LEAST, "many", "1", "malformed source"],
    "cannot read a destination's word": [AT_LEAST, "1", "many", "malformed destination"],
    "takes a longer list": [LIST, "a, b", "c b a", "holds"],
    "takes the empty list": [LIST, "", "", "holds"],
    "refuses a shorter list": [LIST, "a b", "a", "fails"],
    "tells items' case apart": [LIST, "A", "a", "fails"],
    "takes more bits": [BITS, "0x5", "0x7", "holds"],
    "refuses fewer bits": [BITS, "0x7", "0x5", "fails"],
    "sees bits above 53": [BITS, "0x8000000000000001", "0x8000000000000000", "fails"],
    "cannot read a mask": [BITS, "xyz", "0x1", "malformed source"],
    "cannot read a destination's mask": [BITS, "1", "", "malformed destination"],
    "takes both ends of a range": [RANGE, "18", "18 22", "holds"],
    "takes the upper end of a range": [RANGE, "22", "18, 22", "holds"],
    "refuses what is above": [RANGE, "23", "18 22", "fails"],
    "refuses what is below": [RANGE, "17.9", "18 22", "fails"],
    "cannot read a range of one": [RANGE, "18", "18", "malformed destination"],
    "cannot read a range of three": [RANGE, "18", "1 2 3", "malformed destination"],
    "cannot read a range upside down": [RANGE, "18", "22 18", "malformed destination"],
    "cannot read a value outside numbers": [RANGE, "v18", "18 22", "malformed source"],
  };
  for (const [name, [rule, source, destination, expected]] of Object.entries(CASES)) {
    it(`${name} (${rule.kind})`, () => {
      const compared = compareFacts(rule, source, destination);
      assert.equal(compared.kind === "malformed" ? `malformed ${compared.side}` : compared.kind, expected);
    });
  }

  it("names what the destination lacks", () => {
    const compared = compareFacts(LIST, "a b c", "b");
    assert.deepEqual(compared, { kind: "fails", why: 'the destination lacks "a", "c"' });
  });

  it("quotes no more than 80 characters", () => {
    const compared = compareFacts(EQUAL, "x".repeat(5000), "y");
    assert.ok(compared.kind === "fails" && compared.why.length < 150);
  });
});

describe("comparePair()", () => {
  const ONE_WAY: PairException = { ...BASE, kind: "pair-exception", source: ["old*"], destination: ["new"] };
  const BOTH: PairException = { ...ONE_WAY, both: true };
  const CASES: Readonly<
    Record<string, readonly [PairException, string | undefined, string | undefined, string | undefined]>
  > = {
    "refuses the named pair": [ONE_WAY, "old-1", "new", "fails"],
    "does not refuse it the other way": [ONE_WAY, "new", "old-1", "holds"],
    "refuses it the other way where it says both": [BOTH, "NEW", "old", "fails"],
    "lets the named source go elsewhere": [BOTH, "old", "old", "holds"],
    "lets a stranger pass though the other end is unknown": [BOTH, "other", undefined, "holds"],
    "lets a stranger in though the other end is unknown": [BOTH, undefined, "other", "holds"],
    "does not know where the named end's partner is unknown": [BOTH, "old", undefined, undefined],
    "does not know where nothing is known": [BOTH, undefined, undefined, undefined],
    "lets a named destination pass as a source": [ONE_WAY, "new", undefined, "holds"],
  };
  for (const [name, [rule, source, destination, expected]] of Object.entries(CASES)) {
    it(name, () => assert.equal(comparePair(rule, source, destination)?.kind, expected));
  }
});

describe("compareState()", () => {
  const RULE: RefusedState = { ...BASE, kind: "refused", side: "source", values: ["on", "enable_uvm=1"] };
  it("refuses a named state", () => assert.equal(compareState(RULE, "ON").kind, "fails"));
  it("refuses a named item of a list", () => assert.equal(compareState(RULE, "a=1,enable_uvm=1").kind, "fails"));
  it("takes another state", () => assert.equal(compareState(RULE, "off").kind, "holds"));
  it("takes an empty list", () => assert.equal(compareState(RULE, "").kind, "holds"));
});
