// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import { isNamed } from "./named-text.ts";
import { compareDotted, parseDotted } from "./dotted.ts";
import type { Condition } from "./pack.ts";

/** What a condition needs to be told: its fact at either end. */
export interface ConditionFacts {
  readonly source: Reading<string>;
  readonly destination: Reading<string>;
}

/** Whether a condition holds; `unknown` where a fact that would decide it is not there or cannot be read. */
export type ConditionAnswer = "holds" | "fails" | "unknown";

/**
 * Decides one condition. `both` fails as soon as one side fails, `either` holds as soon as one side holds, whatever is
 * unknown of the other side.
 */
export function checkCondition(condition: Condition, facts: ConditionFacts): ConditionAnswer {
  const source = condition.side === "destination" ? undefined : checkSide(condition, facts.source);
  const destination = condition.side === "source" ? undefined : checkSide(condition, facts.destination);
  const answers = [source, destination].filter((answer) => answer !== undefined);
  const decisive = condition.side === "either" ? "holds" : "fails";
  if (answers.includes(decisive)) return decisive;
  if (answers.includes("unknown")) return "unknown";
  return condition.side === "either" ? "fails" : "holds";
}

function checkSide(condition: Condition, reading: Reading<string>): ConditionAnswer {
  if (reading.kind !== "known") return "unknown";
  const text = reading.value;
  const tests = [
    condition.in === undefined ? undefined : answer(isNamed(text, condition.in)),
    condition.notIn === undefined ? undefined : answer(!isNamed(text, condition.notIn)),
    condition.atLeast === undefined ? undefined : checkBound(text, condition.atLeast, (order) => order >= 0),
    condition.below === undefined ? undefined : checkBound(text, condition.below, (order) => order < 0),
  ];
  if (tests.includes("fails")) return "fails";
  return tests.includes("unknown") ? "unknown" : "holds";
}

function checkBound(text: string, bound: string, accepts: (order: number) => boolean): ConditionAnswer {
  const version = parseDotted(text);
  const limit = parseDotted(bound);
  if (version === undefined || limit === undefined) return "unknown";
  return answer(accepts(compareDotted(version, limit)));
}

function answer(holds: boolean): ConditionAnswer {
  return holds ? "holds" : "fails";
}
