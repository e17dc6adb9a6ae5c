// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isQemu, readQemuArguments, type QemuFacts } from "./qemu-command-line.ts";

const UUID = "aaaaaaaa-0000-4000-8000-000000000001";

const CASES: Readonly<Record<string, { readonly args: readonly string[]; readonly facts: Partial<QemuFacts> }>> = {
  "reads a name with commas in it": { args: ["-name", "guest=a,,b,debug-threads=on"], facts: { name: "a,b" } },
  "reads a name without its key": { args: ["-name", "db1"], facts: { name: "db1" } },
  "takes the name of the guest, not of the process": {
    args: ["-name", "guest=db1,process=qemu-db1"],
    facts: { name: "db1" },
  },
  "reads options with two dashes": { args: ["--uuid", UUID.toUpperCase()], facts: { uuid: UUID } },
  "takes the UUID of the firmware where there is no other": {
    args: ["-smbios", `type=1,uuid=${UUID}`],
    facts: { uuid: UUID },
  },
  "reads memory in MiB by default": { args: ["-m", "2048,slots=4,maxmem=8G"], facts: { memoryKib: 2_097_152 } },
  "reads memory with a suffix": { args: ["-m", "size=4G"], facts: { memoryKib: 4_194_304 } },
  "takes no memory from what is none": { args: ["-m", "lots"], facts: {} },
  "finds an mdev by its path": {
    args: ["-device", `vfio-pci,sysfsdev=/sys/bus/mdev/devices/${UUID}/`],
    facts: { devices: [UUID] },
  },
  "finds queues and subchannels of s390": {
    args: [
      "-device",
      `vfio-ap,sysfsdev=/sys/devices/vfio_ap/matrix/${UUID}`,
      "-device",
      `vfio-ccw,sysfsdev=/x/${UUID}`,
    ],
    facts: { devices: [UUID] },
  },
  "finds a device in JSON": {
    args: ["-device", `{"driver":"vfio-pci","host":"0000:AF:00.1"}`],
    facts: { devices: ["0000:af:00.1"] },
  },
  "passes over other devices and broken JSON": {
    args: ["-device", "virtio-net-pci,host=00:01.0", "-device", "{", "-device", "[]"],
    facts: {},
  },
  "names a host device that it does not understand": {
    args: ["-device", "vfio-pci,host=first"],
    facts: { unread: ["vfio-pci,host=first"] },
  },
  "leaves a descriptor that was handed over to the open files": { args: ["-device", "vfio-pci,fd=35"], facts: {} },
  "survives keys that objects have": {
    args: ["-name", "__proto__=x,constructor=y", "-device", `{"__proto__":1}`],
    facts: {},
  },
};

describe("readQemuArguments()", () => {
  for (const [name, { args, facts }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(readQemuArguments(args), { devices: [], unread: [], ...facts }));
  }
});

describe("isQemu()", () => {
  const programs: Readonly<Record<string, readonly [args: readonly string[], is: boolean]>> = {
    "knows QEMU by its name": [["/usr/libexec/qemu-kvm"], true],
    "knows QEMU by the machine in its name": [["qemu-system-s390x", "-S"], true],
    "knows another build of it by its devices": [["/opt/vmm", "-device", `vfio-pci,sysfsdev=/x/${UUID}`], true],
    "does not take its tools for it": [["/usr/bin/qemu-img", "info"], false],
    "does not take a shell that speaks of it": [["sh", "-c", "qemu-system-x86_64"], false],
    "takes no kernel thread": [[], false],
  };
  for (const [name, [args, is]] of Object.entries(programs)) it(name, () => assert.equal(isQemu(args), is));
});
