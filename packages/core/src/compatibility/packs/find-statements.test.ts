// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../../device/evidence.ts";
import { findMigrationStatement, findStreamVersion } from "./find-statements.ts";
import type { DriverPack, LoadedPack, PackMigration } from "./pack.ts";
import { profileFromFacts } from "./vectors.ts";

const SAID = { from: "x", tried: "source-read" } as const;
const OLD: PackMigration = { ...SAID, supported: false, kernelBelow: "6.7", text: "old" };
const NEW: PackMigration = { ...SAID, supported: true, kernelAtLeast: "6.7", kernelBelow: "7", text: "new" };

function packOf(name: string, more: Partial<DriverPack>): LoadedPack {
  const base = { pack: "berth.driver-pack/v1", name, version: "1.0.0", title: name, rules: [] } as const;
  return { pack: { ...base, match: { driverPrefixes: ["mtty"] }, ...more }, digest: `sha256:${name}` };
}

function profile(kernel: string | undefined): ReturnType<typeof profileFromFacts> {
  return profileFromFacts("a", { type: "mtty-1", ...(kernel !== undefined && { kernel_release: kernel }) });
}

function say(found: ReturnType<typeof findMigrationStatement>): string {
  return found.kind === "statement" ? found.statement.text : found.kind;
}

describe("findMigrationStatement()", () => {
  const PACK = packOf("p", { migration: [OLD, NEW] });
  it("takes the statement whose range holds the kernel", () => {
    assert.equal(say(findMigrationStatement(profile("6.6.99"), [PACK])), "old");
    assert.equal(say(findMigrationStatement(profile("6.12.1-x"), [PACK])), "new");
  });
  it("does not know beyond the ranges", () =>
    assert.equal(say(findMigrationStatement(profile("7.0"), [PACK])), "unknown"));
  it("does not know of an unknown kernel", () => {
    assert.equal(say(findMigrationStatement(profile(undefined), [PACK])), "unknown");
  });
  it("needs no kernel for a statement without a range", () => {
    const pack = packOf("p", { migration: [{ ...SAID, supported: false, text: "never" }] });
    assert.equal(say(findMigrationStatement(profile(undefined), [pack])), "never");
  });
  it("does not know what is doubtful, and does not look behind it", () => {
    const pack = packOf("p", { migration: [{ ...NEW, doubtful: true }, NEW] });
    assert.deepEqual(findMigrationStatement(profile("6.12"), [pack]), {
      kind: "unknown",
      why: "Pack p is doubtful here, only read about: new",
    });
  });
  it("does not know of a driver without a pack", () => {
    const found = findMigrationStatement(profileFromFacts("a", { type: "x-1" }), [PACK]);
    assert.deepEqual(found, { kind: "unknown", why: "No pack speaks for this driver" });
  });
  it("goes on to the next pack where the first says nothing for the kernel", () => {
    const packs = [packOf("first", { migration: [OLD] }), packOf("silent", {}), packOf("third", { migration: [NEW] })];
    const found = findMigrationStatement(profile("6.12"), packs);
    assert.equal(found.kind === "statement" ? found.pack.pack.name : undefined, "third");
  });
  it("does not go past a pack that it cannot decide", () => {
    const at = { host: "a", source: "sysfs", path: "/sys" } as const;
    const subject = { ...profile("6.12"), pciIds: unreadable("EIO", at) };
    const open = packOf("open", { match: { pciVendors: ["10de"] }, migration: [OLD] });
    assert.equal(say(findMigrationStatement(subject, [open, PACK])), "unknown");
    assert.equal(say(findMigrationStatement(subject, [packOf("x", { match: { pciVendors: ["10de"] } }), PACK])), "new");
  });
  it("takes a bound that it cannot read for no kernel at all", () => {
    const pack = packOf("p", { migration: [{ ...NEW, kernelAtLeast: "six" }] });
    assert.equal(say(findMigrationStatement(profile("6.12"), [pack])), "unknown");
  });
});

describe("findStreamVersion()", () => {
  const VERSIONS = [{ ...SAID, version: "1.2.3", kernelAtLeast: "6.7" }];
  it("states the version with its source", () => {
    const pack = packOf("p", { streamVersions: VERSIONS });
    assert.deepEqual(findStreamVersion(profile("6.12"), [pack]), {
      kind: "version",
      version: { major: 1, minor: 2, bugfix: 3 },
      from: "x",
      pack,
    });
  });
  it("states none below the range", () => {
    assert.deepEqual(findStreamVersion(profile("6.6"), [packOf("p", { streamVersions: VERSIONS })]), { kind: "none" });
  });
  it("states none without a pack that says any", () => {
    assert.deepEqual(findStreamVersion(profile("6.6"), [packOf("p", {})]), { kind: "none" });
  });
  it("does not know of an unknown kernel", () => {
    assert.equal(findStreamVersion(profile(undefined), [packOf("p", { streamVersions: VERSIONS })]).kind, "unknown");
  });
  it("does not know a malformed version", () => {
    const pack = packOf("p", { streamVersions: [{ ...SAID, version: "one" }] });
    assert.equal(findStreamVersion(profile("6.12"), [pack]).kind, "unknown");
  });
});
