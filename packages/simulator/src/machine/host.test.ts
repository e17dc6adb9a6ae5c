// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listTree } from "../tree/list-tree.ts";
import { simulateHost, withFault, type SimulatedHostSpec } from "./host.ts";
import { formatBuildIdNote } from "./kernel-module.ts";

const SPEC: SimulatedHostSpec = {
  name: "node-1",
  kernel: { release: "5.14.0-570.el9.x86_64", version: "Linux version 5.14.0-570.el9.x86_64 (builder) #1 SMP" },
  os: { id: "rhel", versionId: "9.6", prettyName: "Red Hat Enterprise Linux 9.6 (Plow)" },
  modules: [{ name: "mtty", version: "0.2", srcversion: "ABCDEF", buildId: "00ff10", taint: "OE" }],
  machines: [
    { kind: "mtty" },
    {
      kind: "pci-function",
      address: "0000:5e:00.1",
      vendor: "15b3",
      device: "101e",
      classCode: "020000",
      numaNode: 1,
      iommuGroup: 0,
      behind: ["0000:00:03.0", "0000:5d:00.0"],
      driver: { name: "mlx5_vfio_pci", module: "mlx5_vfio_pci" },
    },
  ],
  devices: [
    { parent: "mtty", type: "mtty-2" },
    { parent: "mtty", type: "mtty-1" },
  ],
};

const MTTY_TYPES = "/sys/class/mdev_bus/mtty/mdev_supported_types";

describe("simulateHost()", () => {
  const host = simulateHost(SPEC);
  const text = (path: string) => {
    const read = host.tree.read(path, 4096);
    return read.kind === "text" ? read.text : read.kind;
  };

  const texts: Readonly<Record<string, string>> = {
    "/proc/version": "Linux version 5.14.0-570.el9.x86_64 (builder) #1 SMP\n",
    "/proc/sys/kernel/osrelease": "5.14.0-570.el9.x86_64\n",
    "/etc/os-release": 'PRETTY_NAME="Red Hat Enterprise Linux 9.6 (Plow)"\nVERSION_ID="9.6"\nID=rhel\n',
    "/sys/module/mtty/version": "0.2\n",
    "/sys/module/mtty/srcversion": "ABCDEF\n",
    "/sys/module/mtty/taint": "OE\n",
    "/sys/module/mtty/initstate": "live\n",
    "/sys/module/mdev/taint": "\n",
    "/sys/module/mlx5_vfio_pci/version": "absent",
    "/sys/bus/pci/devices/0000:5e:00.1/vendor": "0x15b3\n",
    "/sys/bus/pci/devices/0000:5e:00.1/class": "0x020000\n",
    "/sys/bus/pci/devices/0000:5e:00.1/numa_node": "1\n",
    "/sys/bus/pci/devices/0000:5e:00.1/driver/module/initstate": "live\n",
    "/sys/bus/pci/devices/0000:5d:00.0/class": "0x060400\n",
  };
  for (const [path, expected] of Object.entries(texts)) it(`shows ${path}`, () => assert.equal(text(path), expected));

  it("puts a function behind its bridges", () => {
    const path = "/sys/devices/pci0000:00/0000:00:03.0/0000:5d:00.0/0000:5e:00.1";
    assert.deepEqual(host.tree.resolve("/sys/bus/pci/devices/0000:5e:00.1"), { kind: "path", path, is: "directory" });
    assert.deepEqual(host.tree.list("/sys/kernel/iommu_groups/0/devices"), { kind: "names", names: ["0000:5e:00.1"] });
  });

  it("gives mdev devices groups beside those of PCI functions", () => {
    const groups = host.devices.map((uuid) => host.tree.resolve(`/sys/bus/mdev/devices/${uuid}/iommu_group`));
    assert.deepEqual(
      groups.map((group) => group.kind === "path" && group.path),
      ["/sys/kernel/iommu_groups/1", "/sys/kernel/iommu_groups/2"],
    );
  });

  it("shows a build-id as the ELF note that the kernel keeps", () => {
    const bytes = Uint8Array.of(4, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 0x00, 0xff, 0x10);
    assert.deepEqual(host.tree.readBytes("/sys/module/mtty/notes/.note.gnu.build-id", 4096), { kind: "bytes", bytes });
    assert.equal(text("/sys/module/mdev/notes/.note.gnu.build-id"), "absent");
    for (const bad of ["", "0", "xy", "ABCD"]) assert.throws(() => formatBuildIdNote(bad), SyntaxError);
  });

  it("is the same every time, and names devices after the host", () => {
    assert.deepEqual(listTree(simulateHost(SPEC).tree, "/"), listTree(simulateHost(SPEC).tree, "/"));
    const other = simulateHost({ ...SPEC, name: "node-2" });
    assert.equal(new Set([...host.devices, ...other.devices]).size, 4);
    for (const uuid of host.devices) assert.match(uuid, /^[0-9a-f]{8}-0000-4000-8000-[0-9a-f]{12}$/);
  });

  const impossible: Readonly<Record<string, SimulatedHostSpec>> = {
    "a device without room": { name: "h", machines: SPEC.machines, devices: repeatDevice(13) },
    "a parent that is not there": { name: "h", machines: [], devices: repeatDevice(1) },
    "an attribute that is not there": {
      name: "h",
      machines: SPEC.machines,
      devices: [{ parent: "mtty", type: "mtty-1", attributes: [["aggregator", "2"]] }],
    },
    "a fault in no directory": withFault(SPEC, "/nowhere/at/all", { kind: "absent" }),
  };
  for (const [key, spec] of Object.entries(impossible)) {
    it(`refuses ${key}`, () => assert.throws(() => simulateHost(spec), RangeError));
  }
});

function repeatDevice(count: number): { readonly parent: string; readonly type: string }[] {
  return Array.from({ length: count }, () => ({ parent: "mtty", type: "mtty-2" }));
}

describe("withFault()", () => {
  it("adds a fault to a spec and leaves the spec as it was", () => {
    const path = `${MTTY_TYPES}/mtty-1/available_instances`;
    const faulty = simulateHost(withFault(SPEC, path, { kind: "errno", errno: "EIO" }));
    const read = faulty.tree.read("/sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-1/available_instances", 16);
    assert.equal(read.kind === "failed" && read.errno, "EIO");
    assert.equal(simulateHost(SPEC).tree.read(path, 16).kind, "text");
  });
});

describe("a host whose parent is unplugged", () => {
  it("refuses with ENODEV first, then shows nothing of it", () => {
    const host = simulateHost(SPEC);
    const uuid = "00000000-0000-4000-8000-000000000009";
    host.startUnplug("mtty");
    assert.deepEqual(host.create("mtty", "mtty-1", uuid), { kind: "failed", errno: "ENODEV" });
    assert.deepEqual(host.remove(host.devices[0] ?? ""), { kind: "failed", errno: "ENODEV" });
    host.finishUnplug("mtty");
    assert.deepEqual(host.create("mtty", "mtty-1", uuid), { kind: "failed", errno: "ENOENT" });
    assert.deepEqual(host.tree.list("/sys/bus/mdev/devices"), { kind: "names", names: [] });
    assert.throws(() => host.startUnplug("mtty"), RangeError);
  });
});
