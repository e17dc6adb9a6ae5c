// SPDX-License-Identifier: Apache-2.0

import { describe, it } from "node:test";
import fc from "fast-check";
import { NO_MEMORY } from "../pair.ts";
import { STRICT_POLICY } from "../policy.ts";
import { checkPacks } from "./check-packs.ts";
import type { Condition, LoadedPack, PackRule } from "./pack.ts";
import { profileFromFacts } from "./vectors.ts";

type Facts = Readonly<Record<string, string>>;
type Kind = "compatible" | "incompatible" | "undetermined";

const NAMES = ["f", "g", "h"] as const;
const TEXTS = ["", "1", "2", "3", "0x2", "1.0.0", "1.1.0", "2.0.0", "1 3", "2 2", "3 1", "a", "b", "a b", "a*", "x.y"];
const name = fc.constantFrom(...NAMES);
const text = fc.constantFrom(...TEXTS);
const texts = fc.uniqueArray(text, { minLength: 1, maxLength: 3 });

const condition: fc.Arbitrary<Condition> = fc.record(
  {
    side: fc.constantFrom("source", "destination", "both", "either"),
    fact: name,
    in: texts,
    notIn: texts,
    atLeast: fc.constantFrom("1", "2"),
    below: fc.constantFrom("2", "3"),
  },
  { requiredKeys: ["side", "fact"] },
);

const base = fc.record(
  {
    fact: name,
    code: fc.constant("c"),
    text: fc.constant("t"),
    from: fc.constant("x"),
    tried: fc.constant("source-read" as const),
    doubtful: fc.constantFrom(true, false),
    failing: fc.constant("undetermined" as const),
    when: fc.array(condition, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["fact", "code", "text", "from", "tried"] },
);

const primitive = fc.oneof(
  fc.constant({ kind: "equal" } as const),
  fc.record({ kind: fc.constant("semver" as const), exact: fc.boolean() }),
  fc.constant({ kind: "at-least" } as const),
  fc.record({ kind: fc.constant("superset" as const), bits: fc.boolean() }),
  fc.record({ kind: fc.constant("in-range" as const), range: name }),
  fc.record({ kind: fc.constant("pair-exception" as const), source: texts, destination: texts, both: fc.boolean() }),
  fc.record({ kind: fc.constant("refused" as const), side: fc.constantFrom("source", "destination"), values: texts }),
);

const rule: fc.Arbitrary<PackRule> = fc.tuple(base, primitive).map(([common, kind]) => ({ ...common, ...kind }));
const rules = fc.array(rule, { minLength: 1, maxLength: 3 });
const facts: fc.Arbitrary<Facts> = fc.record({ f: text, g: text, h: text }, { requiredKeys: [] });

const pair = fc.record({ some: rules, source: facts, destination: facts });

function judge(someRules: readonly PackRule[], source: Facts, destination: Facts): Kind {
  const pack: LoadedPack = {
    pack: {
      pack: "berth.driver-pack/v1",
      name: "p",
      version: "1.0.0",
      title: "p",
      match: { driverPrefixes: ["d"] },
      rules: someRules,
    },
    digest: "sha256:p",
  };
  const { findings } = checkPacks({
    source: profileFromFacts("a", { ...source, type: "d-1" }),
    destination: profileFromFacts("b", { ...destination, type: "d-1" }),
    policy: STRICT_POLICY,
    packs: [pack],
    memory: NO_MEMORY,
  });
  if (findings.reasons.length > 0) return "incompatible";
  return findings.missing.length > 0 ? "undetermined" : "compatible";
}

function without(some: Facts, dropped: string): Facts {
  return Object.fromEntries(Object.entries(some).filter(([key]) => key !== dropped));
}

const RUNS = { numRuns: 1000 };

describe("checkPacks() laws", () => {
  it("K1: removing a fact never turns a no or an unknown into a yes", () => {
    fc.assert(
      fc.property(pair, name, fc.boolean(), ({ some, source, destination }, dropped, atSource) => {
        const before = judge(some, source, destination);
        const after = atSource
          ? judge(some, without(source, dropped), destination)
          : judge(some, source, without(destination, dropped));
        return before === "compatible" || after !== "compatible";
      }),
      RUNS,
    );
  });

  it("K2: adding a fact never changes a yes or a no", () => {
    fc.assert(
      fc.property(pair, name, text, ({ some, source, destination }, added, value) => {
        if (Object.hasOwn(source, added)) return true;
        const before = judge(some, source, destination);
        return before === "undetermined" || judge(some, { ...source, [added]: value }, destination) === before;
      }),
      RUNS,
    );
  });

  it("K3: one more rule never adds a yes, and never takes a no away", () => {
    fc.assert(
      fc.property(pair, rule, ({ some, source, destination }, more) => {
        const before = judge(some, source, destination);
        const after = judge([...some, more], source, destination);
        return (
          (after !== "compatible" || before === "compatible") && (before !== "incompatible" || after === "incompatible")
        );
      }),
      RUNS,
    );
  });

  it("K4: a doubtful rule never says yes or no", () => {
    fc.assert(
      fc.property(rule, facts, facts, (some, source, destination) => {
        const { when: _, ...always } = { ...some, doubtful: true };
        return judge([always], source, destination) === "undetermined";
      }),
      RUNS,
    );
  });

  it("K5: nobody's facts prove nothing: without facts no rule says no", () => {
    fc.assert(
      fc.property(rules, (some) => judge(some, {}, {}) !== "incompatible"),
      RUNS,
    );
  });
});
