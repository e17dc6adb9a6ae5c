// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pairKey } from "../pair-key.ts";
import type { DriverPack, LoadedPack } from "../packs/pack.ts";
import type { Pair } from "../pair.ts";
import { STRICT_POLICY } from "../policy.ts";
import { linesOf, pairOf, profile } from "../test-profile.ts";
import { checkSoftwareVersion } from "./software-version.ts";

const YES = ["rests software_version_declared (declared)"];
const MINOR = ["no software_version_minor"];
const MAJOR = ["no software_version_major"];
const MALFORMED = ["missing software_version_malformed"];
const ONE_SIDE = ["missing software_version_one_side"];

/** Section 6.1: source, destination, findings. Other builds on purpose, so that nothing but the versions can decide. */
const VERSIONS: readonly (readonly [string | undefined, string | undefined, readonly string[]])[] = [
  ["2.0.1", "2.1.1", YES],
  ["2.1.1", "2.0.1", MINOR],
  ["2.0.0", "3.0.0", MAJOR],
  ["3.0.0", "2.0.0", MAJOR],
  ["2.0.1", "2.0.0", YES],
  // 6.1, pv_mode as versions: none is 0.0.0, ppgtt 0.1.0, and context 0.2.0; without ppgtt it is 1.0.0
  ["0.0.0", "0.1.0", YES],
  ["0.1.0", "0.0.0", MINOR],
  ["0.2.0", "1.0.0", MAJOR],
  ["1.0.0", "0.2.0", MAJOR],
  ["0.1.0", "0.2.0", YES],
  ["0.2.0", "0.1.0", MINOR],
  ["1.9.0", "1.10.0", YES],
  ["1.10.0", "1.9.0", MINOR],
  ["1.0", "1.0.7", YES],
  ["1.0.7", "1.0", YES],
  ["1.0.0", "1.x", MALFORMED],
  ["1.0.0", "", MALFORMED],
  ["1.0.0", "1.0.0.0", MALFORMED],
  ["1.x", "1.0.0", MALFORMED],
  ["1.x", "1.x", MALFORMED],
  ["1.x", undefined, MALFORMED],
  ["1.0.0", undefined, ONE_SIDE],
  [undefined, "1.0.0", ONE_SIDE],
];

describe("checkSoftwareVersion() 6.1", () => {
  for (const [from, to, lines] of VERSIONS) {
    it(`${JSON.stringify(from)} to ${JSON.stringify(to)}: ${lines.join()}`, () => {
      const pair = pairOf(profile({ softwareVersion: from }), profile({ softwareVersion: to, srcversion: "other" }));
      assert.deepEqual(linesOf(checkSoftwareVersion(pair)), lines);
    });
  }

  it("lets no equal build stand in for a version that one side alone shows", () => {
    const found = checkSoftwareVersion(pairOf(profile({ softwareVersion: "1.0.0" }), profile()));
    assert.deepEqual(linesOf(found), ONE_SIDE);
  });

  it("offers the upgrade that would mend an older destination", () => {
    const [reason] = checkSoftwareVersion(
      pairOf(profile({ softwareVersion: "1.5.0" }), profile({ softwareVersion: "1.4.2" })),
    ).reasons;
    assert.deepEqual(reason?.remedy, {
      kind: "upgrade-driver",
      driver: "nvidia",
      atLeast: "1.5.0",
      below: "2.0.0",
    });
    assert.equal(reason?.source?.value, "1.5.0");
    assert.equal(reason?.destination?.value, "1.4.2");
  });

  it("asks for the source's version, not for any newer one, where the major version is older", () => {
    const [reason] = checkSoftwareVersion(
      pairOf(profile({ softwareVersion: "2.1.0" }), profile({ softwareVersion: "1.4.2" })),
    ).reasons;
    assert.deepEqual(reason?.remedy, { kind: "match-driver", driver: "nvidia", version: "2.1.0" });
  });

  it("does not call it an upgrade where the destination's major version is newer", () => {
    const [reason] = checkSoftwareVersion(
      pairOf(profile({ softwareVersion: "2.0.0" }), profile({ softwareVersion: "3.0.0" })),
    ).reasons;
    assert.deepEqual(reason?.remedy, { kind: "match-driver", driver: "nvidia", version: "2.0.0" });
  });
});

function packOf(parts: Partial<DriverPack>): LoadedPack {
  const pack: DriverPack = {
    pack: "berth.driver-pack/v1",
    name: "test",
    version: "1.0.0",
    title: "test",
    match: { driverPrefixes: ["nvidia"] },
    rules: [],
    ...parts,
  };
  return { pack, digest: `sha256:${"0".repeat(64)}` };
}

const stream = (version: string, more: { kernelAtLeast?: string; doubtful?: boolean } = {}) =>
  ({ version, from: "test", tried: "real-kernel", ...more }) as const;

const NEWER = { srcversion: "other", kernelRelease: "6.18.1", kernelVersion: "Linux version 6.18.1" };
const EXACT = packOf({ exactMinor: true });
const SAME_MINOR = { softwareVersion: "1.4.0" };

const STATED: Record<string, { pair: Pair; lines: string[] }> = {
  "(a) takes the stream version from a pack": {
    pair: pairOf(profile(), profile(NEWER), { packs: [packOf({ streamVersions: [stream("1.0.0")] })] }),
    lines: ["rests software_version_pack (declared)"],
  },
  "(a) refuses by the stream versions of a pack": {
    pair: pairOf(profile(NEWER), profile(), {
      packs: [packOf({ streamVersions: [stream("1.1.0", { kernelAtLeast: "6.18" }), stream("1.0.0")] })],
    }),
    lines: ["no software_version_minor"],
  },
  "(a) goes on to the builds where a pack is doubtful": {
    pair: pairOf(profile(), profile(NEWER), {
      packs: [packOf({ streamVersions: [stream("1.0.0", { doubtful: true })] })],
    }),
    lines: ["missing software_version_missing"],
  },
  "(b) rests on the same build": {
    pair: pairOf(profile(), profile({ host: "b" })),
    lines: ["rests software_version_same_build (same-build)"],
  },
  "(b) does so only where the policy allows it": {
    pair: pairOf(profile(), profile(), {
      policy: { ...STRICT_POLICY, sameBuild: { softwareVersion: false, compatibleFields: true } },
    }),
    lines: ["missing software_version_missing"],
  },
  "(c) is undetermined with other builds": {
    pair: pairOf(profile(), profile(NEWER)),
    lines: ["missing software_version_missing"],
  },
  "D11 refuses a newer minor version where a pack demands equality": {
    pair: pairOf(profile(SAME_MINOR), profile({ softwareVersion: "1.5.0" }), { packs: [EXACT] }),
    lines: ["no software_version_exact"],
  },
  "D11 accepts an equal minor version where a pack demands equality": {
    pair: pairOf(profile(SAME_MINOR), profile({ softwareVersion: "1.4.9" }), { packs: [EXACT] }),
    lines: YES,
  },
  "D11 leaves other drivers alone": {
    pair: pairOf(profile(SAME_MINOR), profile({ softwareVersion: "1.5.0" }), {
      packs: [packOf({ exactMinor: true, match: { driverPrefixes: ["mtty"] } })],
    }),
    lines: YES,
  },
  "D11 is undetermined where it cannot be said whether the pack applies": {
    pair: pairOf(
      { ...profile(SAME_MINOR), module: { kind: "unreadable", why: "EIO", evidence: profile().module.evidence } },
      profile({ softwareVersion: "1.5.0", module: "vgpu" }),
      { packs: [packOf({ exactMinor: true, match: { driverPrefixes: ["nvidia"], modules: ["nvidia_vgpu_vfio"] } })] },
    ),
    lines: ["missing software_version_exact_unknown"],
  },
};

describe("checkSoftwareVersion() where neither side exports one", () => {
  for (const [name, { pair, lines }] of Object.entries(STATED)) {
    it(name, () => assert.deepEqual(linesOf(checkSoftwareVersion(pair)), lines));
  }

  it("(b) names module, build and kernel", () => {
    const [assumption] = checkSoftwareVersion(pairOf(profile(), profile({ host: "b" }))).restsOn;
    assert.equal(
      assumption?.text,
      "same build of vgpu (srcversion E1739203163186A51FFA353, kernel 6.12.107+deb13-amd64)",
    );
    assert.equal(assumption?.source?.evidence.host, "a");
    assert.equal(assumption?.destination?.evidence.host, "b");
  });

  it("(b) says in the missing fact what differs", () => {
    const [missing] = checkSoftwareVersion(pairOf(profile(), profile(NEWER))).missing;
    assert.match(missing?.text ?? "", /not the same build \(the module's build differs.*kernel version differs/);
    assert.equal(missing?.remedy?.kind, "match-driver");
  });

  it("(b) offers the firmware where the firmware alone differs, and no driver", () => {
    const [missing] = checkSoftwareVersion(
      pairOf(profile({ firmware: "22.1" }), profile({ firmware: "22.2" })),
    ).missing;
    assert.deepEqual(missing?.remedy, { kind: "match-driver", driver: "device firmware", version: "22.1" });
  });

  it("(b) offers nothing where a driver alone would not make the builds one", () => {
    for (const parts of [{ firmware: "22.2" }, { pciIds: undefined, parent: "x" }] as const) {
      const to = profile({ ...NEWER, firmware: "22.1", ...parts });
      const remedy = checkSoftwareVersion(pairOf(profile({ firmware: "22.1" }), to)).missing[0]?.remedy;
      assert.equal(parts.firmware === undefined || remedy === undefined, true);
    }
  });

  for (const [successes, wanted, lines] of [
    [3, 3, ["rests software_version_seen (seen)"]],
    [2, 3, ["missing software_version_missing"]],
    [9, 0, ["missing software_version_missing"]],
  ] as const) {
    it(`(c) with ${successes} successes of ${wanted} wanted: ${lines.join()}`, () => {
      const pair = pairOf(profile(), profile(NEWER), { policy: { ...STRICT_POLICY, acceptAfterSuccesses: wanted } });
      const key = pairKey(pair) ?? assert.fail("the pair has a key");
      const found = checkSoftwareVersion({ ...pair, memory: { probes: {}, successes: { [key]: successes } } });
      assert.deepEqual(linesOf(found), lines);
    });
  }

  it("(c) counts no success of another direction", () => {
    const back = pairKey(pairOf(profile(NEWER), profile())) ?? assert.fail("the pair has a key");
    const pair = pairOf(profile(), profile(NEWER), {
      policy: { ...STRICT_POLICY, acceptAfterSuccesses: 1 },
      memory: { probes: {}, successes: { [back]: 5 } },
    });
    assert.deepEqual(linesOf(checkSoftwareVersion(pair)), ["missing software_version_missing"]);
  });
});
