// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import type { Pair } from "../pair.ts";
import { NO_MEMORY } from "../pair.ts";
import { STRICT_POLICY } from "../policy.ts";
import type { Remedy } from "../verdict.ts";
import { checkPacks } from "./check-packs.ts";
import type { DriverPack, LoadedPack, PackRule } from "./pack.ts";
import { profileFromFacts } from "./vectors.ts";

const SAID = { text: "It must fit", from: "x", tried: "source-read" } as const;

function packOf(rules: readonly PackRule[], more: Partial<DriverPack> = {}): LoadedPack {
  const base = { pack: "berth.driver-pack/v1", name: "p", version: "1.0.0", title: "p" } as const;
  return { pack: { ...base, match: { driverPrefixes: ["d"] }, rules, ...more }, digest: "sha256:p" };
}

function end(host: string, facts: Readonly<Record<string, string>>): MigrationProfile {
  return profileFromFacts(host, { type: "d-1", ...facts });
}

function ask(
  packs: readonly LoadedPack[],
  source: MigrationProfile,
  destination: MigrationProfile,
): ReturnType<typeof checkPacks> {
  const pair: Pair = { source, destination, policy: STRICT_POLICY, packs, memory: NO_MEMORY };
  return checkPacks(pair);
}

function askRule(
  rule: PackRule,
  from: Readonly<Record<string, string>>,
  to: Readonly<Record<string, string>>,
): ReturnType<typeof checkPacks>["findings"] {
  return ask([packOf([rule])], end("a", from), end("b", to)).findings;
}

const EQUAL: PackRule = { ...SAID, kind: "equal", fact: "mode", code: "mode_differs" };

describe("checkPacks()", () => {
  it("rests a yes on the rule, with both values and their evidence", () => {
    const { findings, packs } = ask([packOf([EQUAL])], end("a", { mode: "on" }), end("b", { mode: "on" }));
    assert.deepEqual(findings.reasons, []);
    assert.deepEqual(findings.missing, []);
    const [assumption] = findings.restsOn;
    assert.deepEqual(
      { ...assumption, source: assumption?.source?.evidence.host, destination: assumption?.destination?.value },
      {
        rule: "R11",
        code: "mode_differs",
        text: "It must fit",
        confidence: "declared",
        source: "a",
        destination: "on",
      },
    );
    assert.deepEqual(packs, [{ name: "p", version: "1.0.0", digest: "sha256:p" }]);
  });

  it("reports every failing rule", () => {
    const other: PackRule = { ...EQUAL, fact: "size", code: "size_differs" };
    const { findings } = ask(
      [packOf([EQUAL, other])],
      end("a", { mode: "1", size: "1" }),
      end("b", { mode: "2", size: "2" }),
    );
    assert.deepEqual(
      findings.reasons.map((reason) => reason.code),
      ["mode_differs", "size_differs"],
    );
  });

  it("asks every pack that matches both ends", () => {
    const second = { ...packOf([{ ...EQUAL, code: "second" }], { name: "q" }), digest: "sha256:q" };
    const { findings, packs } = ask([packOf([EQUAL]), second], end("a", { mode: "1" }), end("b", { mode: "2" }));
    assert.deepEqual(
      findings.reasons.map((reason) => reason.code),
      ["mode_differs", "second"],
    );
    assert.deepEqual(
      packs.map((use) => use.name),
      ["p", "q"],
    );
  });

  it("says where a fact is missing and how to supply it", () => {
    const { missing } = askRule(EQUAL, { mode: "on" }, {});
    assert.equal(missing.length, 1);
    assert.equal(missing[0]?.text, "It must fit: fact mode of the destination is not known");
    assert.deepEqual(missing[0]?.remedy, { kind: "declare", fact: "mode" });
    assert.equal(missing[0]?.source?.value, "on");
    assert.equal(missing[0]?.destination?.value, undefined);
  });

  it("says what it could not read", () => {
    const { missing } = askRule({ ...SAID, kind: "semver", fact: "v", code: "v" }, { v: "1.x" }, { v: "1.0.0" });
    assert.match(missing[0]?.text ?? "", /cannot read v of the source: expected major.minor.bugfix, got "1.x"/);
  });

  it("says neither yes nor no by a doubtful rule, whatever the facts are", () => {
    for (const [from, to] of [
      ["1", "1"],
      ["1", "2"],
    ] as const) {
      const found = askRule({ ...EQUAL, doubtful: true }, { mode: from }, { mode: to });
      assert.deepEqual([found.reasons.length, found.restsOn.length, found.missing.length], [0, 0, 1]);
      assert.match(found.missing[0]?.text ?? "", /doubtful: only read about/);
    }
  });

  it("makes nothing of a failing rule that proves nothing", () => {
    const found = askRule({ ...EQUAL, failing: "undetermined" }, { mode: "1" }, { mode: "2" });
    assert.deepEqual([found.reasons.length, found.missing.length], [0, 1]);
    assert.equal(askRule({ ...EQUAL, failing: "undetermined" }, { mode: "1" }, { mode: "1" }).restsOn.length, 1);
  });

  it("leaves a rule out where its condition fails", () => {
    const rule: PackRule = { ...EQUAL, when: [{ side: "source", fact: "os", in: ["x"] }] };
    const found = askRule(rule, { mode: "1", os: "y" }, { mode: "2" });
    assert.deepEqual([found.reasons, found.missing, found.restsOn], [[], [], []]);
  });

  it("leaves a rule open where its condition is unknown", () => {
    const rule: PackRule = { ...EQUAL, when: [{ side: "source", fact: "os", in: ["x"] }] };
    const found = askRule(rule, { mode: "1" }, { mode: "2" });
    assert.deepEqual([found.reasons.length, found.missing.length], [0, 1]);
    assert.deepEqual(found.missing[0]?.remedy, { kind: "declare", fact: "os" });
  });

  it("leaves a rule out where one condition fails and another is unknown", () => {
    const when = [
      { side: "source", fact: "unknown", in: ["x"] },
      { side: "source", fact: "os", in: ["x"] },
    ] as const;
    assert.deepEqual(askRule({ ...EQUAL, when }, { mode: "1", os: "y" }, { mode: "2" }).missing, []);
  });

  it("prints the pack's notes", () => {
    const note = { rule: "R9", code: "n", text: "Mind this" } as const;
    const { findings } = ask([packOf([], { notes: [note] })], end("a", {}), end("b", {}));
    assert.deepEqual(findings.notes, [note]);
  });

  it("has nothing to say of other drivers", () => {
    const other = profileFromFacts("b", { type: "e-1" });
    assert.deepEqual(ask([packOf([EQUAL])], other, other).packs, []);
  });
});

describe("checkPacks() on a pack that speaks for one end", () => {
  const VENDOR = packOf([], { match: { driverPrefixes: ["d"], pciVendors: ["10de"] } });
  const AT = { host: "b", source: "sysfs", path: "/sys/bus/pci" } as const;
  const mine = end("a", { pci_vendor: "10de" });
  const broken: MigrationProfile = { ...end("b", {}), pciIds: unreadable("EIO", AT) };
  const codes = (source: MigrationProfile, destination: MigrationProfile): readonly string[] =>
    ask([VENDOR], source, destination).findings.missing.map((missing) => missing.code);

  it("is undetermined where both ends name one driver", () => {
    assert.deepEqual(codes(mine, end("b", { pci_vendor: "1234" })), ["pack_one_sided"]);
    assert.deepEqual(codes(end("b", { pci_vendor: "1234" }), mine), ["pack_one_sided"]);
  });
  it("leaves two drivers to R1", () => assert.deepEqual(codes(mine, profileFromFacts("b", { type: "e-1" })), []));
  it("is undetermined where a fact of the match is unreadable", () => {
    assert.deepEqual(codes(mine, broken), ["pack_match_unknown"]);
    assert.deepEqual(codes(broken, broken), ["pack_match_unknown"]);
  });
  it("is undetermined where a parent on the PCI bus shows no ids, at one end or at both", () => {
    const bare = end("b", {});
    const onPci = { ...bare, subject: { ...bare.subject, parent: "0000:3b:00.0" } };
    assert.deepEqual(codes(mine, onPci), ["pack_match_unknown"]);
    assert.deepEqual(codes(onPci, onPci), ["pack_match_unknown"]);
  });
  it("is undetermined where sysfs leads to no module, at both ends", () => {
    const byModule = packOf([], { match: { driverPrefixes: ["d"], modules: ["d"] } });
    const { findings } = ask([byModule], end("a", {}), end("b", {}));
    assert.deepEqual(
      findings.missing.map((missing) => missing.code),
      ["pack_match_unknown"],
    );
  });
  it("has nothing to say where neither end can match", () => {
    assert.deepEqual(codes(end("a", {}), end("b", { pci_vendor: "1234" })), []);
  });
  it("counts as a pack that was used", () => assert.equal(ask([VENDOR], mine, broken).packs.length, 1));
});

describe("checkPacks() on what mends a failing rule", () => {
  const V = { ...SAID, code: "c", fact: "driver_version" } as const;
  const CASES: Readonly<Record<string, readonly [PackRule, string, string, Remedy | undefined]>> = {
    "a version that must be equal: match the driver": [
      { ...V, kind: "equal" },
      "2",
      "1",
      { kind: "match-driver", driver: "p", version: "2" },
    ],
    "a setting that must be equal: change it": [
      { ...V, kind: "equal", fact: "ecc" },
      "on",
      "off",
      { kind: "change-setting", setting: "ecc", value: "on" },
    ],
    "an older minor: upgrade": [
      { ...V, kind: "semver" },
      "1.5.0",
      "1.4.2",
      { kind: "upgrade-driver", driver: "p", atLeast: "1.5.0" },
    ],
    "another major: match": [
      { ...V, kind: "semver" },
      "2.0.0",
      "1.4.2",
      { kind: "match-driver", driver: "p", version: "2.0.0" },
    ],
    "an exact minor: match": [
      { ...V, kind: "semver", exact: true },
      "1.5.0",
      "1.4.2",
      { kind: "match-driver", driver: "p", version: "1.5.0" },
    ],
    "too low: upgrade": [{ ...V, kind: "at-least" }, "9", "8", { kind: "upgrade-driver", driver: "p", atLeast: "9" }],
    "above the range: upgrade": [
      { ...V, kind: "in-range", range: "driver_version" },
      "23",
      "18 22",
      { kind: "upgrade-driver", driver: "p", atLeast: "23" },
    ],
    "above the range: the upgrade that the rule speaks of": [
      { ...V, kind: "in-range", range: "driver_version", remedy: { kind: "upgrade-driver", subject: "the manager" } },
      "23",
      "18 22",
      { kind: "upgrade-driver", driver: "the manager", atLeast: "23" },
    ],
    "below the range: never, whatever upgrade the rule speaks of": [
      { ...V, kind: "in-range", range: "driver_version", remedy: { kind: "upgrade-driver", subject: "the manager" } },
      "17",
      "18 22",
      undefined,
    ],
    "below the range: never": [{ ...V, kind: "in-range", range: "driver_version" }, "17", "18 22", undefined],
    "lacking features: never": [{ ...V, kind: "superset" }, "a b", "a", undefined],
    "a refused pair: never": [{ ...V, kind: "pair-exception", source: ["x"], destination: ["y"] }, "x", "y", undefined],
    "what the rule says": [
      { ...V, kind: "equal", remedy: { kind: "change-setting", subject: "the switch", value: "up" } },
      "1",
      "2",
      { kind: "change-setting", setting: "the switch", value: "up" },
    ],
    "a cold move, where the rule says so": [
      { ...V, kind: "equal", remedy: { kind: "move-cold" } },
      "1",
      "2",
      { kind: "move-cold" },
    ],
  };
  for (const [name, [rule, source, destination, expected]] of Object.entries(CASES)) {
    it(name, () => {
      const { reasons } = askRule(rule, { [rule.fact]: source }, { [rule.fact]: destination });
      assert.equal(reasons.length, 1);
      assert.deepEqual(reasons[0]?.remedy, expected);
    });
  }
});
