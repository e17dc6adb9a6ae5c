// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import { STRICT_POLICY, type Policy } from "../policy.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkType } from "./type.ts";

const ONE = profile({ type: "dsa-1dwq", aggregation: { count: 30, attribute: "aggregator", settable: true } });
const TWO = profile({ type: "dsa-2dwq", aggregation: { count: 15, attribute: "aggregator", settable: true } });
const TWO_TYPE = profile({ type: "dsa-2dwq", subject: "type" });
const LISTING = profile({ type: "i915-GVTg_V6_4", compatibleTypes: ["i915-GVTg_V5_4"], subject: "type" });
const GVT = profile({ type: "i915-GVTg_V5_4" });
const FUNCTION = profile({ type: "mlx5-vf-v1", framework: "function" });
const BARE = profile({ type: undefined, framework: "function" });
const UNLISTED = {
  ...LISTING,
  attributes: { ...LISTING.attributes, compatibleTypes: unreadable("EIO", LISTING.type.evidence) },
};

const cross = { crossType: true };

const CASES: Record<string, { from: typeof ONE; to: typeof ONE; policy?: Partial<Policy>; lines: string[] }> = {
  "is content with equal types": { from: ONE, to: ONE, lines: [] },
  "6.3 refuses dsa-1dwq x 30 against dsa-2dwq x 15, though both are 30 queues": {
    from: ONE,
    to: TWO,
    lines: ["no type"],
  },
  "6.2 refuses V5_4 against V5_8": { from: GVT, to: profile({ type: "i915-GVTg_V5_8" }), lines: ["no type"] },
  "6.2 refuses V5_4 against V5_2": { from: GVT, to: profile({ type: "i915-GVTg_V5_2" }), lines: ["no type"] },
  "6.2 refuses V5_4 against V4_2": { from: GVT, to: profile({ type: "i915-GVTg_V4_2" }), lines: ["no type"] },
  "6.5 refuses QAT types of unlike drivers": {
    from: profile({ type: "qat-v4-type1" }),
    to: profile({ type: "qat-v5-type1" }),
    lines: ["no type"],
  },
  "compares byte by byte": { from: GVT, to: profile({ type: "i915-gvtg_v5_4" }), lines: ["no type"] },
  "shows compatible_type without using it": {
    from: GVT,
    to: LISTING,
    lines: ["no type", "note compatible_type_listed"],
  },
  "uses compatible_type where the policy says so": {
    from: GVT,
    to: LISTING,
    policy: cross,
    lines: ["rests compatible_type (cross-type)", "note compatible_type_listed"],
  },
  "D1 reads compatible_type as what may come in, not as what may go out": {
    from: profile({ type: "i915-GVTg_V5_4", compatibleTypes: ["i915-GVTg_V6_4"] }),
    to: profile({ type: "i915-GVTg_V6_4" }),
    policy: cross,
    lines: ["no type"],
  },
  "D1 does not let the list work backwards": { from: LISTING, to: GVT, policy: cross, lines: ["no type"] },
  "lacks a list that cannot be read, where it could decide": {
    from: GVT,
    to: UNLISTED,
    policy: cross,
    lines: ["missing compatible_type_unreadable"],
  },
  "needs no list that the policy does not use": { from: GVT, to: UNLISTED, lines: ["no type"] },
  "lacks the signature of a function": { from: FUNCTION, to: BARE, lines: ["missing type_unknown"] },
  "refuses mdev against a function of the same signature": {
    from: profile({ type: "mlx5-vf-v1" }),
    to: FUNCTION,
    lines: ["no framework"],
  },
  "refuses mdev against the vendor framework": {
    from: profile({ type: "nvidia-231" }),
    to: profile({ type: "nvidia-231", framework: "vendor-vfio" }),
    lines: ["no framework"],
  },
  "accepts a hybrid move where the policy says so": {
    from: profile({ type: "mlx5-vf-v1" }),
    to: FUNCTION,
    policy: { hybrid: true },
    lines: ["rests hybrid (assumed)"],
  },
  "keeps to equal types in a hybrid move": {
    from: GVT,
    to: FUNCTION,
    policy: { hybrid: true },
    lines: ["no type", "rests hybrid (assumed)"],
  },
  "does not let the hybrid switch cover a type that is not the same": {
    from: GVT,
    to: { ...LISTING, framework: "function" },
    policy: { hybrid: true, crossType: true },
    lines: ["no framework", "rests compatible_type (cross-type)", "note compatible_type_listed"],
  },
  "accepts mdev to the vendor framework of one driver where the policy says so": {
    from: profile({ type: "nvidia-231" }),
    to: profile({ type: "nvidia-231", framework: "vendor-vfio" }),
    policy: { hybrid: true },
    lines: ["rests hybrid (assumed)"],
  },
  "accepts the vendor framework to mdev just so": {
    from: profile({ type: "nvidia-231", framework: "vendor-vfio" }),
    to: profile({ type: "nvidia-231" }),
    policy: { hybrid: true },
    lines: ["rests hybrid (assumed)"],
  },
  "reports type and framework together": { from: GVT, to: FUNCTION, lines: ["no type", "no framework"] },
  "takes an alias for a hint": {
    from: profile({ type: "qat-v4-type1" }),
    to: profile({ type: "qat-v5-type1" }),
    policy: { typeAliases: [["qat-v4-type1", "qat-v5-type1"]] },
    lines: ["no type", "note type_alias"],
  },
  "takes an alias of the one type alone for nothing": {
    from: profile({ type: "qat-v4-type1" }),
    to: profile({ type: "qat-v5-type1" }),
    policy: { typeAliases: [["qat-v4-type1", "qat-v6-type1"]] },
    lines: ["no type"],
  },
  "takes a unit map for a hint": {
    from: ONE,
    to: TWO,
    policy: { unitMap: { "dsa-1dwq": "1", "dsa-2dwq": "2" } },
    lines: ["no type", "note unit_map"],
  },
  "counts units exactly": {
    from: profile({ type: "x-a", aggregation: { count: 3 } }),
    to: profile({ type: "x-b", aggregation: { count: 1 } }),
    policy: { unitMap: { "x-a": "1/3", "x-b": "1" } },
    lines: ["no type", "note unit_map"],
  },
  "hints nothing where the units differ": {
    from: ONE,
    to: TWO,
    policy: { unitMap: { "dsa-1dwq": "1", "dsa-2dwq": "3" } },
    lines: ["no type"],
  },
  "drops an entry of the unit map that is no fraction": {
    from: ONE,
    to: TWO,
    policy: { unitMap: { "dsa-1dwq": "1/0", "dsa-2dwq": "2" } },
    lines: ["no type", "note unit_map_malformed"],
  },
};

describe("checkType()", () => {
  for (const [name, { from, to, policy, lines }] of Object.entries(CASES)) {
    it(name, () => {
      const found = checkType(pairOf(from, to, { policy: { ...STRICT_POLICY, ...policy } }));
      assert.deepEqual(linesOf(found), lines);
    });
  }

  it("offers to re-create an existing device as the source's type and count", () => {
    const [reason] = checkType(pairOf(ONE, TWO)).reasons;
    assert.deepEqual(reason?.remedy, { kind: "recreate", type: "dsa-1dwq", count: 30 });
    assert.equal(reason?.source?.value, "dsa-1dwq");
    assert.equal(reason?.destination?.value, "dsa-2dwq");
  });

  it("leaves the count out of the remedy where it is one", () => {
    const [reason] = checkType(pairOf(GVT, profile({ type: "i915-GVTg_V5_8" }))).reasons;
    assert.deepEqual(reason?.remedy, { kind: "recreate", type: "i915-GVTg_V5_4" });
  });

  it("offers nothing at a type, which is simply another place", () => {
    assert.equal(checkType(pairOf(ONE, TWO_TYPE)).reasons[0]?.remedy, undefined);
  });

  it("offers the policy switch at a type that lists the source's", () => {
    assert.deepEqual(checkType(pairOf(GVT, LISTING)).reasons[0]?.remedy, { kind: "allow", policy: "crossType" });
  });

  it("offers nothing across vendor drivers", () => {
    assert.equal(checkType(pairOf(GVT, profile({ type: "nvidia-231" }))).reasons[0]?.remedy, undefined);
  });

  it("offers the hybrid switch between frameworks", () => {
    const found = checkType(pairOf(profile({ type: "mlx5-vf-v1" }), FUNCTION));
    assert.deepEqual(found.reasons[0]?.remedy, { kind: "allow", policy: "hybrid" });
  });
});
