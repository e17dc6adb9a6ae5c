// SPDX-License-Identifier: Apache-2.0

import type { Remedy } from "../verdict.ts";
import { compareDotted, parseDotted } from "./dotted.ts";
import { splitItems } from "./named-text.ts";
import type { PackRemedy, PackRule } from "./pack.ts";

/** What a remedy is made from: the failing rule, its pack and both texts (the range for `in-range`). */
export interface Failure {
  readonly rule: PackRule;
  readonly packName: string;
  readonly source: string | undefined;
  readonly destination: string | undefined;
}

/** What would mend a failing rule, or undefined: never, for these two classes. */
export function findRemedy(failure: Failure): Remedy | undefined {
  const template = isBelowRange(failure) ? BELOW_RANGE : (failure.rule.remedy ?? defaultRemedy(failure));
  const value = template.value ?? failure.source ?? "";
  switch (template.kind) {
    case "upgrade-driver":
      return { kind: "upgrade-driver", driver: template.subject ?? failure.packName, atLeast: value };
    case "match-driver":
      return { kind: "match-driver", driver: template.subject ?? failure.packName, version: value };
    case "change-setting":
      return { kind: "change-setting", setting: template.subject ?? failure.rule.fact, value };
    case "move-cold":
      return { kind: "move-cold" };
    case "none":
      return undefined;
  }
}

/** Versions are mended by a driver, other equal facts by a setting; a lacking feature or a refused pair by nothing. */
function defaultRemedy({ rule, source, destination }: Failure): PackRemedy {
  switch (rule.kind) {
    case "equal":
      return { kind: rule.fact.includes("version") ? "match-driver" : "change-setting" };
    case "semver":
      return { kind: isMinorBehind(rule.exact === true, source, destination) ? "upgrade-driver" : "match-driver" };
    case "at-least":
      return { kind: "upgrade-driver" };
    case "in-range":
      return { kind: isAboveRange(source, destination) ? "upgrade-driver" : "none" };
    case "superset":
    case "pair-exception":
    case "refused":
      return { kind: "none" };
  }
}

/** An upgrade moves the range away from a value that is below it already. */
const BELOW_RANGE: PackRemedy = { kind: "none" };

function isBelowRange({ rule, source, destination }: Failure): boolean {
  if (rule.kind !== "in-range" || (rule.remedy ?? { kind: "none" }).kind !== "upgrade-driver") return false;
  return !isAboveRange(source, destination);
}

function isMinorBehind(exact: boolean, source: string | undefined, destination: string | undefined): boolean {
  const from = parseDotted(source ?? "");
  const to = parseDotted(destination ?? "");
  return !exact && from !== undefined && to !== undefined && from[0] === to[0];
}

function isAboveRange(source: string | undefined, range: string | undefined): boolean {
  const value = parseDotted(source ?? "");
  const high = parseDotted(splitItems(range ?? "")[1] ?? "");
  return value !== undefined && high !== undefined && compareDotted(value, high) > 0;
}
