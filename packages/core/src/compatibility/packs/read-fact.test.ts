// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { known, unreadable } from "../../device/evidence.ts";
import type { MigrationProfile } from "../../device/migration-profile.ts";
import { readAliasedFact, readFact, WELL_KNOWN_FACTS } from "./read-fact.ts";
import { profileFromFacts } from "./vectors.ts";

const AT = { host: "a", source: "script", path: "facts.d/x" } as const;
const FULL = {
  type: "mtty-1",
  device_api: "vfio-pci",
  driver_module: "mtty",
  module_version: "0.1",
  module_srcversion: "ABC",
  kernel_release: "6.12.0",
  pci_vendor: "10de",
  pci_device: "26b9",
  pci_subsystem_vendor: "10de",
  pci_subsystem_device: "1851",
  software_version: "1.2.3",
  firmware: "96.00",
  os: "rhel 9.6",
};

function textOf(profile: MigrationProfile, name: string): string | undefined {
  const reading = readFact(profile, name);
  return reading.kind === "known" ? reading.value : undefined;
}

/** The profile's fields without its facts, so that only the fields can answer. */
function fieldsOnly(profile: MigrationProfile): MigrationProfile {
  const { os } = profile.facts;
  return { ...profile, facts: os === undefined ? {} : { os } };
}

describe("readFact()", () => {
  it("reads every well-known name from the profile's own fields", () => {
    const profile = fieldsOnly(profileFromFacts("a", FULL));
    const read = Object.fromEntries(WELL_KNOWN_FACTS.map((name) => [name, textOf(profile, name)]));
    const { os: _, ...expected } = FULL;
    assert.deepEqual(read, { ...expected, os_id: "rhel", os_version: "9.6" });
  });

  it("reads any other name from the facts", () => {
    const profile = profileFromFacts("a", { ecc_mode: "enabled" });
    assert.equal(textOf(profile, "ecc_mode"), "enabled");
  });

  it("does not let a fact talk over a field", () => {
    const profile = profileFromFacts("a", { type: "mtty-1" });
    const lying = { ...profile, facts: { type: known("mtty-2", AT) } };
    assert.equal(textOf(lying, "type"), "mtty-1");
  });

  it("takes a fact where the field is absent", () => {
    const profile = { ...profileFromFacts("a", {}), facts: { firmware: known("1.0", AT) } };
    assert.equal(textOf(profile, "firmware"), "1.0");
  });

  it("does not take a fact where the field is unreadable", () => {
    const profile = {
      ...profileFromFacts("a", {}),
      firmware: unreadable("EIO", AT),
      facts: { firmware: known("1", AT) },
    };
    assert.equal(readFact(profile, "firmware").kind, "unreadable");
  });

  it("finds nothing on a prototype", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      assert.equal(readFact(profileFromFacts("a", {}), name).kind, "absent");
    }
  });

  it("has no version of an operating system without one", () => {
    const profile = profileFromFacts("a", { os: "arch" });
    assert.equal(textOf(profile, "os_id"), "arch");
    assert.equal(textOf(profile, "os_version"), "");
  });
});

describe("readAliasedFact()", () => {
  it("looks the alias up only where the fact is absent", () => {
    const aliases = { wanted: "other" };
    const both = profileFromFacts("a", { wanted: "1", other: "2" });
    const alias = profileFromFacts("a", { other: "2" });
    assert.equal(readAliasedFact(both, "wanted", aliases).kind, "known");
    assert.deepEqual(
      [both, alias]
        .map((profile) => readAliasedFact(profile, "wanted", aliases))
        .map((reading) => (reading.kind === "known" ? reading.value : reading.kind)),
      ["1", "2"],
    );
  });
  it("knows no alias on a prototype", () => {
    assert.equal(readAliasedFact(profileFromFacts("a", {}), "constructor", {}).kind, "absent");
  });
});
