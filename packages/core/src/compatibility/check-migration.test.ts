// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkMigration } from "./check-migration.ts";
import { findNature } from "./nature.ts";
import type { DriverPack } from "./packs/pack.ts";
import { pairKey } from "./pair-key.ts";
import { STRICT_POLICY } from "./policy.ts";
import { linesOf, pairOf, profile, type ProfileParts } from "./test-profile.ts";

/** An NVIDIA vGPU and a free type on another host with the very same driver, as drivers of today show them. */
const SOURCE = profile();
const PLACE = profile({ host: "b", parent: "0000:00:11.0", subject: "type" });

const DSA: ProfileParts = {
  type: "idxd-dsa-1dwq",
  softwareVersion: "1.0.0",
  dynamicResources: ["aggregator"],
  aggregation: { count: 30, attribute: "aggregator", settable: true },
  dynamicValues: { aggregator: "30" },
};

describe("checkMigration()", () => {
  it("says yes to the same build, and what that rests on", () => {
    const verdict = checkMigration(pairOf(SOURCE, PLACE));
    assert.equal(verdict.kind, "compatible");
    assert.deepEqual(linesOf(verdict), ["rests software_version_same_build (same-build)"]);
    assert.equal(verdict.kind === "compatible" && verdict.confidence, "same-build");
  });

  it("shows what both ends say alike, with where each said it", () => {
    const { agreements } = checkMigration(pairOf(SOURCE, PLACE));
    assert.deepEqual(
      agreements.map(({ rule, code, source, destination }) => [rule, code, source.value, destination.value]),
      [
        ["R1", "vendor_driver_equal", "nvidia", "nvidia"],
        ["R2", "device_api_equal", "vfio-pci", "vfio-pci"],
        ["R3", "type_equal", "nvidia-231", "nvidia-231"],
        ["R7", "aggregation_equal", "1", "1"],
      ],
    );
    assert.deepEqual(
      [...new Set(agreements.flatMap(({ source, destination }) => [source.evidence.host, destination.evidence.host]))],
      ["a", "b"],
    );
  });

  it("never takes an agreement for a reason to say yes", () => {
    const bare = { srcversion: undefined, buildId: undefined };
    const verdict = checkMigration(pairOf(profile(bare), profile({ ...bare, host: "b", subject: "type" })));
    assert.equal(verdict.kind, "undetermined");
    assert.equal(verdict.agreements.length, 4);
  });

  it("is undetermined with another kernel", () => {
    const verdict = checkMigration(pairOf(SOURCE, profile({ host: "b", kernelVersion: "Linux version 6.18" })));
    assert.equal(verdict.kind, "undetermined");
    assert.equal(findNature(verdict), "unknown");
  });

  it("6.3 refuses dsa-1dwq x 30 against a dsa-2dwq x 15 and says what would mend it", () => {
    const two = profile({
      ...DSA,
      type: "idxd-dsa-2dwq",
      aggregation: { count: 15, settable: true },
      dynamicValues: { aggregator: "15" },
    });
    const verdict = checkMigration(pairOf(profile(DSA), two));
    assert.equal(verdict.kind, "incompatible");
    assert.equal(findNature(verdict), "not-as-it-stands");
    assert.deepEqual(verdict.kind === "incompatible" && verdict.reasons.map(({ rule, remedy }) => [rule, remedy]), [
      ["R3", { kind: "recreate", type: "idxd-dsa-1dwq", count: 30 }],
    ]);
  });

  it("6.3 says yes to dsa-1dwq x 1 with 29 free, and claims x 30", () => {
    const one = profile({
      ...DSA,
      aggregation: { count: 1, attribute: "aggregator", settable: true, max: 30 },
      dynamicValues: { aggregator: "1" },
    });
    const verdict = checkMigration(pairOf(profile(DSA), one));
    assert.equal(verdict.kind, "compatible");
    assert.deepEqual(verdict.claims, [{ rule: "R6", attribute: "aggregator", value: "30" }]);
  });

  it("6.3 says yes to dsa-1dwq at most x 20: that is a matter of room", () => {
    const { dynamicValues: _, ...type } = DSA;
    const place = profile({
      ...type,
      subject: "type",
      aggregation: { attribute: "aggregator", settable: true, max: 20 },
    });
    const verdict = checkMigration(pairOf(profile(DSA), place));
    assert.equal(verdict.kind, "compatible");
    assert.deepEqual(linesOf(verdict).slice(1), ["claim aggregator=30", "note aggregation_above_max"]);
  });

  /** Section 6.2: V5_4 x 2 against each candidate of the table, by the final proposal; sizes are never computed. */
  const GVT_TABLE: readonly (readonly [type: string, count: number, kind: string, claims: readonly string[]])[] = [
    ["i915-GVTg_V5_4", 2, "compatible", []],
    ["i915-GVTg_V5_8", 4, "incompatible", []],
    ["i915-GVTg_V5_2", 1, "incompatible", []],
    ["i915-GVTg_V5_8", 2, "incompatible", []],
    ["i915-GVTg_V5_4", 1, "compatible", ["aggregator=2"]],
    ["i915-GVTg_V4_2", 1, "incompatible", []],
  ];
  for (const [name, count, kind, claims] of GVT_TABLE) {
    it(`6.2 answers ${kind} to V5_4 x 2 against ${name} x ${count}`, () => {
      const gvt = (type: string, units: number): ProfileParts => ({
        type,
        softwareVersion: "1.0.0",
        dynamicResources: ["aggregator"],
        aggregation: { count: units, attribute: "aggregator", settable: true },
        dynamicValues: { aggregator: String(units) },
      });
      const verdict = checkMigration(pairOf(profile(gvt("i915-GVTg_V5_4", 2)), profile(gvt(name, count))));
      assert.equal(verdict.kind, kind);
      if (verdict.kind === "incompatible")
        assert.deepEqual(
          verdict.reasons.map(({ code }) => code),
          ["type"],
        );
      else
        assert.deepEqual(
          verdict.claims.map(({ attribute, value }) => `${attribute}=${value}`),
          claims,
        );
    });
  }

  it("6.3 says yes to dsa-1dwq x 30 against x 30, and claims nothing", () => {
    const verdict = checkMigration(pairOf(profile(DSA), profile({ ...DSA, host: "b" })));
    assert.deepEqual([verdict.kind, verdict.claims], ["compatible", []]);
  });

  it("6.3 refuses dsa-2dwq x 15 against an x 30 that cannot be set", () => {
    const two = (count: number, settable: boolean): ProfileParts => ({
      type: "idxd-dsa-2dwq",
      softwareVersion: "1.0.0",
      aggregation: { count, attribute: "aggregator", settable },
    });
    const verdict = checkMigration(pairOf(profile(two(15, true)), profile(two(30, false))));
    assert.deepEqual(linesOf(verdict).slice(0, 1), ["no aggregation"]);
    assert.deepEqual(checkMigration(pairOf(profile(two(15, true)), profile(two(30, true)))).claims, [
      { rule: "R7", attribute: "aggregator", value: "15" },
    ]);
  });

  it("6.4 evaluates the chain {A} {A} {A,B} {A,B,C} in both directions", () => {
    const chain = [["A"], ["A"], ["A", "B"], ["A", "B", "C"]].map((feature, at) =>
      profile({ host: `h${at}`, softwareVersion: "1.0.0", compatible: { feature } }),
    );
    const may = chain.flatMap((from, i) =>
      chain.flatMap((to, j) =>
        i !== j && checkMigration(pairOf(from, to)).kind === "compatible" ? [`${i + 1}->${j + 1}`] : [],
      ),
    );
    assert.deepEqual(may, ["1->2", "1->3", "1->4", "2->1", "2->3", "2->4", "3->4"]);
  });

  it("6.5 refuses QAT types of two drivers, alias or not, and offers nothing", () => {
    const from = profile({ type: "qat-v4-type1", vendorDriver: "qat-v4" });
    const to = profile({ type: "qat-v5-type1", vendorDriver: "qat-v5" });
    const policy = { ...STRICT_POLICY, typeAliases: [["qat-v4-type1", "qat-v5-type1"]] };
    const verdict = checkMigration(pairOf(from, to, { policy }));
    assert.deepEqual(linesOf(verdict), ["no vendor_driver", "no type", "note type_alias", "note vendor_rules_skipped"]);
    assert.equal(findNature(verdict), "never");
  });

  it("says nothing of room: a profile has none, and a count above what fits now is still a yes", () => {
    const place = profile({ ...DSA, subject: "type", dynamicValues: {}, aggregation: { settable: true, max: 1 } });
    const verdict = checkMigration(pairOf(profile(DSA), place));
    assert.equal(verdict.kind, "compatible");
    assert.ok(linesOf(verdict).includes("note aggregation_above_max"));
  });

  it("reports every failing rule in order, and what is missing besides", () => {
    const from = profile({ softwareVersion: "2.1.0", compatible: { f: ["A"] }, migrationVersion: "x" });
    const to = profile({
      type: "nvidia-232",
      deviceApi: "vfio-ccw",
      softwareVersion: "1.0.0",
      dynamicResources: ["fps"],
      kernelVersion: undefined,
    });
    const verdict = checkMigration(pairOf(from, to));
    assert.deepEqual(linesOf(verdict), [
      "no device_api",
      "no type",
      "no software_version_major",
      "no migration_version_absent",
      "missing compatible_field_one_side",
      "note dynamic_resources_destination_only",
    ]);
    assert.equal(findNature(verdict), "never");
  });

  it("asks no vendor about another vendor's strings", () => {
    const from = profile({
      type: "nvidia-231",
      softwareVersion: "2.0.0",
      compatible: { f: ["A"] },
      migrationVersion: "x",
    });
    const to = profile({
      type: "i915-GVTg_V5_4",
      softwareVersion: "1.0.0",
      compatible: { f: ["B"] },
      migrationVersion: "y",
    });
    assert.deepEqual(linesOf(checkMigration(pairOf(from, to))), [
      "no vendor_driver",
      "no type",
      "note vendor_rules_skipped",
    ]);
  });

  it("is evaluated in each direction by itself", () => {
    const old = profile({ softwareVersion: "1.0.0", compatible: { f: ["A"] } });
    const fresh = profile({ softwareVersion: "1.1.0", compatible: { f: ["A", "B"] } });
    assert.equal(checkMigration(pairOf(old, fresh)).kind, "compatible");
    assert.deepEqual(linesOf(checkMigration(pairOf(fresh, old))).slice(0, 2), [
      "no software_version_minor",
      "no compatible_field",
    ]);
  });

  it("takes the confidence of the weakest rule", () => {
    const from = profile({ softwareVersion: "1.0.0", migrationVersion: "v1", type: "x-a" });
    const to = profile({ softwareVersion: "1.0.0", migrationVersion: "v1", type: "x-b", compatibleTypes: ["x-a"] });
    const pair = pairOf(from, to, { policy: { ...STRICT_POLICY, crossType: true } });
    const key = pairKey(pair) ?? assert.fail("the pair has a key");
    const verdict = checkMigration({
      ...pair,
      memory: { probes: { [key]: { accepted: true, host: "b" } }, successes: {} },
    });
    assert.equal(verdict.kind === "compatible" && verdict.confidence, "cross-type");
    assert.deepEqual(linesOf(verdict), [
      "rests compatible_type (cross-type)",
      "rests software_version_declared (declared)",
      "rests migration_version_accepted (probed)",
      "note compatible_type_listed",
    ]);
  });

  it("lets an accepted probe override no other rule", () => {
    const pair = pairOf(
      profile({ softwareVersion: "1.1.0", migrationVersion: "a" }),
      profile({ softwareVersion: "1.0.0", migrationVersion: "b" }),
    );
    const key = pairKey(pair) ?? assert.fail("the pair has a key");
    const verdict = checkMigration({
      ...pair,
      memory: { probes: { [key]: { accepted: true, host: "b" } }, successes: {} },
    });
    assert.deepEqual(linesOf(verdict).slice(0, 1), ["no software_version_minor"]);
    assert.equal(verdict.kind, "incompatible");
  });

  it("asks the identity rules of the s390 interfaces", () => {
    const ap = profile({ type: "vfio_ap-passthrough", deviceApi: "vfio-ap" });
    assert.ok(linesOf(checkMigration(pairOf(ap, ap))).includes("missing ap_matrix_unknown"));
    const ccw = profile({ type: "vfio_ccw-io", deviceApi: "vfio-ccw" });
    assert.ok(linesOf(checkMigration(pairOf(ccw, ccw))).includes("missing ccw_identity_undeclared"));
  });

  it("asks the driver packs, and names those that took part", () => {
    const rule = {
      kind: "equal",
      fact: "ecc_mode",
      code: "ecc_differs",
      text: "ECC is equal",
      from: "test",
      tried: "real-kernel",
    } as const;
    const pack: DriverPack = {
      pack: "berth.driver-pack/v1",
      name: "test",
      version: "1.0.0",
      title: "test",
      match: { driverPrefixes: ["nvidia"] },
      rules: [rule],
    };
    const packs = [{ pack, digest: `sha256:${"0".repeat(64)}` }];
    const verdict = checkMigration(
      pairOf(profile({ facts: { ecc_mode: "on" } }), profile({ facts: { ecc_mode: "off" } }), { packs }),
    );
    assert.equal(verdict.kind, "incompatible");
    assert.equal(linesOf(verdict)[0], "no ecc_differs");
    assert.deepEqual(
      verdict.packs.map(({ name }) => name),
      ["test"],
    );
    const across = checkMigration(pairOf(profile(), profile({ type: "i915-GVTg_V5_4" }), { packs }));
    assert.deepEqual(across.packs, []);
  });

  it("D19 never compares UUIDs", () => {
    assert.equal(
      checkMigration(pairOf(SOURCE, profile({ host: "b", id: "bbbbbbbb-0000-4000-8000-000000000001" }))).kind,
      "compatible",
    );
  });
});
