// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reading } from "../../device/evidence.ts";
import { absent, known } from "../../device/evidence.ts";
import type { ConditionAnswer } from "./conditions.ts";
import { checkCondition } from "./conditions.ts";
import type { Condition } from "./pack.ts";

const AT = { host: "a", source: "script", path: "fact" } as const;

function reading(text: string | undefined): Reading<string> {
  return text === undefined ? absent(AT) : known(text, AT);
}

describe("checkCondition()", () => {
  type Case = readonly [Omit<Condition, "fact">, string | undefined, string | undefined, ConditionAnswer];
  const CASES: Readonly<Record<string, Case>> = {
    "looks at the source alone": [{ side: "source", in: ["x"] }, "x", undefined, "holds"],
    "looks at the destination alone": [{ side: "destination", in: ["x"] }, undefined, "x", "holds"],
    "does not tell ASCII case apart": [{ side: "source", in: ["RHEL"] }, "rhel", undefined, "holds"],
    "takes a star for a prefix": [{ side: "source", in: ["rhel 9.*"] }, "rhel 9.6", undefined, "holds"],
    "takes no prefix without a star": [{ side: "source", in: ["rhel 9."] }, "rhel 9.6", undefined, "fails"],
    "fails on an excluded value": [{ side: "source", notIn: ["x"] }, "x", undefined, "fails"],
    "holds on a value that is not excluded": [{ side: "source", notIn: ["x"] }, "y", undefined, "holds"],
    "does not know of a missing fact": [{ side: "source", notIn: ["x"] }, undefined, "y", "unknown"],
    "needs both sides": [{ side: "both", in: ["x"] }, "x", "x", "holds"],
    "fails where one of both fails and the other is unknown": [{ side: "both", in: ["x"] }, undefined, "y", "fails"],
    "does not know where one of both is unknown": [{ side: "both", in: ["x"] }, "x", undefined, "unknown"],
    "takes either side": [{ side: "either", in: ["x"] }, undefined, "x", "holds"],
    "fails where neither holds": [{ side: "either", in: ["x"] }, "y", "z", "fails"],
    "does not know where either could still hold": [{ side: "either", in: ["x"] }, "y", undefined, "unknown"],
    "holds at its lower bound": [{ side: "source", atLeast: "9.6" }, "9.6", undefined, "holds"],
    "fails under its lower bound": [{ side: "source", atLeast: "9.6" }, "9.4", undefined, "fails"],
    "fails at its upper bound": [{ side: "source", below: "10" }, "10.0", undefined, "fails"],
    "needs all of its tests": [{ side: "source", atLeast: "9.6", below: "10" }, "9.10", undefined, "holds"],
    "cannot bound a word": [{ side: "source", below: "10" }, "rolling", undefined, "unknown"],
    "fails on one test though another cannot be read": [
      { side: "source", below: "10", in: ["x"] },
      "rolling",
      undefined,
      "fails",
    ],
  };
  for (const [name, [condition, source, destination, expected]] of Object.entries(CASES)) {
    it(name, () => {
      const answer = checkCondition(
        { ...condition, fact: "f" },
        { source: reading(source), destination: reading(destination) },
      );
      assert.equal(answer, expected);
    });
  }
});
