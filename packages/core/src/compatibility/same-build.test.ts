// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../device/evidence.ts";
import { compareBuilds, describeBuild } from "./same-build.ts";
import { profile, type ProfileParts } from "./test-profile.ts";

const IDS = { vendor: "10de", device: "25b6", subsystemVendor: "10de", subsystemDevice: "157e" };
const OFF_PCI = { parent: "mtty", pciIds: undefined };

const CASES: Record<string, readonly [ProfileParts, ProfileParts, string]> = {
  "is the same where nothing differs": [{}, {}, "same"],
  "does not mind host, device and parent": [{}, { host: "b", id: "x", parent: "0000:00:11.0" }, "same"],
  "takes equal build-ids over unlike srcversions": [
    { buildId: "1", srcversion: "a" },
    { buildId: "1", srcversion: "b" },
    "same",
  ],
  "takes unlike build-ids over equal srcversions": [{ buildId: "1" }, { buildId: "2" }, "different build"],
  "tells unlike srcversions without build-ids": [{}, { srcversion: "b" }, "different build"],
  "does not know with a build-id on one side alone": [{ buildId: "1" }, {}, "unknown build"],
  "does not know without any build": [{ srcversion: undefined }, { srcversion: undefined }, "unknown build"],
  "does not know an empty srcversion, twice": [{ srcversion: "" }, { srcversion: "" }, "unknown build"],
  "does not know a blank build-id, twice": [{ buildId: " " }, { buildId: " " }, "unknown build"],
  "does not know an empty kernel version, twice": [{ kernelVersion: "" }, { kernelVersion: "" }, "unknown kernel"],
  "does not know an empty module name, twice": [{ module: "" }, { module: "" }, "unknown module"],
  "does not know empty firmware, twice": [{ firmware: "" }, { firmware: "" }, "unknown firmware"],
  "tells another module": [{}, { module: "mtty" }, "different module"],
  "does not know an absent module": [{ module: undefined }, { module: undefined }, "unknown module build"],
  "tells another kernel build of one release": [
    {},
    { kernelVersion: "Linux version 6.12.107+deb13-amd64 #2" },
    "different kernel",
  ],
  "does not need the release": [{ kernelRelease: undefined }, { kernelRelease: undefined }, "same"],
  "does not know without the whole kernel version": [
    { kernelVersion: undefined },
    { kernelVersion: undefined },
    "unknown kernel",
  ],
  "tells another firmware": [{ firmware: "1" }, { firmware: "2" }, "different firmware"],
  "is the same with equal firmware": [{ firmware: "1" }, { firmware: "1" }, "same"],
  "does not know firmware that one side alone shows": [{ firmware: "1" }, {}, "unknown firmware"],
  "tells another PCI device": [{}, { pciIds: { ...IDS, device: "25b7" } }, "different pci-ids"],
  "tells another board of one device": [{}, { pciIds: { ...IDS, subsystemDevice: "157f" } }, "different pci-ids"],
  "needs no PCI ids off the PCI bus": [OFF_PCI, OFF_PCI, "same"],
  "does not know PCI parents without ids": [{ pciIds: undefined }, { pciIds: undefined }, "unknown pci-ids"],
  "does not know ids that one side alone shows": [{}, OFF_PCI, "unknown pci-ids"],
  "lets one difference settle what else is unknown": [{ firmware: "1" }, { srcversion: "b" }, "different build"],
};

describe("compareBuilds()", () => {
  for (const [name, [from, to, wanted]] of Object.entries(CASES)) {
    it(name, () => {
      const found = compareBuilds(profile(from), profile(to));
      assert.equal([found.kind, ...(found.kind === "same" ? [] : found.parts)].join(" "), wanted);
      const back = compareBuilds(profile(to), profile(from));
      assert.equal(back.kind, found.kind);
    });
  }

  it("does not fall back on srcversion where a build-id cannot be read", () => {
    const base = profile();
    if (base.module.kind !== "known") assert.fail("the module is known");
    const torn = {
      ...base,
      module: { ...base.module, value: { ...base.module.value, buildId: unreadable("EIO", base.module.evidence) } },
    };
    assert.equal(compareBuilds(torn, base).kind, "unknown");
    assert.equal(compareBuilds(torn, torn).kind, "unknown");
  });
});

describe("describeBuild()", () => {
  it("names module, build and kernel", () => {
    assert.equal(describeBuild(profile()), "vgpu (srcversion E1739203163186A51FFA353, kernel 6.12.107+deb13-amd64)");
    assert.equal(describeBuild(profile({ buildId: "ab12" })), "vgpu (build-id ab12, kernel 6.12.107+deb13-amd64)");
    assert.equal(describeBuild(profile({ srcversion: undefined })), undefined);
  });
});
