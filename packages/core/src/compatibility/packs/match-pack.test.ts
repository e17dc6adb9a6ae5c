// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reading } from "../../device/evidence.ts";
import { absent, known, unreadable } from "../../device/evidence.ts";
import type { Matched, PackSubject } from "./match-pack.ts";
import { findPack, layerPacks, matchPack, packSubjectOf } from "./match-pack.ts";
import type { LoadedPack, PackMatch } from "./pack.ts";
import { profileFromFacts } from "./vectors.ts";

const AT = { host: "a", source: "sysfs", path: "/sys" } as const;
const GONE: Reading<never> = absent(AT);
const BROKEN: Reading<never> = unreadable("no", AT);

function packOf(name: string, match: PackMatch): LoadedPack {
  const pack = { pack: "berth.driver-pack/v1", name, version: "1.0.0", title: name, match, rules: [] } as const;
  return { pack, digest: `sha256:${name}` };
}

function ids(vendor: string): NonNullable<PackSubject["pciIds"]> {
  return known({ vendor, device: "0001", subsystemVendor: "0000", subsystemDevice: "0000" }, AT);
}

const VENDOR = packOf("v", { driverPrefixes: ["nvidia"], pciVendors: ["10de"] });

describe("matchPack()", () => {
  const CASES: Readonly<Record<string, readonly [PackMatch, PackSubject, Matched]>> = {
    "matches when every field holds": [
      VENDOR.pack.match,
      { driverPrefix: known("nvidia", AT), pciIds: ids("10de") },
      "yes",
    ],
    "does not match another vendor's device": [
      VENDOR.pack.match,
      { driverPrefix: known("nvidia", AT), pciIds: ids("1234") },
      "no",
    ],
    "does not match off the PCI bus": [VENDOR.pack.match, { driverPrefix: known("nvidia", AT), pciIds: GONE }, "no"],
    "does not know where the ids are unreadable": [
      VENDOR.pack.match,
      { driverPrefix: known("nvidia", AT), pciIds: BROKEN },
      "unknown",
    ],
    "does not know where nobody looked": [VENDOR.pack.match, { driverPrefix: known("nvidia", AT) }, "unknown"],
    "does not match on one field, whatever is unknown": [
      VENDOR.pack.match,
      { driverPrefix: known("i915", AT), pciIds: BROKEN },
      "no",
    ],
    "matches one item of a list": [{ driverPrefixes: ["a", "b"] }, { driverPrefix: known("b", AT) }, "yes"],
    "matches a module": [{ modules: ["mtty"] }, { module: known("mtty", AT) }, "yes"],
    "does not know by a module that sysfs does not lead to": [
      { driverPrefixes: ["nvidia"], modules: ["nvidia"] },
      { driverPrefix: known("nvidia", AT), module: GONE },
      "unknown",
    ],
    "does not match another driver's device, whatever its module is": [
      { driverPrefixes: ["nvidia"], modules: ["nvidia"] },
      { driverPrefix: known("i915", AT), module: GONE },
      "no",
    ],
    "matches a device_api": [{ deviceApis: ["vfio-ap"] }, { deviceApi: known("vfio-ap", AT) }, "yes"],
    "matches nothing by an empty match": [{}, { driverPrefix: known("a", AT) }, "no"],
    "does not know a prototype's names": [{ driverPrefixes: ["a"] }, { driverPrefix: known("constructor", AT) }, "no"],
  };
  for (const [name, [match, subject, expected]] of Object.entries(CASES)) {
    it(name, () => assert.equal(matchPack(packOf("p", match), subject), expected));
  }
});

describe("packSubjectOf()", () => {
  it("takes the module's name from its build", () => {
    const subject = packSubjectOf(profileFromFacts("a", { type: "mtty-1", driver_module: "mtty" }));
    assert.equal(subject.module?.kind === "known" ? subject.module.value : undefined, "mtty");
    assert.equal(subject.driverPrefix?.kind === "known" ? subject.driverPrefix.value : undefined, "mtty");
    assert.equal(subject.pciIds?.kind, "absent");
  });
  it("takes absent PCI ids of a parent on the PCI bus for ids that nobody has read", () => {
    const bare = profileFromFacts("a", { type: "nvidia-231" });
    const onPci = { ...bare, subject: { ...bare.subject, parent: "0000:3b:00.0" } };
    assert.equal(matchPack(VENDOR, packSubjectOf(onPci)), "unknown");
    assert.equal(matchPack(VENDOR, packSubjectOf(bare)), "no");
  });
});

describe("findPack()", () => {
  const MTTY = packOf("mtty", { driverPrefixes: ["mtty"] });
  it("finds the first that matches", () => {
    const again = packOf("mtty-again", { driverPrefixes: ["mtty"] });
    assert.deepEqual(findPack({ driverPrefix: known("mtty", AT), pciIds: GONE }, [VENDOR, MTTY, again]), {
      kind: "pack",
      pack: MTTY,
    });
  });
  it("finds none", () => assert.deepEqual(findPack({ driverPrefix: known("x", AT) }, [MTTY]), { kind: "none" }));
  it("does not go past one that it cannot decide", () => {
    const found = findPack({ driverPrefix: known("nvidia", AT), pciIds: BROKEN }, [VENDOR, MTTY]);
    assert.deepEqual(found, {
      kind: "unknown",
      why: "Whether pack v applies is not known: the PCI vendor could not be read",
    });
  });
});

describe("layerPacks()", () => {
  it("puts the operator's packs first and replaces those of the same name", () => {
    const below = [packOf("a", { modules: ["a"] }), packOf("b", { modules: ["b"] })];
    const above = [packOf("b", { modules: ["mine"] })];
    assert.deepEqual(layerPacks(below, above), [above[0], below[0]]);
  });
});
