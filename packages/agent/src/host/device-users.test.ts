// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Use } from "../provision/effects.ts";
import { findDeviceUse } from "./device-users.ts";
import { openMemoryTree } from "./memory-tree.ts";
import type { MemoryEntry } from "./memory-tree.ts";
import type { SysfsTree } from "./sysfs-tree.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const FUNCTION = "0000:08:00.4";
const FOLDER = `/sys/devices/pci0000:00/gpu/${UUID}`;

const HOST: Readonly<Record<string, MemoryEntry>> = {
  [`/sys/bus/mdev/devices/${UUID}`]: { kind: "link", target: FOLDER },
  [`${FOLDER}/iommu_group`]: { kind: "link", target: "/sys/kernel/iommu_groups/12" },
  [`${FOLDER}/vfio-dev/vfio3/dev`]: "511:3\n",
  "/sys/kernel/iommu_groups/12": { kind: "directory" },
  [`/sys/bus/pci/devices/${FUNCTION}/iommu_group`]: { kind: "link", target: "/sys/kernel/iommu_groups/7" },
  "/sys/kernel/iommu_groups/7": { kind: "directory" },
  "/proc/2/comm": "kthreadd\n",
  "/proc/2/cmdline": "",
  "/proc/2/fd/0": "",
  "/proc/42/fd/0": "",
  "/proc/42/cmdline": "/usr/bin/thing\0--verbose\0",
};

function qemu(...args: readonly string[]): MemoryEntry {
  return ["/usr/bin/qemu-system-x86_64", "-name", "guest=web", ...args, ""].join("\0");
}

interface Case {
  readonly with: Readonly<Record<string, MemoryEntry>>;
  readonly without?: string;
  readonly of?: string;
  readonly use: Use["kind"];
  readonly says?: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  "calls a device free that nobody has open": { with: {}, use: "free" },
  "sees the group's file held open": {
    with: { "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/12" } },
    use: "in-use",
    says: /process thing \(pid 42\)/,
  },
  "sees the device's own file held open": {
    with: { "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/devices/vfio3" } },
    use: "in-use",
  },
  "sees the group's file of a process in a jail": {
    with: { "/proc/42/fd/9": { kind: "link", target: "/srv/jail/42/root/dev/vfio/12" } },
    use: "in-use",
  },
  "sees a file that was unlinked and is open": {
    with: { "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/12 (deleted)" } },
    use: "in-use",
  },
  "cannot tell where a process holds a device without its group": {
    with: { "/proc/42/fd/9": { kind: "link", target: "anon_inode:[vfio-device]" } },
    use: "unknown",
  },
  "can tell where a process holds devices with a group": {
    with: {
      "/proc/42/fd/8": { kind: "link", target: "/dev/vfio/7" },
      "/proc/42/fd/9": { kind: "link", target: "anon_inode:[vfio-device]" },
    },
    use: "free",
  },
  "does not take another group's file for this one": {
    with: { "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/7" } },
    use: "free",
  },
  "sees a QEMU that was started with it": {
    with: { "/proc/42/cmdline": qemu("-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID}`) },
    use: "in-use",
    says: /VM web \(pid 42\)/,
  },
  "sees a QEMU that holds a function's group": {
    with: { "/proc/42/cmdline": qemu(), "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/7" } },
    of: FUNCTION,
    use: "in-use",
  },
  "does not count a stored definition": {
    with: { [`/etc/mdevctl.d/gpu/${UUID}`]: '{"mdev_type":"t-1","start":"auto"}' },
    use: "free",
  },
  "cannot tell where open files of a process are closed to view": {
    with: { "/proc/42/fd": { kind: "directory", errno: "EACCES" } },
    use: "unknown",
    says: /open files of 1 of 2 processes/,
  },
  "cannot tell where the processes may not be all": { with: {}, without: "/proc/2/comm", use: "unknown" },
  "cannot tell where the group cannot be read": {
    with: { [`${FOLDER}/iommu_group`]: { kind: "link", target: `${FOLDER}/iommu_group` } },
    use: "unknown",
    says: /ELOOP/,
  },
  "cannot tell where the group is no group": {
    with: { [`${FOLDER}/iommu_group`]: { kind: "link", target: "/sys/kernel/x" } },
    use: "unknown",
  },
  "finds no user of a device that is not there": { with: {}, of: "93b8f4f2-509f-382f-3c1e-e6bfe0fa1001", use: "free" },
  "cannot tell of what is no identity": { with: {}, of: "../x", use: "unknown" },
};

describe("findDeviceUse()", () => {
  for (const [name, { with: added, without, of = UUID, use, says = /(?:)/ }] of Object.entries(CASES)) {
    it(name, () => {
      const entries = new Map(Object.entries({ ...HOST, ...added }));
      if (without !== undefined) entries.delete(without);
      const found = findDeviceUse(openMemoryTree(entries), of);
      assert.equal(found.kind, use, JSON.stringify(found));
      assert.match(JSON.stringify(found), says);
    });
  }

  const CLOSED = {
    "cannot tell where an open file is closed to view": ["/proc/42/fd/9", "EACCES", "unknown"],
    "cannot tell where /dev/vfio is closed to view": ["/dev/vfio", "EACCES", "unknown"],
    "can tell where a file elsewhere is closed to view": ["/run/user/1000/doc", "EACCES", "free"],
    "can tell where a process has ended": ["/proc/42/fd/9", "ESRCH", "free"],
  } as const;
  for (const [name, [at, errno, use]] of Object.entries(CLOSED)) {
    it(name, () => {
      const entries = { ...HOST, "/proc/42/fd/9": { kind: "link", target: "/dev/vfio/12" } as const };
      const tree = openMemoryTree(Object.entries(entries));
      const why = `reading ${at} fails with ${errno}`;
      const resolve: SysfsTree["resolve"] = (path) =>
        path === "/proc/42/fd/9" ? { kind: "failed", errno, why } : tree.resolve(path);
      assert.equal(findDeviceUse({ ...tree, resolve }, UUID).kind, use);
    });
  }
});
