// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { BerthError } from "./berth-error.ts";
import { parsePolicyDocument } from "./policy-schema.ts";

const POLICY = { policy: "berth.policy/v1" };

function refusal(value: unknown): readonly [string, readonly string[]] {
  try {
    parsePolicyDocument(value, "policy.json");
  } catch (error) {
    if (error instanceof BerthError) return [error.code, error.details];
    throw error;
  }
  throw new Error("accepted");
}

describe("parsePolicyDocument()", () => {
  it("is strict where the file says nothing", () => assert.deepEqual(parsePolicyDocument(POLICY, "p"), STRICT_POLICY));

  it("reads every switch", () => {
    const switches = {
      crossType: true,
      hybrid: true,
      sameBuild: { softwareVersion: false, compatibleFields: false },
      acceptAfterSuccesses: 3,
      assumePlatform: true,
      typeAliases: [["qat-v4-type1", "qat-v5-type1"]],
      unitMap: { "dsa-1dwq": "1", "i915-GVTg_V5_2": "1/2" },
      signatures: [
        { host: "*", function: "15b3:101e", type: "mlx5-vf-v1" },
        { host: "a", function: "0000:81:00.2", type: "mlx5-vf-v1" },
      ],
      facts: [{ host: "a", subject: "0000:00:10.0", name: "ecc_mode", value: "enabled" }],
    };
    assert.deepEqual(parsePolicyDocument({ ...POLICY, ...switches }, "p"), switches);
  });

  it("leaves the other half of sameBuild as it is", () => {
    const { sameBuild } = parsePolicyDocument({ ...POLICY, sameBuild: { softwareVersion: false } }, "p");
    assert.deepEqual(sameBuild, { softwareVersion: false, compatibleFields: true });
  });

  const CASES: Readonly<Record<string, readonly [unknown, string, string]>> = {
    "proposes the nearest switch": [
      { ...POLICY, crosstype: true },
      "policy_unknown_key",
      '/crosstype: expected the key crossType, got the unknown key "crosstype" (did you mean crossType?)',
    ],
    "refuses an unknown nested switch": [
      { ...POLICY, sameBuild: { software: true } },
      "policy_unknown_key",
      '/sameBuild/software: expected one of the keys compatibleFields, softwareVersion, got the unknown key "software"',
    ],
    "refuses a wrong type": [
      { ...POLICY, hybrid: "yes" },
      "policy_malformed",
      '/hybrid: expected a boolean, got "yes"',
    ],
    "refuses a negative count": [
      { ...POLICY, acceptAfterSuccesses: -1 },
      "policy_malformed",
      "/acceptAfterSuccesses: expected a number from 0 to 9007199254740991, got -1",
    ],
    "refuses a unit of nothing": [
      { ...POLICY, unitMap: { a: "1/0" } },
      "policy_malformed",
      '/unitMap/a: expected units per device: n or n/d, got "1/0"',
    ],
    "refuses an alias of one": [
      { ...POLICY, typeAliases: [["a"]] },
      "policy_malformed",
      "/typeAliases/0: expected at least 2 items, got an array of 1",
    ],
    "refuses a function by name": [
      { ...POLICY, signatures: [{ host: "*", function: "eth0", type: "x-1" }] },
      "policy_malformed",
      '/signatures/0/function: expected a function: vvvv:dddd, vvvv:dddd:ssss:ssss or a PCI address, got "eth0"',
    ],
    "refuses a document without a format": [{}, "policy_malformed", '/policy: expected "berth.policy/v1", got nothing'],
  };
  for (const [name, [value, code, line]] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(refusal(value), [code, [line]]));
  }

  it("tells another version of the format", () => {
    assert.equal(refusal({ policy: "berth.policy/v9" })[0], "policy_unsupported_version");
  });
});
