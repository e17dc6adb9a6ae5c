// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkVendorDriver } from "./vendor-driver.ts";

const I915 = profile({ type: "i915-GVTg_V5_4" });
const NVIDIA = profile({ type: "nvidia-231" });
const UNREAD = { ...NVIDIA, vendorDriver: unreadable("EIO", NVIDIA.vendorDriver.evidence) };
const BARE = profile({ framework: "function", type: undefined });

const CASES = {
  "is content with one driver": { from: NVIDIA, to: profile({ type: "nvidia-232" }), lines: [] },
  "refuses two drivers": { from: I915, to: NVIDIA, lines: ["no vendor_driver"] },
  "refuses the same two the other way": { from: NVIDIA, to: I915, lines: ["no vendor_driver"] },
  "compares byte by byte": { from: NVIDIA, to: profile({ type: "Nvidia-231" }), lines: ["no vendor_driver"] },
  "lacks an unreadable driver": { from: UNREAD, to: NVIDIA, lines: ["missing vendor_driver_unknown"] },
  "lacks it twice without equality": { from: UNREAD, to: UNREAD, lines: ["missing vendor_driver_unknown"] },
  "lacks a driver without a name": {
    from: profile({ vendorDriver: "" }),
    to: profile({ vendorDriver: "" }),
    lines: ["missing vendor_driver_unknown"],
  },
  "lacks the signature of a function": { from: NVIDIA, to: BARE, lines: ["missing vendor_driver_unknown"] },
};

describe("checkVendorDriver()", () => {
  for (const [name, { from, to, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkVendorDriver(pairOf(from, to))), lines));
  }

  it("shows both values with where they were read", () => {
    const [reason] = checkVendorDriver(pairOf(I915, NVIDIA)).reasons;
    assert.equal(reason?.source?.value, "i915");
    assert.equal(reason?.destination?.value, "nvidia");
    assert.equal(reason?.source?.evidence.path, "/sys/test/type");
    assert.equal(reason?.remedy, undefined);
  });

  it("asks for a declared signature where a function has none", () => {
    const [missing] = checkVendorDriver(pairOf(NVIDIA, BARE)).missing;
    assert.deepEqual(missing?.remedy, { kind: "declare", fact: "signature" });
    assert.equal(checkVendorDriver(pairOf(UNREAD, NVIDIA)).missing[0]?.remedy, undefined);
  });
});
