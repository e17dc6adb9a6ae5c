// SPDX-License-Identifier: Apache-2.0

import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, sideOf, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings, type Note, type Remedy } from "../verdict.ts";
import { hintAtType } from "./type-hints.ts";
import { signatureRemedy } from "./vendor-driver.ts";

/**
 * R3: the mdev type is equal, byte by byte (seed 001, 002, 004; D2, D3).
 * Numbers inside type names are never interpreted. `compatible_type` speaks of what may come in, is always shown, and
 * counts only where the policy says so.
 */
export function checkType(pair: Pair): Findings {
  return combineFindings([compareTypes(pair), compareFrameworks(pair)]);
}

/** How the two types stand to each other under the policy. R7 counts units only of one and the same type. */
export function relateTypes({ source, destination, policy }: Pair): "equal" | "accepted" | "different" | "unknown" {
  const [left, right] = [source.type, destination.type];
  if (left.kind !== "known" || right.kind !== "known") return "unknown";
  if (left.value === right.value) return "equal";
  const listed = destination.attributes.compatibleTypes;
  if (!policy.crossType) return "different";
  if (listed.kind === "unreadable") return "unknown";
  return listed.kind === "known" && listed.value.includes(left.value) ? "accepted" : "different";
}

function compareTypes(pair: Pair): Findings {
  const { source, destination } = pair;
  const sides = sidesOf(source.type, destination.type);
  if (source.type.kind !== "known" || destination.type.kind !== "known") {
    const text = describeGaps("the type", source.type, destination.type);
    const remedy = signatureRemedy([source, destination]);
    return findings({ missing: [{ rule: "R3", code: "type_unknown", text, ...sides, ...remedy }] });
  }
  const types = `the source is ${source.type.value}, the destination ${destination.type.value}`;
  const notes = [...noteCompatibleTypes(pair), ...hintAtType(pair)];
  switch (relateTypes(pair)) {
    case "equal": {
      const text = `the type is ${source.type.value} at both ends`;
      return findings({ agreements: [{ rule: "R3", code: "type_equal", text, ...sides }] });
    }
    case "accepted": {
      const text = `the destination lists the source's type in compatible_type, which the policy accepts: ${types}`;
      return findings({
        restsOn: [{ rule: "R3", code: "compatible_type", text, confidence: "cross-type", ...sides }],
        notes,
      });
    }
    case "unknown": {
      const text = `${types}; compatible_type of the destination cannot be read`;
      const listed = sideOf(destination.attributes.compatibleTypes, (list) => list.join(", "));
      const ends = { source: sides.source, destination: listed };
      return findings({ missing: [{ rule: "R3", code: "compatible_type_unreadable", text, ...ends }], notes });
    }
    case "different": {
      const remedy = remedyForType(pair);
      return findings({ reasons: [{ rule: "R3", code: "type", text: types, ...sides, ...remedy }], notes });
    }
  }
}

/** `compatible_type` is shown wherever it names the source's type, used or not. */
function noteCompatibleTypes({ source, destination, policy }: Pair): readonly Note[] {
  const listed = destination.attributes.compatibleTypes;
  if (source.type.kind !== "known" || listed.kind !== "known" || !listed.value.includes(source.type.value)) return [];
  const use = policy.crossType ? "the policy accepts it, at a lower confidence" : "the policy does not use it";
  const text = `the destination's compatible_type names ${source.type.value}: ${use}`;
  return [{ rule: "R3", code: "compatible_type_listed", text }];
}

/**
 * A device that exists can be made anew as the source's type, as long as one driver makes both. A type that another type
 * was asked of has no such remedy: the right one is another place.
 */
function remedyForType({ source, destination, policy }: Pair): { readonly remedy?: Remedy } {
  const [left, right] = [source.vendorDriver, destination.vendorDriver];
  if (left.kind !== "known" || right.kind !== "known" || left.value !== right.value) return {};
  if (source.type.kind !== "known" || destination.framework === "function") return {};
  const type = source.type.value;
  if (destination.subject.kind === "device") {
    const count = source.aggregation.kind === "known" ? source.aggregation.value.count : 1;
    return { remedy: { kind: "recreate", type, ...(count === 1 ? {} : { count }) } };
  }
  const listed = destination.attributes.compatibleTypes;
  const offered = !policy.crossType && listed.kind === "known" && listed.value.includes(type);
  return offered ? { remedy: { kind: "allow", policy: "crossType" } } : {};
}

/** Moves between an mdev device and a function, or between two frameworks, are the operator's to allow. */
function compareFrameworks(pair: Pair): Findings {
  const { source, destination, policy } = pair;
  if (source.framework === destination.framework) return NO_FINDINGS;
  const text = `the source is of framework ${source.framework}, the destination of ${destination.framework}`;
  const sides = {
    source: { value: source.framework, evidence: source.type.evidence },
    destination: { value: destination.framework, evidence: destination.type.evidence },
  };
  if (policy.hybrid && relateTypes(pair) === "accepted") {
    const refused = `${text}; the policy allows that only where the types are equal`;
    return findings({ reasons: [{ rule: "R3", code: "framework", text: refused, ...sides }] });
  }
  if (policy.hybrid) {
    const allowed = `${text}; the policy allows it where the types are equal`;
    return findings({ restsOn: [{ rule: "R3", code: "hybrid", text: allowed, confidence: "assumed", ...sides }] });
  }
  const remedy: Remedy = { kind: "allow", policy: "hybrid" };
  return findings({ reasons: [{ rule: "R3", code: "framework", text, ...sides, remedy }] });
}
