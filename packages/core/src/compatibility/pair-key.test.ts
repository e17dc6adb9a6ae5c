// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../device/evidence.ts";
import { pairKey } from "./pair-key.ts";
import { pairOf, profile, type ProfileParts } from "./test-profile.ts";

const VERSIONED: ProfileParts = { migrationVersion: "v1" };
const keyOf = (from: ProfileParts, to: ProfileParts) => pairKey(pairOf(profile(from), profile(to)));

/** What changes the key of two classes with migration_version, by the end it is changed at. */
const CHANGES: readonly (readonly ["source" | "destination", ProfileParts, boolean])[] = [
  ["destination", { srcversion: "b" }, true],
  ["destination", { buildId: "b" }, true],
  ["destination", { kernelVersion: "another" }, true],
  ["destination", { type: "nvidia-232" }, true],
  ["destination", { module: "mtty" }, true],
  [
    "destination",
    { pciIds: { vendor: "10de", device: "25b7", subsystemVendor: "10de", subsystemDevice: "157e" } },
    true,
  ],
  ["destination", { migrationVersion: "v2" }, true],
  ["source", { migrationVersion: "v2" }, true],
  ["destination", { host: "c", id: "y", parent: "0000:01:00.0" }, false],
  ["source", { host: "c", id: "y", kernelVersion: "another", srcversion: "b" }, false],
];

describe("pairKey() with migration_version", () => {
  const base = keyOf(VERSIONED, VERSIONED);
  for (const [end, parts, changes] of CHANGES) {
    it(`${changes ? "tells" : "does not tell"} ${Object.keys(parts).join()} of the ${end} apart`, () => {
      const changed = { ...VERSIONED, ...parts };
      const key = end === "source" ? keyOf(changed, VERSIONED) : keyOf(VERSIONED, changed);
      assert.equal(typeof key, "string");
      assert.equal(key !== base, changes);
    });
  }

  it("has a direction", () => {
    assert.notEqual(
      keyOf({ migrationVersion: "a" }, { migrationVersion: "b" }),
      keyOf({ migrationVersion: "b" }, { migrationVersion: "a" }),
    );
  });

  it("is canonical JSON", () => {
    assert.deepEqual(JSON.parse(base ?? ""), [
      "migration_version",
      [
        "vgpu",
        "srcversion E1739203163186A51FFA353",
        profile().kernel.version.kind === "known"
          ? "Linux version 6.12.107+deb13-amd64 (debian-kernel) #1 SMP Debian 6.12.107-1"
          : "",
        "nvidia-231",
        "10de:25b6:10de:157e",
      ],
      "v1",
      "v1",
    ]);
  });
});

describe("pairKey() without migration_version", () => {
  it("tells the source's own build apart", () => {
    assert.notEqual(keyOf({}, {}), keyOf({ srcversion: "b" }, {}));
    assert.notEqual(keyOf({}, {}), keyOf({ kernelVersion: "b" }, {}));
    assert.notEqual(keyOf({}, {}), keyOf({}, { firmware: "1" }));
    assert.notEqual(keyOf({ firmware: "1" }, {}), keyOf({}, { firmware: "1" }));
  });

  for (const [name, parts] of Object.entries<ProfileParts>({
    "a module": { module: undefined },
    "a build": { srcversion: undefined },
    "a kernel": { kernelVersion: undefined },
    "a type": { type: undefined },
    "PCI ids of a PCI parent": { pciIds: undefined },
  })) {
    it(`names no class without ${name}`, () => {
      assert.equal(keyOf(parts, {}), undefined);
      assert.equal(keyOf({}, parts), undefined);
    });
  }

  it("names a class off the PCI bus", () => {
    assert.equal(typeof keyOf({ parent: "mtty", pciIds: undefined }, { parent: "mtty", pciIds: undefined }), "string");
  });

  it("names no class where one side alone has a string, or a part cannot be read", () => {
    assert.equal(keyOf(VERSIONED, {}), undefined);
    assert.equal(keyOf({}, VERSIONED), undefined);
    const base = profile();
    const torn = { ...base, firmware: unreadable("EIO", base.firmware.evidence) };
    assert.equal(pairKey(pairOf(torn, base)), undefined);
  });
});

describe("pairKey() of a class that has no name", () => {
  for (const parts of [{ srcversion: "" }, { kernelVersion: " " }, { module: "" }]) {
    it(`is undefined with an empty ${Object.keys(parts).join()}`, () => {
      assert.equal(keyOf({}, parts), undefined);
      assert.equal(keyOf(parts, {}), undefined);
    });
  }
});
