// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { profile, type ProfileParts } from "../compatibility/test-profile.ts";
import type { ClaimedDevice } from "./claim.ts";
import { checkFingerprint, fingerprintOf } from "./fingerprint.ts";
import { claimedDevice } from "./test-claim.ts";

const TYPE: ProfileParts = { host: "b", subject: "type", type: "mtty-1", module: "mtty", softwareVersion: "1.2.3" };

function device(parts: ProfileParts = {}): ClaimedDevice {
  const fingerprint = fingerprintOf(profile({ ...TYPE, ...parts }));
  assert.ok(fingerprint !== undefined);
  return claimedDevice(1, { fingerprint });
}

const CASES: Readonly<
  Record<string, { was?: ProfileParts; now: ProfileParts | undefined; changed: readonly string[] }>
> = {
  "is content with the same place": { now: {}, changed: [] },
  "sees another build of the driver": { now: { srcversion: "0123456789ABCDEF" }, changed: ["build"] },
  "sees another kernel": { now: { kernelRelease: "6.13.0" }, changed: ["build"] },
  "sees a build that can no longer be read": { now: { module: undefined }, changed: ["build"] },
  "sees another device API": { now: { deviceApi: "vfio-ap" }, changed: ["deviceApi"] },
  "sees another software version": { now: { softwareVersion: "1.2.4" }, changed: ["softwareVersion"] },
  "sees several changes at once": {
    now: { softwareVersion: undefined, srcversion: "1" },
    changed: ["build", "softwareVersion"],
  },
  "sees another type": { now: { type: "mtty-2" }, changed: ["type"] },
  "sees that the type is gone": { now: undefined, changed: ["type"] },
  "does not compare what was not known when it was claimed": {
    was: { module: undefined, softwareVersion: undefined },
    now: {},
    changed: [],
  },
};

describe("checkFingerprint()", () => {
  for (const [name, { was, now, changed }] of Object.entries(CASES)) {
    it(name, () => {
      const check = checkFingerprint(device(was), now === undefined ? undefined : profile({ ...TYPE, ...now }));
      assert.deepEqual(check.kind === "ok" ? [] : check.what.map(({ part }) => part), changed);
    });
  }

  it("says what was and what is", () => {
    const check = checkFingerprint(device(), profile({ ...TYPE, softwareVersion: "2.0.0" }));
    assert.deepEqual(check.kind === "changed" && check.what, [{ part: "softwareVersion", was: "1.2.3", now: "2.0.0" }]);
    assert.equal(check.kind === "changed" && check.text, "mtty: softwareVersion was 1.2.3 and is 2.0.0 now");
  });
});

describe("fingerprintOf()", () => {
  it("has none without a device API", () => {
    assert.equal(fingerprintOf(profile({ ...TYPE, deviceApi: undefined })), undefined);
  });
});
