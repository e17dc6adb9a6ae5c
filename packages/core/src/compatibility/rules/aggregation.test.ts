// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { linesOf, pairOf, profile, type ProfileParts } from "../test-profile.ts";
import { checkAggregation } from "./aggregation.ts";

const LISTS = { dynamicResources: ["aggregator"] };
const unitsOf = (type: string, count: number, more: ProfileParts = {}): MigrationProfile =>
  profile({
    type,
    aggregation: { count, attribute: "aggregator", settable: true },
    dynamicValues: { aggregator: String(count) },
    ...more,
  });

const DSA30 = unitsOf("dsa-1dwq", 30);
const FIXED15 = unitsOf("dsa-2dwq", 15);
const GVT = unitsOf("i915-GVTg_V5_4", 2);
const UNREAD = { ...DSA30, aggregation: unreadable("EIO", DSA30.aggregation.evidence) };

const CASES: Record<string, { from: MigrationProfile; to: MigrationProfile; lines: string[] }> = {
  "6.3 leaves unlike types to R3": { from: DSA30, to: FIXED15, lines: [] },
  "6.3 is content with x30 against x30": { from: DSA30, to: unitsOf("dsa-1dwq", 30), lines: [] },
  "6.3 claims x30 at a device x1 with 29 more free": {
    from: DSA30,
    to: profile({ type: "dsa-1dwq", aggregation: { count: 1, attribute: "aggregator", settable: true, max: 30 } }),
    lines: ["claim aggregator=30"],
  },
  "6.3 calls a maximum of x20 a matter of room": {
    from: DSA30,
    to: profile({
      type: "dsa-1dwq",
      subject: "type",
      aggregation: { attribute: "aggregator", settable: true, max: 20 },
    }),
    lines: ["claim aggregator=30", "note aggregation_above_max"],
  },
  "6.3 refuses x15 against x30 that cannot be set": {
    from: FIXED15,
    to: profile({ type: "dsa-2dwq", aggregation: { count: 30, attribute: "aggregator", settable: false } }),
    lines: ["no aggregation"],
  },
  "6.3 claims x15 at an x30 that can be set": {
    from: FIXED15,
    to: unitsOf("dsa-2dwq", 30),
    lines: ["claim aggregator=15"],
  },
  "6.2 claims 2 units at a device of one": {
    from: GVT,
    to: unitsOf("i915-GVTg_V5_4", 1),
    lines: ["claim aggregator=2"],
  },
  "says nothing of two plain devices": { from: profile(), to: profile({ subject: "type" }), lines: [] },
  "takes a device without any attribute for one unit": {
    from: profile({ aggregation: undefined }),
    to: profile(),
    lines: [],
  },
  "does not claim twice what R6 claims": {
    from: unitsOf("dsa-1dwq", 30, LISTS),
    to: profile({ type: "dsa-1dwq", subject: "type", ...LISTS }),
    lines: [],
  },
  "refuses a type that takes no count": {
    from: DSA30,
    to: profile({ type: "dsa-1dwq", subject: "type", aggregation: { count: 1, settable: false } }),
    lines: ["no aggregation"],
  },
  "lacks a count that cannot be read": { from: UNREAD, to: DSA30, lines: ["missing aggregation_unreadable"] },
  "lacks an attribute to claim by": {
    from: profile({ type: "x-a", aggregation: { count: 3 } }),
    to: profile({ type: "x-a", subject: "type", aggregation: { settable: true, max: 8 } }),
    lines: ["missing aggregation_attribute_unknown"],
  },
  "2.1 takes no read-only attribute of the source for one to set the destination by": {
    from: profile({ type: "x-a", aggregation: { count: 3, attribute: "aggregated_instances", settable: false } }),
    to: profile({ type: "x-a", subject: "type", aggregation: { settable: true, max: 8 } }),
    lines: ["missing aggregation_attribute_unknown"],
  },
  "lacks one truth where the dynamic value and the count disagree": {
    from: unitsOf("dsa-1dwq", 30, { ...LISTS, dynamicValues: { aggregator: "20" } }),
    to: profile({ type: "dsa-1dwq", subject: "type", ...LISTS }),
    lines: ["missing aggregation_disagrees"],
  },
};

describe("checkAggregation()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkAggregation(pairOf(from, to))), lines));
  }

  it("offers to re-create a device that cannot be set", () => {
    const to = profile({ type: "dsa-2dwq", aggregation: { count: 30, attribute: "aggregator", settable: false } });
    const [reason] = checkAggregation(pairOf(FIXED15, to)).reasons;
    assert.deepEqual(reason?.remedy, { kind: "recreate", type: "dsa-2dwq", count: 15 });
  });

  it("offers nothing at a type that takes no count", () => {
    const to = profile({ type: "dsa-1dwq", subject: "type" });
    assert.equal(checkAggregation(pairOf(DSA30, to)).reasons[0]?.remedy, undefined);
  });
});
