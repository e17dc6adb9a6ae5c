// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkDeviceApi, speaksApi } from "./device-api.ts";

const PCI = profile();
const CCW = profile({ deviceApi: "vfio-ccw" });
const NONE = profile({ deviceApi: undefined });

const CASES = {
  "is content with equal interfaces": { from: PCI, to: PCI, lines: [] },
  "refuses unlike interfaces": { from: PCI, to: CCW, lines: ["no device_api"] },
  "refuses them the other way": { from: CCW, to: PCI, lines: ["no device_api"] },
  "lacks an absent interface": { from: PCI, to: NONE, lines: ["missing device_api_unknown"] },
  "does not take absent twice for equal": { from: NONE, to: NONE, lines: ["missing device_api_unknown"] },
};

describe("checkDeviceApi()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkDeviceApi(pairOf(from, to))), lines));
  }
});

describe("speaksApi()", () => {
  it("asks both ends", () => {
    assert.equal(speaksApi(pairOf(CCW, CCW), "vfio-ccw"), true);
    assert.equal(speaksApi(pairOf(CCW, PCI), "vfio-ccw"), false);
    assert.equal(speaksApi(pairOf(NONE, NONE), "vfio-ccw"), false);
  });
});
