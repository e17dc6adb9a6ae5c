// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulateHost, type SimulatedHost } from "./host.ts";
import type { MigrationVersionSpec } from "./gvtg-migration-version.ts";

const GPU = "0000:00:02.0";
const UUID = "00000000-0000-4000-8000-000000000001";
const TYPE = `/sys/class/mdev_bus/${GPU}/mdev_supported_types/i915-GVTg_V5_4/migration_version`;
const DEVICE = `/sys/bus/mdev/devices/${UUID}/migration_version`;

function makeHost(migrationVersion?: MigrationVersionSpec): SimulatedHost {
  const version = migrationVersion === undefined ? {} : { migrationVersion };
  return simulateHost({
    name: "h",
    machines: [{ kind: "i915-gvtg", address: GPU, generation: 5, ...version }],
    devices: [{ parent: GPU, type: "i915-GVTg_V5_4", uuid: UUID }],
  });
}

const OK = { kind: "written" };
const EINVAL = { kind: "failed", errno: "EINVAL" };

describe("migration_version", () => {
  it("reads as vendor, device, type and version, at the type and at the device", () => {
    const text = "8086-193b-GVTg_V5_4-00000001\n";
    for (const path of [TYPE, DEVICE]) assert.deepEqual(makeHost(1).tree.read(path, 4096), { kind: "text", text });
  });

  const writes: Readonly<Record<string, readonly [text: string, answer: object, log: readonly string[]]>> = {
    "accepts the very string": ["8086-193b-GVTg_V5_4-00000001", OK, []],
    "does not mind a trailing newline": ["8086-193b-GVTg_V5_4-00000001\n", OK, []],
    "refuses the same number in another spelling": ["8086-193B-GVTg_V5_4-1", EINVAL, ["gvt: vgpu type not matched"]],
    "refuses the same string in upper case": ["8086-193B-GVTg_V5_4-00000001", EINVAL, ["gvt: vgpu type not matched"]],
    "refuses another device": ["8086-1912-GVTg_V5_4-00000001", EINVAL, ["gvt: physical device not matched"]],
    "refuses another vendor": ["10de-193b-GVTg_V5_4-00000001", EINVAL, ["gvt: physical device not matched"]],
    "refuses another version": [
      "8086-193b-GVTg_V5_4-00000002",
      EINVAL,
      ["gvt: migration software version not matched"],
    ],
    "refuses another type": ["8086-193b-GVTg_V5_8-00000001", EINVAL, ["gvt: vgpu type not matched"]],
    "explains hardware before version before type": [
      "8086-1912-GVTg_V5_8-00000002",
      EINVAL,
      ["gvt: physical device not matched"],
    ],
    "explains version before type": [
      "8086-193b-GVTg_V5_8-00000002",
      EINVAL,
      ["gvt: migration software version not matched"],
    ],
    "refuses the string of version 2 of the proposal": [
      "8086-193b-i915-GVTg_V5_4",
      EINVAL,
      ["gvt: wrong string format, probably wrong GVT version"],
    ],
    "refuses what is no such string": ["1.0.0", EINVAL, ["gvt: wrong string format, probably wrong GVT version"]],
  };
  for (const [key, [text, answer, log]] of Object.entries(writes)) {
    it(key, () => {
      for (const path of [TYPE, DEVICE]) {
        const host = makeHost(1);
        assert.deepEqual(host.tree.write(path, text), answer);
        assert.deepEqual(host.listKernelLog(), log);
      }
    });
  }

  it("answers ENODEV to both where the version is invalid", () => {
    const host = makeHost("invalid");
    const line = "gvt: Migration not supported on type GVTg_V5_4. Please search previous detailed log";
    const read = host.tree.read(TYPE, 4096);
    assert.equal(read.kind === "failed" && read.errno, "ENODEV");
    const written = host.tree.write(TYPE, "8086-193b-GVTg_V5_4-ffffffff");
    assert.deepEqual(written, { kind: "failed", errno: "ENODEV" });
    assert.deepEqual(host.listKernelLog(), [line, line]);
  });

  it("is not there in a driver without it", () => {
    const host = makeHost();
    assert.equal(host.tree.read(TYPE, 4096).kind, "absent");
    assert.deepEqual(host.tree.write(DEVICE, "x"), { kind: "failed", errno: "ENOENT" });
  });
});
