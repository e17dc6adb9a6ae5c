// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../device/evidence.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { checkPlatform } from "./check-platform.ts";
import type { DriverPack, LoadedPack, PackMigration } from "./packs/pack.ts";
import type { Pair } from "./pair.ts";
import { STRICT_POLICY } from "./policy.ts";
import { linesOf, pairOf, profile, type ProfileParts } from "./test-profile.ts";

const HOST = { qemu_version: "8.2.2 (Debian 1:8.2.2)", libvirt_version: "10.0.0", migration_post_copy: "off" };
const ABLE: ProfileParts = { facts: HOST, features: {} };
const SUPPORTED = "rests migration_supported (declared)";
const YES = [SUPPORTED, SUPPORTED];

function packOf(...migration: readonly Partial<PackMigration>[]): LoadedPack {
  const base = { supported: true, text: "tried", from: "test", tried: "real-kernel" } as const;
  const pack: DriverPack = {
    pack: "berth.driver-pack/v1",
    name: "test",
    version: "1.0.0",
    title: "test",
    match: { driverPrefixes: ["nvidia"] },
    rules: [],
    migration: migration.map((statement) => ({ ...base, ...statement })),
  };
  return { pack, digest: `sha256:${"0".repeat(64)}` };
}

interface Ends {
  readonly from?: ProfileParts;
  readonly to?: ProfileParts;
  readonly packs?: readonly LoadedPack[];
  readonly devices?: number;
}

function judge({ from = {}, to = {}, packs = [], devices = 1 }: Ends): ReturnType<typeof checkPlatform> {
  const pair = pairOf(profile({ ...ABLE, ...from }), profile({ ...ABLE, host: "b", ...to }), { packs });
  return checkPlatform({ pairs: Array.from({ length: devices }, () => pair) });
}

const noFeatures = { features: undefined };
const facts = (more: Readonly<Record<string, string>>) => ({ facts: { ...HOST, ...more } });
const without = (name: keyof typeof HOST) => ({
  facts: Object.fromEntries(Object.entries(HOST).filter(([key]) => key !== name)),
});

const CASES: Record<string, Ends & { lines: readonly string[] }> = {
  "says yes where VFIO shows both ends able": { lines: YES },
  "refuses where VFIO shows no stop-copy at the source": {
    from: { features: { stopCopy: false } },
    lines: ["no migration_unsupported", SUPPORTED],
  },
  "refuses where VFIO shows no stop-copy at the destination": {
    to: { features: { stopCopy: false } },
    lines: ["no migration_unsupported", SUPPORTED],
  },
  "refuses what QEMU blocks": {
    from: facts({ qemu_blocked_reasons: "VFIO migration is not supported" }),
    lines: ["no qemu_blocks_migration", SUPPORTED],
  },
  "trusts an empty list of QEMU above VFIO debugfs": {
    from: { ...facts({ qemu_blocked_reasons: "" }), features: { stopCopy: false } },
    lines: YES,
  },
  "does not take QEMU at the destination for the destination's driver": {
    to: { ...facts({ qemu_blocked_reasons: "" }), ...noFeatures },
    lines: ["missing migration_support_unknown", SUPPORTED],
  },
  "hears an explicit probe where VFIO debugfs shows nothing, before the packs": {
    from: { ...facts({ vfio_migration_probe: "stop-copy p2p pre-copy dirty-tracking" }), ...noFeatures },
    to: { ...facts({ vfio_migration_probe: "stop-copy,p2p,dirty-tracking" }), ...noFeatures },
    packs: [packOf({ supported: false })],
    lines: YES,
  },
  "refuses by an explicit probe that found no migration": {
    to: { ...facts({ vfio_migration_probe: "none" }), ...noFeatures },
    packs: [packOf({ p2p: true, dirtyTracking: true })],
    lines: ["no migration_unsupported", SUPPORTED],
  },
  "trusts VFIO debugfs above an explicit probe": {
    from: facts({ vfio_migration_probe: "none" }),
    lines: YES,
  },
  "takes a probe's answer that nobody understands for no answer, and no pack for a better one": {
    to: { ...facts({ vfio_migration_probe: "yes, surely" }), ...noFeatures },
    packs: [packOf({ p2p: true, dirtyTracking: true })],
    lines: ["missing migration_support_unknown", SUPPORTED],
  },
  "takes a probe's answer without stop-copy for none": {
    to: { ...facts({ vfio_migration_probe: "p2p dirty-tracking" }), ...noFeatures },
    lines: ["missing migration_support_unknown", SUPPORTED],
  },
  "asks a probe for P2P too": {
    to: { ...facts({ vfio_migration_probe: "stop-copy dirty-tracking" }), ...noFeatures },
    devices: 2,
    lines: ["no p2p_missing", ...YES],
  },
  "goes on to the packs where VFIO shows nothing": {
    from: noFeatures,
    to: noFeatures,
    packs: [packOf({ p2p: true, dirtyTracking: true })],
    lines: YES,
  },
  "refuses by a pack": {
    from: noFeatures,
    to: noFeatures,
    packs: [packOf({ supported: false })],
    lines: ["no migration_unsupported", "no migration_unsupported"],
  },
  "trusts VFIO debugfs above a pack": { packs: [packOf({ supported: false })], lines: YES },
  "is undetermined by a doubtful statement": {
    from: noFeatures,
    to: noFeatures,
    packs: [packOf({ doubtful: true })],
    lines: ["missing migration_support_unknown", "missing migration_support_unknown"],
  },
  "is undetermined where nobody says": { from: noFeatures, lines: ["missing migration_support_unknown", SUPPORTED] },
  "needs no P2P for one device": { from: { features: { p2p: false } }, lines: YES },
  "refuses several devices without P2P": {
    from: { features: { p2p: false } },
    devices: 2,
    lines: ["no p2p_missing", ...YES],
  },
  "is undetermined for several devices where a pack does not speak of P2P": {
    to: noFeatures,
    devices: 2,
    packs: [packOf({ dirtyTracking: true })],
    lines: ["missing p2p_unknown", ...YES],
  },
  "takes QEMU's word for P2P at the source": {
    from: { ...facts({ qemu_blocked_reasons: "" }), features: { p2p: false } },
    devices: 2,
    lines: YES,
  },
  "refuses without dirty tracking": {
    from: { features: { dirtyTracking: false } },
    lines: ["no dirty_tracking_missing", ...YES],
  },
  "is undetermined where a pack does not speak of dirty tracking": {
    to: noFeatures,
    packs: [packOf({})],
    lines: ["missing dirty_tracking_unknown", ...YES],
  },
  "lets the IOMMU track dirty pages": {
    from: { ...facts({ iommu_dirty_tracking: "yes" }), features: { dirtyTracking: false } },
    lines: YES,
  },
  "notes enable-migration=on without dirty tracking": {
    from: { ...facts({ enable_migration: "on" }), features: { dirtyTracking: false } },
    lines: [...YES, "note dirty_tracking_waived"],
  },
  "refuses an old QEMU": { from: facts({ qemu_version: "8.0.5" }), lines: ["no qemu_version", ...YES] },
  "accepts the oldest QEMU that can": { from: facts({ qemu_version: "8.1.0" }), lines: YES },
  "compares versions by number": {
    from: facts({ qemu_version: "10.0.0" }),
    to: facts({ libvirt_version: "8.10.0" }),
    lines: YES,
  },
  "refuses an old libvirt": { to: facts({ libvirt_version: "8.5.9" }), lines: ["no libvirt_version", ...YES] },
  "refuses an old kernel": { to: { kernelRelease: "5.17.15-generic" }, lines: ["no kernel_release", ...YES] },
  "accepts kernel 5.18": { from: { kernelRelease: "5.18.0" }, to: { kernelRelease: "5.18" }, lines: YES },
  "lacks a QEMU version": { from: without("qemu_version"), lines: ["missing qemu_version_unknown", ...YES] },
  "lacks a version that is no version": {
    to: facts({ libvirt_version: "newest" }),
    lines: ["missing libvirt_version_unknown", ...YES],
  },
  "refuses post-copy": { to: facts({ migration_post_copy: "on" }), lines: ["no post_copy", ...YES] },
  "notes where nobody says whether post-copy is used": {
    from: without("migration_post_copy"),
    lines: [...YES, "note post_copy_unknown"],
  },
  "lacks a post-copy setting that says neither": {
    from: facts({ migration_post_copy: "maybe" }),
    lines: ["missing post_copy_unreadable", ...YES],
  },
};

describe("checkPlatform()", () => {
  for (const [name, { lines, ...ends }] of Object.entries(CASES)) {
    it(name, () => {
      const found = linesOf(judge(ends));
      const wanted = lines.some((line) => line.startsWith("no ") || line.startsWith("missing "))
        ? lines.filter((line) => !line.startsWith("rests "))
        : lines;
      assert.deepEqual(found, wanted);
    });
  }

  it("lists everything that is missing over bare captures at once, and how to supply it", () => {
    const bare = { ...noFeatures, facts: {}, kernelRelease: undefined };
    const verdict = judge({ from: bare, to: bare });
    assert.equal(verdict.kind, "undetermined");
    const missing = verdict.kind === "undetermined" ? verdict.missing : [];
    assert.deepEqual(
      missing.map(({ code, source }) => `${code} ${source === undefined ? "destination" : "source"}`),
      [
        "migration_support_unknown source",
        "migration_support_unknown destination",
        "kernel_release_unknown source",
        "kernel_release_unknown destination",
        "qemu_version_unknown source",
        "qemu_version_unknown destination",
        "libvirt_version_unknown source",
        "libvirt_version_unknown destination",
      ],
    );
    assert.deepEqual(missing.find(({ code }) => code === "qemu_version_unknown")?.remedy, {
      kind: "declare",
      fact: "qemu_version",
    });
  });

  it("offers the cold move where a driver cannot migrate", () => {
    const verdict = judge({ from: { features: { stopCopy: false } } });
    assert.deepEqual(verdict.kind === "incompatible" && verdict.reasons[0].remedy, { kind: "move-cold" });
  });

  it("does not let a declaration that nothing blocks talk over VFIO debugfs", () => {
    const base = profile({ ...ABLE, features: { stopCopy: false } });
    const evidence = { host: "a", source: "declaration", path: "policy file", text: "" } as const;
    const declared = {
      ...base,
      facts: { ...base.facts, qemu_blocked_reasons: { kind: "known", value: "", evidence } },
    } as const;
    assert.deepEqual(linesOf(checkPlatform({ pairs: [pairOf(declared, profile(ABLE))] })), [
      "no migration_unsupported",
    ]);
    const unseen = { ...declared, features: profile({ features: undefined }).features };
    assert.equal(checkPlatform({ pairs: [pairOf(unseen, profile(ABLE))] }).kind, "compatible");
  });

  it("says at which host something is to be upgraded, and never that a running VM's own host is", () => {
    const remedies = (parts: { from?: ProfileParts; to?: ProfileParts }) => {
      const verdict = judge(parts);
      return verdict.kind === "incompatible" ? verdict.reasons.map(({ remedy }) => remedy) : [];
    };
    assert.deepEqual(remedies({ to: facts({ qemu_version: "8.0.5" }) }), [
      { kind: "upgrade-driver", driver: "QEMU", atLeast: "8.1.0", on: "b" },
    ]);
    assert.deepEqual(remedies({ from: facts({ libvirt_version: "8.0.0" }) }), [
      { kind: "upgrade-driver", driver: "libvirt", atLeast: "8.6.0", on: "a" },
    ]);
    assert.deepEqual(remedies({ from: facts({ qemu_version: "8.0.5" }) }), [{ kind: "move-cold" }]);
    assert.deepEqual(remedies({ from: { kernelRelease: "5.17.1" } }), [{ kind: "move-cold" }]);
  });

  it("names the packs whose statements it used", () => {
    const verdict = judge({ from: noFeatures, packs: [packOf({ p2p: true, dirtyTracking: true })] });
    assert.deepEqual(
      verdict.packs.map(({ name, version }) => `${name} ${version}`),
      ["test 1.0.0"],
    );
    assert.deepEqual(judge({ packs: [packOf({})] }).packs, []);
  });

  it("judges every device of the VM", () => {
    const able = pairOf(profile(ABLE), profile({ ...ABLE, host: "b" }));
    const other = { ...able, source: profile({ ...ABLE, id: "second", features: { stopCopy: false } }) };
    assert.equal(checkPlatform({ pairs: [able, other] }).kind, "incompatible");
    assert.equal(checkPlatform({ pairs: [able] }).kind, "compatible");
  });

  it("says nothing of a VM without devices", () => {
    assert.deepEqual(linesOf(checkPlatform({ pairs: [] })), ["missing platform_no_devices"]);
  });

  it("does not fall back on a default where debugfs cannot be read", () => {
    const base = profile(ABLE);
    const torn: MigrationProfile = { ...base, features: unreadable("EACCES", base.features.evidence) };
    assert.deepEqual(linesOf(checkPlatform({ pairs: [pairOf(torn, base)] })), ["missing migration_support_unknown"]);
  });
});

describe("checkPlatform() with --assume-platform", () => {
  const assume = (pair: Pair): Pair => ({ ...pair, policy: { ...STRICT_POLICY, assumePlatform: true } });

  it("says that it assumes, in words", () => {
    const verdict = checkPlatform({ pairs: [assume(pairOf(profile(), profile()))] });
    assert.equal(verdict.kind === "compatible" && verdict.confidence, "assumed");
    assert.match(
      verdict.kind === "compatible" ? verdict.restsOn[0].text : "",
      /platform is not checked.*--assume-platform/,
    );
  });

  it("still tells what it would have refused", () => {
    const blocked = profile({ ...ABLE, features: { stopCopy: false } });
    const verdict = checkPlatform({ pairs: [assume(pairOf(blocked, profile(ABLE)))] });
    assert.deepEqual(linesOf(verdict), ["rests platform_assumed (assumed)", "note platform_skipped"]);
  });

  it("assumes nothing unless all pairs' policies do", () => {
    const pair = pairOf(profile(), profile());
    assert.equal(checkPlatform({ pairs: [assume(pair), pair] }).kind, "undetermined");
  });
});
