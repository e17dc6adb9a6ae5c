// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DriverPack, LoadedPack } from "../compatibility/packs/pack.ts";
import { NO_MEMORY } from "../compatibility/pair.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { classRulesOf, judgeBy, type Judgement } from "./judgement.ts";
import { profileOf, type MadeUpProfile } from "./made-up-profile.ts";

const RULE = { code: "made_up", text: "made up", from: "nowhere", tried: "documentation-read" } as const;

function packWith(parts: Pick<DriverPack, "rules" | "aliases">): LoadedPack {
  const match = { driverPrefixes: ["drv"] };
  const pack: DriverPack = { pack: "berth.driver-pack/v1", name: "x", version: "1.0.0", title: "X", match, ...parts };
  return { pack, digest: "sha256:0" };
}

const CASES: Readonly<Record<string, { readonly to: MadeUpProfile; readonly judgement: Judgement }>> = {
  "grades a declared yes": { to: { version: "1.5.0" }, judgement: { kind: "compatible", grade: 1 } },
  "names the first missing fact": {
    to: { version: { not: "absent" } },
    judgement: { kind: "unknown", rule: 4, code: "software_version_one_side" },
  },
  "names the first reason, and that an upgrade mends it": {
    to: { version: "1.0.0" },
    judgement: { kind: "not-as-it-stands", rule: 4, code: "software_version_minor" },
  },
  "says never where nothing mends it": {
    to: { version: "1.0.0", driver: "other" },
    judgement: { kind: "never", rule: 1, code: "vendor_driver" },
  },
};

describe("judgeBy()", () => {
  const judge = judgeBy({ policy: STRICT_POLICY, packs: [], memory: NO_MEMORY });
  for (const [name, { to, judgement }] of Object.entries(CASES)) {
    it(name, () => {
      assert.deepEqual(judge(profileOf({ kind: "device", version: "1.2.0" }), profileOf(to)), judgement);
    });
  }
});

describe("classRulesOf()", () => {
  it("names every fact that a pack reads, in rules, ranges, conditions and aliases", () => {
    const when = [{ side: "both", fact: "c", in: ["1"] }] as const;
    const pack = packWith({
      rules: [{ ...RULE, kind: "in-range", fact: "a", range: "b", when }],
      aliases: { a: "d" },
    });
    const { factNames } = classRulesOf([pack]);
    assert.deepEqual([...(factNames ?? [])].toSorted(), ["a", "ap_bind_state", "b", "c", "d", "device_identity", "os"]);
  });

  it("sees that a pack reads the version, for profiles that the pack may speak for", () => {
    const { readsWholeVersion } = classRulesOf([
      packWith({ rules: [{ ...RULE, kind: "equal", fact: "software_version" }] }),
    ]);
    const asked = [{}, { driver: { not: "unreadable" } }, { driver: "other" }] as const;
    assert.deepEqual(
      asked.map((made) => readsWholeVersion?.(profileOf(made))),
      [true, true, false],
    );
    assert.equal(classRulesOf([packWith({ rules: [] })]).readsWholeVersion?.(profileOf({})), false);
  });
});
