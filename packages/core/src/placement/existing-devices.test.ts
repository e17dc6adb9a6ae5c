// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_MEMORY } from "../compatibility/pair.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import type { DeviceUse } from "../device/device-use.ts";
import type { HostSnapshot } from "../device/host-snapshot.ts";
import { fleetOf } from "../inventory/fleet.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import { checkPair } from "./check-pair.ts";
import { findCandidates } from "./find-candidates.ts";
import { testSnapshot, type TestDevice } from "./test-fleet.ts";

const SOURCE = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";

function host(name: string, devices: readonly TestDevice[], version = "1.5.0"): HostSnapshot {
  const types = ["drv-a", "drv-b"].map((id) => ({ id, available: 1, version }));
  return testSnapshot({ host: name, parents: [{ id: "p", types }], devices });
}

const AT = { host: "h", source: "sysfs", path: "/proc/7/fd/3" } as const;
const OPENED: DeviceUse = {
  device: OTHER,
  user: { kind: "process", pid: 7, command: "dpdk", how: "open-file" },
  evidence: AT,
};

function existingOn(snapshot: HostSnapshot): readonly string[] {
  const source = host("src", [{ id: SOURCE, parent: "p", type: "drv-a" }]);
  const policy = { ...STRICT_POLICY, assumePlatform: true };
  const fleet = fleetOf({ snapshots: [source, snapshot], packs: [], policy });
  const answer = findCandidates(fleet, { source: { host: "src", device: SOURCE }, strategy: "pack" });
  return answer.existing.map(({ host: name, device }) => `${name}:${device}`);
}

const like = host("h", [{ id: OTHER, parent: "p", type: "drv-a" }]);

const CASES: Readonly<Record<string, { readonly on: HostSnapshot; readonly named: boolean }>> = {
  "names an unused device of the same type": { on: like, named: true },
  "does not name one that somebody uses": { on: { ...like, uses: [OPENED] }, named: false },
  "does not name one of which it is not known": { on: { ...like, unseenUsers: ["no process is shown"] }, named: false },
  "does not name one of another type": { on: host("h", [{ id: OTHER, parent: "p", type: "drv-b" }]), named: false },
  "does not name one that cannot take the state": {
    on: host("h", [{ id: OTHER, parent: "p", type: "drv-a" }], "1.4.0"),
    named: false,
  },
};

describe("findExistingDevices()", () => {
  for (const [name, { on, named }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(existingOn(on), named ? [`h:${OTHER}`] : []));
  }
});

describe("checkPair() with an existing device", () => {
  const source = profileOfDevice(host("src", [{ id: SOURCE, parent: "p", type: "drv-a" }]), SOURCE, STRICT_POLICY);
  const destination = profileOfDevice(like, OTHER, STRICT_POLICY);
  assert.ok(source !== undefined && destination !== undefined);
  const pair = { source, destination, policy: STRICT_POLICY, packs: [], memory: NO_MEMORY };
  const to = { pools: [], host: "h", device: OTHER };

  it("has no room while somebody uses it", () => {
    const { room, roomText } = checkPair(pair, { ...to, usage: { kind: "used", text: "in use by VM web1 (pid 42)" } });
    assert.deepEqual(room, { atLeast: 0, atMost: 0 });
    assert.equal(roomText, "the device exists; in use by VM web1 (pid 42)");
  });

  it("says whether it is unused, and needs no room", () => {
    const { room, roomText } = checkPair(pair, { ...to, usage: { kind: "unused", text: "unused" } });
    assert.deepEqual([room, roomText], [undefined, "the device exists; unused"]);
  });
});
