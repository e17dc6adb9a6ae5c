// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as paths from "./paths.ts";

const BUILT: Readonly<Record<string, readonly [built: string, path: string]>> = {
  "parentPath() leads to the mdev bus": [paths.parentPath("0000:00:10.0"), "/sys/class/mdev_bus/0000:00:10.0"],
  "typesPath() leads to the types of a parent": [
    paths.typesPath("/sys/devices/virtual/mtty/mtty"),
    "/sys/devices/virtual/mtty/mtty/mdev_supported_types",
  ],
  "typePath() leads to one type": [
    paths.typePath("/sys/class/mdev_bus/mtty", "mtty-2"),
    "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-2",
  ],
  "devicePath() leads to an mdev device": [
    paths.devicePath("aaaaaaaa-0000-4000-8000-000000000001"),
    "/sys/bus/mdev/devices/aaaaaaaa-0000-4000-8000-000000000001",
  ],
  "functionPath() leads to a PCI function": [paths.functionPath("0000:26:00.4"), "/sys/bus/pci/devices/0000:26:00.4"],
  "modulePath() writes underscores": [paths.modulePath("nvidia-vgpu-vfio"), "/sys/module/nvidia_vgpu_vfio"],
  "migrationDebugPath() leads into VFIO debugfs": [
    paths.migrationDebugPath("0000:26:00.4"),
    "/sys/kernel/debug/vfio/0000:26:00.4/migration",
  ],
};

describe("paths", () => {
  for (const [name, [built, path]] of Object.entries(BUILT)) {
    it(name, () => assert.equal(built, path));
  }

  for (const name of ["", ".", "..", "a/b", "/etc", "../..", "a\0", "a".repeat(256)]) {
    it(`refuse the name ${JSON.stringify(name.slice(0, 8))} of ${name.length} characters`, () => {
      const builders = [paths.parentPath, paths.devicePath, paths.functionPath, paths.modulePath];
      for (const build of [...builders, paths.migrationDebugPath]) assert.throws(() => build(name), SyntaxError);
      assert.throws(() => paths.typePath("/sys/class/mdev_bus/mtty", name), SyntaxError);
    });
  }
});
