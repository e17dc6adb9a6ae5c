// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reading } from "../../device/evidence.ts";
import { STRICT_POLICY } from "../policy.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkCompatibleFields } from "./compatible-fields.ts";

const YES = ["rests compatible_field_superset (declared)"];
const NO = ["no compatible_field"];

/** Field, source's items, destination's items, findings. */
const SETS: readonly (readonly [string, string, string, readonly string[]])[] = [
  // 6.4: device1 {A}, device2 {A}, device3 {A,B}, device4 {A,B,C}
  ["feature", "A", "A", YES],
  ["feature", "A", "A B", YES],
  ["feature", "A", "A B C", YES],
  ["feature", "A B", "A B C", YES],
  ["feature", "A B", "A", NO],
  ["feature", "A B C", "A", NO],
  ["feature", "A B C", "A B", NO],
  // 6.1, pv_mode: sets describe what the guest may use
  ["pv_mode", "none", "none ppgtt", YES],
  ["pv_mode", "none ppgtt", "none", NO],
  ["pv_mode", "none ppgtt", "none context", NO],
  ["pv_mode", "none ppgtt context", "none context", NO],
  // 6.1, virtio: sets express what versions cannot
  ["virtio", "A B C", "B C D", NO],
  ["virtio", "B C D", "A B C", NO],
  // 7.2
  ["chpid_type", "0x1a", "0x1a 0x1b", YES],
  ["chpid_type", "0x1a 0x1b", "0x1a", NO],
  ["subchannel_type", "0", "1", NO],
  // one value on each side is equality; an empty set is a subset; order does not matter
  ["pci_ids", "8086591d", "8086591d", YES],
  ["pci_ids", "8086591d", "8086193b", NO],
  ["feature", "", "A", YES],
  ["feature", "A", "", NO],
  ["feature", "B A", "A B", YES],
  // ids ignore case and 0x; nothing else does
  ["pci_ids", "0x8086:0x591D", "8086:591d", YES],
  ["chpid_type", "1a", "0x1A", YES],
  ["chpid_type", "9", "09", YES],
  ["chpid_type", "09", "0x9", YES],
  ["chpid_type", "9", "0x19", NO],
  ["subchannel_type", "0x0", "0", YES],
  ["pci_ids", "8086:0591", "8086:5910", NO],
  ["pci_ids", "80860591", "8086:0591", NO],
  // a field whose ids nobody knows to be hexadecimal is compared byte by byte, whatever its name
  ["volume_id", "Ab", "aB", NO],
  ["volume_id", "0x1a", "1a", NO],
  ["chpid_types", "1A", "1a", NO],
  ["feature", "0x1a", "1a", NO],
  ["feature", "a", "A", NO],
];

const items = (text: string): readonly string[] => text.split(" ").filter((item) => item !== "");

describe("checkCompatibleFields()", () => {
  for (const [field, from, to, lines] of SETS) {
    it(`${field} {${from}} to {${to}}: ${lines.join()}`, () => {
      const pair = pairOf(
        profile({ compatible: { [field]: items(from) } }),
        profile({ compatible: { [field]: items(to) } }),
      );
      assert.deepEqual(linesOf(checkCompatibleFields(pair)), lines);
    });
  }

  it("says nothing where nobody shows a field", () => {
    assert.deepEqual(linesOf(checkCompatibleFields(pairOf(profile(), profile()))), []);
  });

  it("lists what is missing", () => {
    const pair = pairOf(
      profile({ compatible: { feature: ["A", "C", "B"] } }),
      profile({ compatible: { feature: ["A"] } }),
    );
    assert.equal(checkCompatibleFields(pair).reasons[0]?.text, "compatible_feature of the destination lacks C, B");
  });

  it("reports every field, in alphabetical order", () => {
    const pair = pairOf(
      profile({ compatible: { z: ["1"], a: ["1"] } }),
      profile({ compatible: { z: ["2"], a: ["2"] } }),
    );
    assert.deepEqual(
      checkCompatibleFields(pair).reasons.map(({ text }) => text.split(" ")[0]),
      ["compatible_a", "compatible_z"],
    );
  });

  const OTHER = { srcversion: "other" };
  const ONE_SIDED = {
    "rests on the same build where the source alone has it": {
      from: { compatible: { f: ["1"] } },
      to: {},
      lines: ["rests compatible_field_same_build (same-build)"],
    },
    "rests on the same build where the destination alone has it": {
      from: {},
      to: { compatible: { f: ["1"] } },
      lines: ["rests compatible_field_same_build (same-build)"],
    },
    "is undetermined with another build, source alone": {
      from: { compatible: { f: ["1"] } },
      to: OTHER,
      lines: ["missing compatible_field_one_side"],
    },
    "is undetermined with another build, destination alone": {
      from: OTHER,
      to: { compatible: { f: ["1"] } },
      lines: ["missing compatible_field_one_side"],
    },
  };
  for (const [name, { from, to, lines }] of Object.entries(ONE_SIDED)) {
    it(name, () => assert.deepEqual(linesOf(checkCompatibleFields(pairOf(profile(from), profile(to)))), lines));
  }

  it("rests on the same build only where the policy allows it", () => {
    const policy = { ...STRICT_POLICY, sameBuild: { softwareVersion: true, compatibleFields: false } };
    const found = checkCompatibleFields(pairOf(profile({ compatible: { f: ["1"] } }), profile(), { policy }));
    assert.deepEqual(linesOf(found), ["missing compatible_field_one_side"]);
    assert.deepEqual(found.missing[0]?.remedy, { kind: "allow", policy: "sameBuild.compatibleFields" });
  });

  it("lacks a field that cannot be read, same build or not", () => {
    const base = profile();
    const torn: Reading<never> = { kind: "unreadable", why: "EIO", evidence: base.type.evidence };
    const source = { ...base, attributes: { ...base.attributes, compatible: { f: torn } } };
    assert.deepEqual(linesOf(checkCompatibleFields(pairOf(source, base))), ["missing compatible_field_unreadable"]);
  });

  it("compares fields that are called like members of every object", () => {
    const hostile = JSON.parse('{"__proto__": ["1"], "constructor": ["1"]}') as Record<string, readonly string[]>;
    const found = checkCompatibleFields(pairOf(profile({ compatible: hostile }), profile({ srcversion: "other" })));
    assert.deepEqual(linesOf(found), ["missing compatible_field_one_side", "missing compatible_field_one_side"]);
  });
});
