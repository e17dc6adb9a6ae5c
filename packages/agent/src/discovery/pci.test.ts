// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { PoolOwner } from "@berth/core/device/parent-device";
import { openMemoryTree } from "../host/memory-tree.ts";
import { readHost } from "./read-host.ts";
import { bound, KERNEL, link, mdevDevice, mdevType, pciFunction, UUIDS } from "./sample-trees.ts";
import type { Entries } from "./sample-trees.ts";

const PF = "0000:08:00.0";
const VF = "0000:08:00.4";
const TYPES = "ID    : vGPU Name\n1155  : NVIDIA L40S-24Q\n1148  : NVIDIA L40S-2Q\n";

function read(...parts: readonly Entries[]): HostSnapshot {
  return readHost(openMemoryTree(Object.entries(Object.assign({}, KERNEL, ...parts) as Entries)), "h");
}

function codes(snapshot: HostSnapshot): readonly string[] {
  return snapshot.problems.map(({ code, path }) => `${code} ${path}`);
}

function parentOf(snapshot: HostSnapshot): HostSnapshot["parents"][number] {
  const [parent] = snapshot.parents;
  assert.ok(parent !== undefined);
  return parent;
}

function mdevClass(address: string): Entries {
  return { [`/sys/class/mdev_bus/${address}`]: link(`../../devices/pci0000:00/${address}`) };
}

const PF_ENTRIES = pciFunction(PF, {
  ...bound("nvidia", "nvidia"),
  sriov_totalvfs: "16\n",
  virtfn0: link(`../${VF}`),
  virtfn10: link("../0000:08:01.6"),
  virtfn2: link("../0000:08:00.6"),
});
const VF_LINK: Entries = { physfn: link(`../${PF}`) };

describe("readHost() on PCI functions", () => {
  it("reads ids, class, driver, module and places", () => {
    const snapshot = read(pciFunction(PF, { ...bound("nvidia", "vgpu"), sriov_totalvfs: "0\n" }));
    const [found] = snapshot.functions;
    assert.ok(found !== undefined);
    assert.deepEqual(valueOf(found.ids), {
      vendor: "10de",
      device: "25b6",
      subsystemVendor: "10de",
      subsystemDevice: "157e",
    });
    assert.deepEqual(
      [
        valueOf(found.classCode),
        valueOf(found.driver),
        valueOf(found.module),
        valueOf(found.numaNode),
        valueOf(found.iommuGroup),
      ],
      ["030200", "nvidia", "vgpu", 1, 7],
    );
    assert.deepEqual([found.role, found.assigned, found.path], ["pf", false, `/sys/devices/pci0000:00/${PF}`]);
  });

  it("reads PF and VFs by index, even where only the links are there", () => {
    const snapshot = read(PF_ENTRIES, pciFunction(VF, VF_LINK));
    const [pf, vf] = snapshot.functions;
    assert.deepEqual(pf?.virtualFunctions, [VF, "0000:08:00.6", "0000:08:01.6"]);
    assert.deepEqual([pf?.role, pf?.totalVirtualFunctions.kind], ["pf", "known"]);
    assert.deepEqual([vf?.role, vf?.physicalFunction], ["vf", PF]);
    assert.deepEqual(snapshot.problems, []);
  });

  it("leaves out functions that nobody can have, and names those that lead nowhere", () => {
    const snapshot = read(pciFunction("0000:00:1f.0", bound("lpc_ich", "lpc_ich")), {
      "/sys/bus/pci/devices/0000:00:02.0": link("../../../devices/pci0000:00/0000:00:02.0"),
      "/sys/bus/pci/devices/garbage": link("../../../devices/pci0000:00/0000:00:1f.0"),
    });
    assert.deepEqual(snapshot.functions, []);
    assert.deepEqual(codes(snapshot), [
      "link_broken /sys/bus/pci/devices/0000:00:02.0",
      "name_malformed /sys/bus/pci/devices/garbage",
    ]);
  });

  it("reads -1 as no NUMA node and refuses other signs", () => {
    const node = (text: string): HostSnapshot =>
      read(pciFunction(PF, { physfn: link("../0000:07:00.0"), numa_node: text }));
    assert.equal(node("-1\n").functions[0]?.numaNode.kind, "absent");
    assert.deepEqual(node("-1\n").problems, []);
    assert.equal(node("-2\n").functions[0]?.numaNode.kind, "unreadable");
  });

  it("takes the driver of uevent where a capture kept no links, and a link over it", () => {
    const [bare] = read(pciFunction(PF, { sriov_totalvfs: "0\n", uevent: "DRIVER=ice\n" })).functions;
    assert.deepEqual(
      [bare?.driver.kind === "known" && bare.driver.value, bare?.driver.evidence.path],
      ["ice", `/sys/devices/pci0000:00/${PF}/uevent`],
    );
    const [linked] = read(
      pciFunction(PF, { sriov_totalvfs: "0\n", uevent: "DRIVER=ice\n", ...bound("vfio-pci", "vfio_pci") }),
    ).functions;
    assert.equal(linked?.driver.kind === "known" && linked.driver.value, "vfio-pci");
  });

  it("does not take any folder for a driver", () => {
    const snapshot = read(pciFunction(PF, { sriov_totalvfs: "0\n", driver: link("../../../../etc") }));
    assert.equal(snapshot.functions[0]?.driver.kind, "unreadable");
    assert.deepEqual(codes(snapshot), [`attribute_malformed /sys/devices/pci0000:00/${PF}/driver`]);
  });

  it("names a module whose folder is not there", () => {
    const entries = pciFunction(PF, { ...bound("ice", "ice"), sriov_totalvfs: "0\n" });
    const { [`/sys/module/ice/srcversion`]: _one, [`/sys/module/ice/taint`]: _two, ...slice } = entries;
    const snapshot = read(slice);
    assert.equal(snapshot.functions[0]?.module.kind === "known" && snapshot.functions[0].module.value, "ice");
    assert.deepEqual(codes(snapshot), [`link_broken /sys/devices/pci0000:00/${PF}/driver/module`]);
  });

  for (const driver of ["vfio-pci", "mlx5_vfio_pci", "hisi-acc-vfio-pci"]) {
    it(`makes an assigned device of a function bound to ${driver}`, () => {
      const snapshot = read(PF_ENTRIES, pciFunction(VF, { ...VF_LINK, ...bound(driver, driver.replaceAll("-", "_")) }));
      const [device] = snapshot.devices;
      assert.deepEqual([device?.kind, device?.id, device?.parent, device?.type.kind], ["function", VF, VF, "absent"]);
      assert.deepEqual(
        [device?.deviceApi.kind === "known" && device.deviceApi.value, device?.deviceApi.evidence.source],
        ["vfio-pci", "inferred"],
      );
      assert.ok(snapshot.modules.some(({ name }) => name === driver.replaceAll("-", "_")));
    });
  }

  it("knows a variant driver of any name by the VFIO device below the function", () => {
    const [device] = read(pciFunction(VF, { ...bound("future", "future"), "vfio-dev/vfio0/dev": "1:1\n" })).devices;
    assert.equal(device?.id, VF);
  });

  const FIRMWARE: Readonly<Record<string, { readonly entries: Entries; readonly value?: string }>> = {
    "of an RDMA device": {
      entries: pciFunction(PF, { sriov_totalvfs: "8\n", "infiniband/mlx5_0/fw_ver": "22.36.1010\n" }),
      value: "22.36.1010",
    },
    "of an NVMe device": {
      entries: pciFunction(PF, { sriov_totalvfs: "8\n", "nvme/nvme0/firmware_rev": "GDC5602Q\n" }),
      value: "GDC5602Q",
    },
    "of an NVIDIA GPU": {
      entries: {
        ...pciFunction(PF, { sriov_totalvfs: "8\n" }),
        [`/proc/driver/nvidia/gpus/${PF}/information`]: "Model: \t A2\nGPU Firmware: \t 570.133.20\n",
      },
      value: "570.133.20",
    },
    "not where the driver has none": {
      entries: {
        ...pciFunction(PF, { sriov_totalvfs: "8\n" }),
        [`/proc/driver/nvidia/gpus/${PF}/information`]: "GPU Firmware: \t N/A\n",
      },
    },
  };
  for (const [sentence, { entries, value }] of Object.entries(FIRMWARE)) {
    it(`reads the firmware ${sentence}`, () => {
      const snapshot = read(
        entries,
        mdevClass(PF),
        pciFunction(PF, mdevType("x-1", { available_instances: "0\n" })),
        entries,
      );
      const fact = parentOf(snapshot).facts["firmware"];
      assert.equal(fact?.kind === "known" ? fact.value : undefined, value);
    });
  }
});

describe("readHost() on NVIDIA's vendor VFIO framework", () => {
  const vf = (current: string, more: Entries = {}): Entries =>
    pciFunction(VF, {
      ...VF_LINK,
      ...bound("nvidia", "nvidia"),
      "nvidia/creatable_vgpu_types": TYPES,
      "nvidia/current_vgpu_type": current,
      "nvidia/gpu_instance_id": "",
      "nvidia/placement_id": "",
      ...more,
    });

  it("offers each creatable type once on a function that is set to none", () => {
    const snapshot = read(PF_ENTRIES, vf("0\n"));
    const parent = parentOf(snapshot);
    assert.deepEqual(
      [parent.id, parent.framework, parent.currentType.kind, snapshot.devices.length],
      [VF, "vendor-vfio", "absent", 0],
    );
    assert.deepEqual(
      parent.types.map((type) => [type.id, valueOf(type.name), valueOf(type.availableInstances)]),
      [
        ["nvidia-1148", "NVIDIA L40S-2Q", 1],
        ["nvidia-1155", "NVIDIA L40S-24Q", 1],
      ],
    );
    assert.deepEqual(parent.poolOwner, { kind: "physical-function", id: PF });
    assert.equal(
      parent.types[0]?.availableInstances.evidence.path,
      `/sys/devices/pci0000:00/${VF}/nvidia/creatable_vgpu_types`,
    );
    assert.deepEqual(snapshot.problems, []);
  });

  it("shows the vGPU that a function is set to, and offers nothing more", () => {
    const snapshot = read(
      PF_ENTRIES,
      vf("1148\n", { "nvidia/placement_id": "8\n", "nvidia/vgpu_params": "enable_profiling=1\n" }),
    );
    const parent = parentOf(snapshot);
    assert.equal(valueOf(parent.currentType), "nvidia-1148");
    assert.deepEqual(
      parent.types.map((type) => valueOf(type.availableInstances)),
      [0, 0],
    );
    const [device] = snapshot.devices;
    assert.deepEqual(
      [device?.kind, device?.id, device?.type.kind === "known" && device.type.value],
      ["vendor-vfio", VF, "nvidia-1148"],
    );
    assert.equal(device?.placementId.kind === "known" && device.placementId.value, 8);
    assert.equal(device?.facts["vgpu_params"]?.kind, "known");
    assert.equal(parent.facts["vgpu_params"]?.kind, "known");
  });

  it("keeps the type that a function is set to although it is not creatable now", () => {
    const types = parentOf(
      read(PF_ENTRIES, vf("1160\n", { "nvidia/creatable_vgpu_types": "ID    : vGPU Name\n" })),
    ).types;
    assert.deepEqual(
      types.map((type) => [type.id, type.name.kind, valueOf(type.availableInstances)]),
      [["nvidia-1160", "absent", 0]],
    );
  });

  it("does not guess what fits where the current type cannot be read", () => {
    const snapshot = read(PF_ENTRIES, vf("0\n", { "nvidia/current_vgpu_type": { kind: "failing", errno: "EIO" } }));
    assert.deepEqual(
      parentOf(snapshot).types.map((type) => type.availableInstances.kind),
      ["unreadable", "unreadable"],
    );
    assert.deepEqual(
      snapshot.devices.map(({ kind, type }) => [kind, type.kind]),
      [["vendor-vfio", "unreadable"]],
    );
    assert.deepEqual(codes(snapshot), [`attribute_unreadable /sys/devices/pci0000:00/${VF}/nvidia/current_vgpu_type`]);
  });

  it("gives the room to the GPU instance behind a function", () => {
    const owner = (instance: string): PoolOwner =>
      parentOf(read(PF_ENTRIES, vf("0\n", { "nvidia/gpu_instance_id": instance }))).poolOwner;
    assert.deepEqual(owner("3\n"), { kind: "gpu-instance", id: PF, instance: 3 });
    assert.deepEqual(owner("4294967295\n"), { kind: "physical-function", id: PF });
  });

  it("does not give the room to the PF where the GPU instance cannot be read", () => {
    for (const file of ["three\n", { kind: "failing", errno: "EIO" } as const, link("gone")]) {
      const { poolOwner } = parentOf(read(PF_ENTRIES, vf("0\n", { "nvidia/gpu_instance_id": file })));
      assert.ok(poolOwner.kind === "unknown");
      assert.match(poolOwner.why, /^the GPU instance behind it cannot be read: /);
    }
  });

  it("does not read the folder on another vendor's function, and says so", () => {
    const snapshot = read(PF_ENTRIES, vf("1148\n", { vendor: "0x8086\n" }));
    assert.deepEqual([snapshot.parents, snapshot.devices], [[], []]);
    assert.deepEqual(codes(snapshot), [`facts_disagree /sys/devices/pci0000:00/${VF}/nvidia`]);
  });

  it("takes a function that is an mdev parent too for one parent", () => {
    const snapshot = read(PF_ENTRIES, vf("0\n", mdevType("nvidia-746")), mdevClass(VF));
    assert.deepEqual([parentOf(snapshot).framework, snapshot.parents.length], ["mdev", 1]);
    assert.deepEqual(codes(snapshot), [`facts_disagree /sys/devices/pci0000:00/${VF}/nvidia`]);
  });
});

describe("readHost() on who owns a pool", () => {
  const parent = (address: string, more: Entries, type: Entries = {}): Entries => ({
    ...pciFunction(address, { ...bound("nvidia", "nvidia"), ...mdevType("nvidia-746", type), ...more }),
    ...mdevClass(address),
  });
  const offers = (available: number, most: number): Entries => ({
    available_instances: `${available}\n`,
    description: `framebuffer=4096M, max_instance=${most}\n`,
  });
  const device = mdevDevice({ parent: `/sys/devices/pci0000:00/${PF}`, uuid: UUIDS[0], type: "nvidia-746" });
  const { [`/sys/devices/pci0000:00/${PF}/subsystem`]: _, ...noLinks } = parent(PF, {});

  const CASES: Readonly<Record<string, { readonly entries: Entries; readonly owner: RegExp | PoolOwner }>> = {
    "is the PF of a VF": {
      entries: { ...PF_ENTRIES, ...parent(VF, VF_LINK) },
      owner: { kind: "physical-function", id: PF as never },
    },
    "is the PF of a VF although the PF was not captured": {
      entries: parent(VF, VF_LINK),
      owner: { kind: "physical-function", id: PF as never },
    },
    "is not known where the link to the PF leads outside": {
      entries: parent(VF, { physfn: link("../".repeat(20)) }),
      owner: /cannot be read/,
    },
    "is the function itself where it is whole": { entries: parent(PF, {}), owner: { kind: "parent", id: PF } },
    "is the PF itself where none of its VFs is a parent": {
      entries: parent(PF, { sriov_totalvfs: "16\n" }),
      owner: { kind: "parent", id: PF },
    },
    "is the PF for both where a VF is a parent too": {
      entries: { ...parent(VF, VF_LINK), ...parent(PF, { sriov_totalvfs: "16\n", virtfn0: link(`../${VF}`) }) },
      owner: { kind: "physical-function", id: PF as never },
    },
    "is not known without links": { entries: noLinks, owner: /none of its links/ },
    "is not known where an idle parent offers one of several": {
      entries: parent(PF, {}, offers(1, 4)),
      owner: /offers one nvidia-746.* 4 fit/,
    },
    "is the parent where it offers one and holds the others": {
      entries: { ...parent(PF, {}, offers(1, 4)), ...device },
      owner: { kind: "parent", id: PF },
    },
    "is the parent where one is all": { entries: parent(PF, {}, offers(1, 1)), owner: { kind: "parent", id: PF } },
    "is the parent where it offers several": {
      entries: parent(PF, {}, offers(4, 4)),
      owner: { kind: "parent", id: PF },
    },
  };
  for (const [sentence, { entries, owner }] of Object.entries(CASES)) {
    it(sentence, () => {
      const snapshot = read(entries);
      const found = parentOf(snapshot).poolOwner;
      const isUnknown = snapshot.problems.some(({ code }) => code === "pool_owner_unknown");
      assert.equal(isUnknown, found.kind === "unknown");
      if (owner instanceof RegExp) assert.match(found.kind === "unknown" ? found.why : found.kind, owner);
      else assert.deepEqual(found, owner);
    });
  }
});
