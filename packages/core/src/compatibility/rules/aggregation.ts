// SPDX-License-Identifier: Apache-2.0

import { known, type Reading } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Aggregation } from "../../device/vfio-device.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, ownReading, sidesOf, type Sides } from "../side.ts";
import { findings, NO_FINDINGS, type ClaimValue, type Findings } from "../verdict.ts";
import { checkDynamicResources } from "./dynamic-resources.ts";
import { hasEqualText, isAggregationName } from "./dynamic-value.ts";
import { relateTypes } from "./type.ts";

/** Both counts, and the claim of R6 that would set the destination's. */
interface Counts {
  readonly source: Aggregation;
  readonly destination: Aggregation;
  readonly claimed: ClaimValue | undefined;
  readonly sides: Sides;
}

/**
 * R7: an equal count of the same type (seed 004; D3). A count that can still be set at the destination is a claim, not a
 * mismatch; more than the destination has room for is a matter of capacity. Unlike types are R3's: their counts are not
 * comparable.
 */
export function checkAggregation(pair: Pair): Findings {
  const relation = relateTypes(pair);
  if (relation === "different" || relation === "unknown") return NO_FINDINGS;
  const source = countOf(pair.source);
  const destination = countOf(pair.destination);
  const sides = sidesOf(source, destination, ({ count }) => String(count));
  if (source.kind !== "known" || destination.kind !== "known") {
    const text = describeGaps("the aggregation", source, destination);
    return findings({ missing: [{ rule: "R7", code: "aggregation_unreadable", text, ...sides }] });
  }
  const contradiction = findContradiction(pair.source, source.value.count);
  if (contradiction !== undefined) {
    const text = `the source's ${contradiction}, and its aggregation is ${source.value.count}`;
    return findings({ missing: [{ rule: "R7", code: "aggregation_disagrees", text, ...sides }] });
  }
  const claimed = checkDynamicResources(pair).claims.find(({ attribute }) => isAggregationName(attribute));
  return checkCounts(pair, { source: source.value, destination: destination.value, claimed, sides });
}

/** No attribute of any generation is a device of one unit that cannot be changed (section 2.4). */
function countOf({ aggregation }: MigrationProfile): Reading<Aggregation> {
  if (aggregation.kind !== "absent") return aggregation;
  return known({ count: 1, settable: false }, aggregation.evidence);
}

/** A listed value that counts units and says another number. `0` is what a driver without aggregation may print for one. */
function findContradiction({ attributes, dynamicValues }: MigrationProfile, count: number): string | undefined {
  const listed = attributes.dynamicResources.kind === "known" ? attributes.dynamicResources.value : [];
  for (const name of listed.filter(isAggregationName)) {
    const value = ownReading(dynamicValues, name);
    if (value?.kind !== "known") continue;
    const agrees = hasEqualText(value.value, String(count)) || (count === 1 && hasEqualText(value.value, "0"));
    if (!agrees) return `${name} is ${JSON.stringify(value.value)}`;
  }
  return undefined;
}

function checkCounts(pair: Pair, counts: Counts): Findings {
  const { source, destination, claimed, sides } = counts;
  if (destination.count === source.count) {
    const text = `both ends are made of ${source.count} ${source.count === 1 ? "unit" : "units"}`;
    return findings({ agreements: [{ rule: "R7", code: "aggregation_equal", text, ...sides }] });
  }
  const settable = destination.settable || (pair.destination.subject.kind === "type" && claimed !== undefined);
  if (!settable) return refuseCount(pair, counts);
  // The source's attribute is a guess, and none where it only shows the count (section 2.1).
  const guess = source.settable ? source.attribute : undefined;
  const attribute = claimed?.attribute ?? destination.attribute ?? guess;
  if (attribute === undefined) {
    const text = `the destination can be set to ${source.count}, and no attribute is known for it`;
    return findings({ missing: [{ rule: "R7", code: "aggregation_attribute_unknown", text, ...sides }] });
  }
  const claim: ClaimValue = { rule: "R7", attribute, value: String(source.count) };
  return combineFindings([findings({ claims: claimed === undefined ? [claim] : [] }), noteAboveMax(counts)]);
}

/** A device that exists can be made anew with the count; a type that takes no count cannot. */
function refuseCount({ source, destination }: Pair, counts: Counts): Findings {
  const { count } = counts.source;
  const text = `the source is made of ${count} units, the destination of ${counts.destination.count}, which cannot be set`;
  const remake =
    destination.subject.kind === "device" && destination.framework !== "function" && source.type.kind === "known";
  const remedy = remake ? { remedy: { kind: "recreate", type: source.type.value, count } as const } : {};
  return findings({ reasons: [{ rule: "R7", code: "aggregation", text, ...counts.sides, ...remedy }] });
}

function noteAboveMax({ source, destination }: Counts): Findings {
  if (destination.max === undefined || source.count <= destination.max) return NO_FINDINGS;
  const text = `${source.count} units are wanted and the destination could be set to ${destination.max} now: a matter of room`;
  return findings({ notes: [{ rule: "R7", code: "aggregation_above_max", text }] });
}
