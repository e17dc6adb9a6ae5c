// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decideVerdict } from "./decide-verdict.ts";
import { findNature } from "./nature.ts";
import { findings, type Assumption, type Findings, type Missing, type Reason } from "./verdict.ts";

const NEVER: Reason = { rule: "R2", code: "device_api", text: "x" };
const MENDABLE: Reason = { rule: "R3", code: "type", text: "x", remedy: { kind: "recreate", type: "t" } };
const GAP: Missing = { rule: "R4", code: "software_version_missing", text: "x" };
const rests = (confidence: Assumption["confidence"]): Assumption => ({ rule: "R4", code: "y", text: "y", confidence });

const verdictOf = (some: Partial<Findings>) => decideVerdict(findings(some), [], "R4");

describe("findNature()", () => {
  it("is nothing for a yes", () => assert.equal(findNature(verdictOf({ restsOn: [rests("declared")] })), undefined));
  it("is unknown where something is missing", () => assert.equal(findNature(verdictOf({ missing: [GAP] })), "unknown"));
  it("is never where one reason has no remedy", () =>
    assert.equal(findNature(verdictOf({ reasons: [MENDABLE, NEVER] })), "never"));
  it("is not as it stands where every reason has one", () => {
    assert.equal(findNature(verdictOf({ reasons: [MENDABLE, MENDABLE], missing: [GAP] })), "not-as-it-stands");
  });
});

describe("decideVerdict()", () => {
  it("is incompatible with any reason, and keeps what is missing", () => {
    const verdict = verdictOf({ reasons: [NEVER], missing: [GAP], restsOn: [rests("declared")] });
    assert.deepEqual(verdict.kind === "incompatible" && [verdict.reasons, verdict.missing], [[NEVER], [GAP]]);
  });

  it("is undetermined where something is missing and nothing fails", () => {
    assert.equal(verdictOf({ missing: [GAP], restsOn: [rests("declared")] }).kind, "undetermined");
  });

  it("is undetermined, never compatible, where nothing was found", () => {
    const verdict = verdictOf({});
    assert.deepEqual(verdict.kind === "undetermined" && verdict.missing.map(({ code, rule }) => [code, rule]), [
      ["nothing_to_rest_on", "R4"],
    ]);
  });

  it("is as sure as the weakest assumption", () => {
    const verdict = verdictOf({ restsOn: [rests("probed"), rests("seen"), rests("same-build")] });
    assert.equal(verdict.kind === "compatible" && verdict.confidence, "seen");
  });
});
