// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AGGREGATION_ATTRIBUTES } from "./aggregation.ts";

describe("AGGREGATION_ATTRIBUTES", () => {
  it("keeps the reading order of section 2.4", () => {
    assert.deepEqual(
      AGGREGATION_ATTRIBUTES.map(({ path }) => path),
      ["mdev/aggregated_instances", "mdev/aggregation", "*/aggregator", "aggregator", "aggregated_instances"],
    );
  });

  it("knows the count of generation A to be read-only", () => {
    assert.deepEqual(
      AGGREGATION_ATTRIBUTES.filter(({ settable }) => !settable).map(({ path }) => path),
      ["aggregated_instances"],
    );
  });
});
