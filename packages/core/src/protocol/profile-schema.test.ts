// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reading } from "../device/evidence.ts";
import { BerthError } from "./berth-error.ts";
import { formatProfileDocument, parseProfileDocument } from "./profile-schema.ts";

const HEAD = { profile: "berth.profile/v1", host: "a", kind: "device", parent: "0000:00:10.0", id: "u" };
const FULL = {
  ...HEAD,
  framework: "mdev",
  driver: "nvidia",
  deviceApi: "vfio-pci",
  type: "nvidia-231",
  softwareVersion: "2.3.1",
  compatibleTypes: ["nvidia-232"],
  compatible: { pci_ids: ["10de:2331"], pv_mode: [] },
  dynamicResources: [{ name: "aggregator", value: "30" }, { name: "fps" }],
  migrationVersion: "opaque 1",
  module: { name: "nvidia", version: "550.1", srcversion: "AB", buildId: "cd", taint: "POE" },
  kernel: { release: "6.12.0", version: "Linux version 6.12.0" },
  firmware: "96.00",
  pciIds: { vendor: "10de", device: "2331", subsystemVendor: "10de", subsystemDevice: "1626" },
  aggregation: { count: 30, attribute: "aggregator", settable: true, max: 60 },
  ap: {
    matrix: ["01.0005", "02.00ff"],
    controlDomains: [5],
    apConfig: { adapters: [1], domains: [5], controlDomains: [5] },
  },
  apBus: {
    queues: [{ apqn: "01.0005", driver: "vfio_ap", hardwareType: 13, cardType: "CEX7C", functions: "0x1" }],
    maxAdapterId: 255,
    features: ["guest_matrix"],
  },
  apTaken: ["02.0006"],
  subchannel: { id: "0.0.0313", type: 0, chpids: ["50"], chpidTypes: ["1a"] },
  features: { stopCopy: true, p2p: false, preCopy: true, dirtyTracking: false },
  facts: { ecc_mode: "enabled" },
};

function textOf(reading: Reading<unknown> | undefined): unknown {
  return reading?.kind === "known" ? reading.value : reading?.kind;
}

function refusal(value: unknown): readonly [string, readonly string[]] {
  try {
    parseProfileDocument(value, "p.json");
  } catch (error) {
    if (error instanceof BerthError) return [error.code, error.details];
    throw error;
  }
  throw new Error("accepted");
}

describe("parseProfileDocument()", () => {
  it("reads every key, and writes it back", () => {
    assert.deepEqual(formatProfileDocument(parseProfileDocument(FULL, "p.json")), FULL);
  });

  it("parses what it reads", () => {
    const profile = parseProfileDocument(FULL, "p.json");
    assert.deepEqual(textOf(profile.attributes.softwareVersion), { major: 2, minor: 3, bugfix: 1 });
    assert.deepEqual(textOf(profile.attributes.dynamicResources), ["aggregator", "fps"]);
    assert.deepEqual([profile.dynamicValues["aggregator"], profile.dynamicValues["fps"]].map(textOf), ["30", "absent"]);
    assert.deepEqual(textOf(profile.ap?.matrix ?? profile.firmware), [
      { adapter: 1, domain: 5 },
      { adapter: 2, domain: 255 },
    ]);
    assert.equal(textOf(profile.ap?.guestMatrix), "absent");
  });

  it("takes a key that is left out for an absent fact, and says where it looked", () => {
    const profile = parseProfileDocument(HEAD, "p.json");
    assert.deepEqual(profile.attributes.softwareVersion, {
      kind: "absent",
      evidence: { host: "a", source: "declaration", path: "p.json#/softwareVersion" },
    });
    assert.equal(profile.kernel.release.evidence.path, "p.json#/kernel/release");
    const readings = [
      profile.vendorDriver,
      profile.deviceApi,
      profile.type,
      profile.module,
      profile.pciIds,
      profile.features,
      profile.aggregation,
    ];
    assert.deepEqual(
      readings.map((reading) => reading.kind),
      readings.map(() => "absent"),
    );
    assert.equal(profile.framework, "mdev");
    for (const key of ["ap", "apBus", "apTaken", "subchannel"]) assert.ok(!Object.hasOwn(profile, key));
  });

  it("keeps the text and the place of what it read", () => {
    const profile = parseProfileDocument({ ...HEAD, facts: { "a.b": 5 }, compatible: { "x/y": ["1"] } }, "p.json");
    assert.deepEqual(profile.facts["a.b"], {
      kind: "known",
      value: "5",
      evidence: { host: "a", source: "declaration", path: "p.json#/facts/a.b", text: "5" },
    });
    assert.equal(profile.attributes.compatible["x/y"]?.evidence.path, "p.json#/compatible/x~1y");
  });

  it("takes a text that does not parse for an unreadable fact", () => {
    const profile = parseProfileDocument(
      { ...HEAD, softwareVersion: "1.x", deviceApi: "vfio-mdev", type: "a/b" },
      "p.json",
    );
    assert.deepEqual(
      [profile.attributes.softwareVersion, profile.deviceApi, profile.type].map((reading) => [
        reading.kind,
        reading.evidence.text,
      ]),
      [
        ["unreadable", "1.x"],
        ["unreadable", "vfio-mdev"],
        ["unreadable", "a/b"],
      ],
    );
  });

  it("takes the file's word that a fact could not be read", () => {
    const profile = parseProfileDocument(
      { ...HEAD, firmware: { unreadable: "EIO", text: "x" }, module: { unreadable: "EACCES" } },
      "p.json",
    );
    assert.deepEqual(profile.firmware, {
      kind: "unreadable",
      why: "EIO",
      evidence: { host: "a", source: "declaration", path: "p.json#/firmware", text: "x" },
    });
    assert.equal(profile.module.kind, "unreadable");
  });

  it("infers the vendor driver from the type, and says so", () => {
    const profile = parseProfileDocument({ ...HEAD, type: "vfio_ap-passthrough" }, "p.json");
    assert.deepEqual([textOf(profile.vendorDriver), profile.vendorDriver.evidence.source], ["vfio_ap", "inferred"]);
    assert.equal(textOf(parseProfileDocument({ ...HEAD, type: "plain" }, "p").vendorDriver), "absent");
    assert.equal(textOf(parseProfileDocument({ ...HEAD, type: "a-1", driver: "b" }, "p").vendorDriver), "b");
  });

  it("takes dynamic resources as an object, in its order", () => {
    const profile = parseProfileDocument({ ...HEAD, dynamicResources: { fps: "60", aggregator: 30 } }, "p.json");
    assert.deepEqual(textOf(profile.attributes.dynamicResources), ["fps", "aggregator"]);
    assert.deepEqual([profile.dynamicValues["fps"], profile.dynamicValues["aggregator"]].map(textOf), ["60", "30"]);
    assert.equal(profile.dynamicValues["aggregator"]?.evidence.path, "p.json#/dynamicResources/aggregator");
  });

  it("has no values at a type", () => {
    const profile = parseProfileDocument(
      { ...HEAD, kind: "type", dynamicResources: [{ name: "aggregator" }] },
      "p.json",
    );
    assert.deepEqual(profile.dynamicValues, {});
    assert.deepEqual(textOf(profile.attributes.dynamicResources), ["aggregator"]);
  });

  it("takes an aggregation that does not say so for one that cannot be set", () => {
    const profile = parseProfileDocument({ ...HEAD, aggregation: { count: 2 } }, "p.json");
    assert.deepEqual(textOf(profile.aggregation), { count: 2, settable: false });
  });

  it("takes a prototype's names for names", () => {
    const profile = parseProfileDocument({ ...HEAD, facts: { constructor: "x" } }, "p.json");
    assert.equal(textOf(profile.facts["constructor"]), "x");
    assert.equal(Object.hasOwn(profile.facts, "toString"), false);
  });

  const CASES: Readonly<Record<string, readonly [unknown, string, string]>> = {
    "refuses a number for a version": [
      { ...HEAD, softwareVersion: 1.2 },
      "profile_malformed",
      "/softwareVersion: expected a text of at most 4096 characters or an object, got 1.2",
    ],
    "refuses a text for a list": [
      { ...HEAD, compatibleTypes: "a" },
      "profile_malformed",
      '/compatibleTypes: expected an array or an object, got "a"',
    ],
    "refuses an unknown key": [
      { ...HEAD, softwareversion: "1.0.0" },
      "profile_malformed",
      '/softwareversion: expected the key softwareVersion, got the unknown key "softwareversion" (did you mean softwareVersion?)',
    ],
    "refuses a profile of nothing": [
      { profile: "berth.profile/v1", host: "a", kind: "device", parent: "p" },
      "profile_malformed",
      "/id: expected a name, 1 to 255 characters, got nothing",
    ],
    "refuses another kind": [
      { ...HEAD, kind: "vm" },
      "profile_malformed",
      '/kind: expected one of "device", "type", got "vm"',
    ],
    "refuses an aggregation of none": [
      { ...HEAD, aggregation: { count: 0 } },
      "profile_malformed",
      "/aggregation/count: expected a number from 1 to 9007199254740991, got 0",
    ],
    "refuses ids in another form": [
      { ...HEAD, pciIds: { vendor: "0x10de", device: "2331", subsystemVendor: "10de", subsystemDevice: "1626" } },
      "profile_malformed",
      '/pciIds/vendor: expected four hexadecimal digits, lower case, got "0x10de"',
    ],
    "refuses a half list of features": [
      { ...HEAD, features: { stopCopy: true, p2p: true, preCopy: true } },
      "profile_malformed",
      "/features/dirtyTracking: expected a boolean, got nothing",
    ],
    "refuses a fact's name in capitals": [
      { ...HEAD, facts: { ECC: "on" } },
      "profile_malformed",
      '/facts/ECC: expected as a key a fact name: lower case, digits, _ . -, at most 64 characters, got "ECC"',
    ],
    "refuses a list for a fact": [
      { ...HEAD, facts: { ecc: ["on"] } },
      "profile_malformed",
      "/facts/ecc: expected a text of at most 4096 characters or a number or a boolean or an object, got an array of 1",
    ],
    "refuses a queue in another form": [
      { ...HEAD, ap: { matrix: ["1.5"] } },
      "profile_malformed",
      '/ap/matrix/0: expected a queue such as 01.0005, hexadecimal, lower case, got "1.5"',
    ],
    "tells another version of the format": [
      { ...HEAD, profile: "berth.profile/v2" },
      "profile_unsupported_version",
      "",
    ],
  };
  for (const [name, [value, code, line]] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(refusal(value), [code, line === "" ? [] : [line]]));
  }

  it("takes a domain beyond 255 for an unreadable matrix", () => {
    const profile = parseProfileDocument({ ...HEAD, ap: { matrix: ["01.0100"] } }, "p.json");
    assert.equal(profile.ap?.matrix.kind, "unreadable");
  });
});
