// SPDX-License-Identifier: Apache-2.0

import type { Reading } from "../../device/evidence.ts";
import { combineFindings } from "../combine-findings.ts";
import type { Pair } from "../pair.ts";
import { describeGaps, nothingAt, ownReading, sideOf, sidesOf } from "../side.ts";
import { findings, NO_FINDINGS, type Findings } from "../verdict.ts";
import { hasEqualText, isAggregationName, isDefaultCount } from "./dynamic-value.ts";

type List = Reading<readonly string[]>;

/**
 * R6: every name that the source lists in `dynamic_resources` must be listed by the destination's type (seed 002; D6-D8,
 * D20). Values are claimed, not matched: each becomes a value to set at the destination, in the order of the list.
 */
export function checkDynamicResources(pair: Pair): Findings {
  const source = pair.source.attributes.dynamicResources;
  const destination = pair.destination.attributes.dynamicResources;
  const sides = sidesOf(source, destination, (names) => names.join(", "));
  if (source.kind === "absent") return noteUnasked(destination);
  if (source.kind === "unreadable" || (destination.kind === "unreadable" && source.value.length > 0)) {
    const text = describeGaps("dynamic_resources", source, destination);
    return findings({ missing: [{ rule: "R6", code: "dynamic_resources_unreadable", text, ...sides }] });
  }
  return combineFindings([...new Set(source.value)].map((name) => checkName(pair, name)));
}

/** What the destination lists and the source does not is left as the new device has it. */
function noteUnasked(destination: List): Findings {
  if (destination.kind !== "known" || destination.value.length === 0) return NO_FINDINGS;
  const text = `the destination lists dynamic resources (${destination.value.join(", ")}) and the source lists none: they are left as they are`;
  return findings({ notes: [{ rule: "R6", code: "dynamic_resources_destination_only", text }] });
}

function checkName(pair: Pair, name: string): Findings {
  const listed = pair.destination.attributes.dynamicResources;
  const value = ownReading(pair.source.dynamicValues, name) ?? nothingAt(pair.source, name);
  const found = ownReading(pair.destination.dynamicValues, name);
  const isListed = listed.kind === "known" && listed.value.includes(name);
  if (!isSafePath(name)) {
    const text = `the source lists ${JSON.stringify(name)}, which is no path inside a device`;
    const end = { source: sideOf(pair.source.attributes.dynamicResources, (names) => names.join(", ")) };
    return findings({ missing: [{ rule: "R6", code: "dynamic_resource_unsafe", text, ...end }] });
  }
  const parts = [checkValueKnown(name, value)];
  if (pair.destination.subject.kind === "device" && found !== undefined) {
    parts.push(claimAtDevice(name, value, found));
  } else if (isListed && pair.destination.subject.kind === "type") {
    parts.push(claimValue(name, value));
  } else if (isListed) {
    const text = `the destination's type lists ${name}, and its value there was not read`;
    const sides = sidesOf(value, nothingAt(pair.destination, name));
    parts.push(findings({ missing: [{ rule: "R6", code: "dynamic_value_unknown", text, ...sides }] }));
  } else {
    const text = `the source lists the dynamic resource ${name}, and the destination's type does not list it`;
    const sides = { source: sideOf(value), destination: sideOf(listed, (names) => names.join(", ")) };
    parts.push(findings({ missing: [{ rule: "R6", code: "dynamic_resource_unlisted", text, ...sides }] }));
  }
  return combineFindings(parts);
}

function checkValueKnown(name: string, value: Reading<string>): Findings {
  if (value.kind === "known") return NO_FINDINGS;
  const gap = value.kind === "absent" ? "is not shown" : `cannot be read (${value.why})`;
  const text = `the source's value of ${name} ${gap}`;
  return findings({ missing: [{ rule: "R6", code: "dynamic_value_unknown", text, source: sideOf(value) }] });
}

/** A count of 0 is how a driver without aggregation prints one unit (section 2.4); writing it would be refused. */
function claimValue(name: string, value: Reading<string>): Findings {
  if (value.kind !== "known") return NO_FINDINGS;
  if (isAggregationName(name) && hasEqualText(value.value, "0")) {
    const text = `the source's ${name} is 0, one unit that cannot be set: nothing is written`;
    return findings({ notes: [{ rule: "R6", code: "dynamic_resource_default", text }] });
  }
  return findings({ claims: [{ rule: "R6", attribute: name, value: value.value }] });
}

/** At a device that exists an equal value needs no write; an attribute that is not there can only be its default (D8). */
function claimAtDevice(name: string, value: Reading<string>, found: Reading<string>): Findings {
  const sides = sidesOf(value, found);
  if (found.kind === "unreadable") {
    const text = `the destination's value of ${name} cannot be read (${found.why})`;
    return findings({ missing: [{ rule: "R6", code: "dynamic_value_unknown", text, ...sides }] });
  }
  if (value.kind !== "known") return NO_FINDINGS;
  if (found.kind === "known") return hasEqualText(value.value, found.value) ? NO_FINDINGS : claimValue(name, value);
  if (isAggregationName(name) && isDefaultCount(value.value)) {
    const text = `the destination device has no attribute ${name}; the source's value is the default, 1`;
    return findings({ notes: [{ rule: "R6", code: "dynamic_resource_default", text }] });
  }
  const text = `the destination device has no attribute ${name}, which is ${JSON.stringify(value.value)} at the source`;
  return findings({ reasons: [{ rule: "R6", code: "dynamic_resource_absent", text, ...sides }] });
}

/** A claimed name is written below the device's folder: it may not lead out of it. */
function isSafePath(name: string): boolean {
  return (
    name.length <= 4096 && /^[!-~]+$/.test(name) && name.split("/").every((part) => !["", ".", ".."].includes(part))
  );
}
