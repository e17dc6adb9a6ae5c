// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { pairKey } from "../pair-key.ts";
import type { Pair, ProbeAnswer } from "../pair.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkMigrationVersion } from "./migration-version.ts";

const V5_4 = profile({ type: "i915-GVTg_V5_4", migrationVersion: "8086-591d-GVTg_V5_4-00000001" });
const V5_8 = profile({ type: "i915-GVTg_V5_8", migrationVersion: "8086-591d-GVTg_V5_8-00000001" });
const SAME = profile({ type: "i915-GVTg_V5_4", migrationVersion: "8086-591d-GVTg_V5_4-00000001", host: "b" });
const BARE = profile({ type: "i915-GVTg_V5_4" });
const OLD = profile({ type: "i915-GVTg_V5_4", srcversion: "old" });

function torn(why: string): MigrationProfile {
  const migrationVersion = unreadable(why, V5_4.type.evidence);
  return { ...V5_4, attributes: { ...V5_4.attributes, migrationVersion } };
}

function remembered(pair: Pair, answer: ProbeAnswer): Pair {
  const key = pairKey(pair) ?? assert.fail("the pair has a key");
  return { ...pair, memory: { probes: { [key]: answer }, successes: {} } };
}

const accepted: ProbeAnswer = { accepted: true, host: "b" };
const refused: ProbeAnswer = { accepted: false, errno: "EINVAL", host: "b" };

const CASES: Record<string, { pair: Pair; lines: string[] }> = {
  "does not apply where nobody shows the attribute": { pair: pairOf(BARE, BARE), lines: [] },
  "asks for a probe, even where the strings are equal": {
    pair: pairOf(V5_4, SAME),
    lines: ["missing migration_version_unprobed"],
  },
  "takes a remembered yes": {
    pair: remembered(pairOf(V5_4, SAME), accepted),
    lines: ["rests migration_version_accepted (probed)"],
  },
  "takes a remembered refusal": {
    pair: remembered(pairOf(V5_4, SAME), refused),
    lines: ["no migration_version_refused"],
  },
  "6.2 reports the driver's refusal of V5_4 at V5_8": {
    pair: remembered(pairOf(V5_4, V5_8), refused),
    lines: ["no migration_version_refused"],
  },
  "does not ask for a probe of a type that R3 refuses": { pair: pairOf(V5_4, V5_8), lines: [] },
  "takes no answer of the other direction": {
    pair: { ...pairOf(V5_8, V5_4), memory: remembered(pairOf(V5_4, V5_8), accepted).memory },
    lines: [],
  },
  "refuses a destination without the attribute": { pair: pairOf(V5_4, OLD), lines: ["no migration_version_absent"] },
  "does not believe that one build shows the attribute of one type at one end only": {
    pair: pairOf(V5_4, BARE),
    lines: ["missing migration_version_one_side"],
  },
  "is undetermined where the destination alone has it": {
    pair: pairOf(BARE, V5_4),
    lines: ["missing migration_version_one_side"],
  },
  "refuses for good where the source's read says ENODEV": {
    pair: pairOf(torn("read: ENODEV"), V5_4),
    lines: ["no migration_version_unsupported"],
  },
  "refuses for good where the destination's read says ENODEV": {
    pair: pairOf(V5_4, torn("read: ENODEV")),
    lines: ["no migration_version_unsupported"],
  },
  "takes no ENODEV that is only quoted for the driver's answer": {
    pair: pairOf(torn('Cannot parse migration_version: expected ASCII, got "ENODEV\\u0001"'), V5_4),
    lines: ["missing migration_version_unreadable"],
  },
  "takes the errno as discovery writes it": {
    pair: pairOf(torn("ENODEV: no such device"), V5_4),
    lines: ["no migration_version_unsupported"],
  },
  "lacks a string that may not be read": {
    pair: pairOf(torn("read: EACCES"), V5_4),
    lines: ["missing migration_version_unreadable"],
  },
  "lacks a string of the source that may not be read, whatever the destination lacks": {
    pair: pairOf(torn("read: EACCES"), BARE),
    lines: ["missing migration_version_unreadable"],
  },
  "lacks a class to remember by": {
    pair: pairOf(V5_4, profile({ type: "i915-GVTg_V5_4", migrationVersion: "x", kernelVersion: undefined })),
    lines: ["missing migration_version_class_unknown"],
  },
  "reports levels that disagree, and says no yes": {
    pair: remembered(pairOf(V5_4, SAME), { ...accepted, otherLevelAccepted: false }),
    lines: ["missing migration_version_levels_disagree", "note migration_version_levels_disagree"],
  },
  "keeps a refusal where the levels disagree": {
    pair: remembered(pairOf(V5_4, SAME), { ...refused, otherLevelAccepted: true }),
    lines: ["no migration_version_refused", "note migration_version_levels_disagree"],
  },
};

describe("checkMigrationVersion()", () => {
  for (const [name, { pair, lines }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(linesOf(checkMigrationVersion(pair)), lines));
  }

  it("names the errno and the host that answered", () => {
    const [reason] = checkMigrationVersion(remembered(pairOf(V5_4, SAME), refused)).reasons;
    assert.equal(reason?.text, "the driver on b refused the source's migration_version with EINVAL");
  });

  it("offers the source's driver to a destination whose driver does not show the attribute", () => {
    assert.deepEqual(checkMigrationVersion(pairOf(V5_4, OLD)).reasons[0]?.remedy, {
      kind: "match-driver",
      driver: "vgpu",
      version: "(srcversion E1739203163186A51FFA353, kernel 6.12.107+deb13-amd64)",
    });
  });

  it("offers no driver where the source's is not known", () => {
    const nameless = profile({ type: "i915-GVTg_V5_4", migrationVersion: "x", module: undefined });
    assert.equal(checkMigrationVersion(pairOf(nameless, OLD)).reasons[0]?.remedy, undefined);
  });

  it("offers the probe as the remedy", () => {
    assert.deepEqual(checkMigrationVersion(pairOf(V5_4, SAME)).missing[0]?.remedy, { kind: "probe" });
  });
});
