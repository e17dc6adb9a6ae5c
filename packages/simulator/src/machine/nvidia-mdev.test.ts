// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEMO_FLEET } from "./examples.ts";
import { simulateHost, type SimulatedHost } from "./host.ts";

const GPU = "0000:3b:00.0";

function makeGpu(): SimulatedHost {
  return simulateHost({ name: "h", machines: [{ kind: "nvidia-mdev", model: "T4", address: GPU }] });
}

/** Virtual functions as the first sixteen of a real A2 are addressed. */
const FUNCTIONS = "00.4 00.5 00.6 00.7 01.0 01.1 01.2 01.3 01.4 01.5 01.6 01.7 02.0 02.1 02.2 02.3"
  .split(" ")
  .map((place) => `0000:08:${place}`);

function makeA2(): SimulatedHost {
  const gpu = { address: "0000:08:00.0", iommuGroup: 20, virtualFunctions: FUNCTIONS } as const;
  return simulateHost({ name: "h", machines: [{ kind: "nvidia-mdev", model: "A2", ...gpu }] });
}

function uuid(counter: number): string {
  return `00000000-0000-4000-8000-${String(counter).padStart(12, "0")}`;
}

function readRoom(host: SimulatedHost, parent: string, type: string): string {
  const read = host.tree.read(`/sys/class/mdev_bus/${parent}/mdev_supported_types/${type}/available_instances`, 16);
  return read.kind === "text" ? read.text.trimEnd() : read.kind;
}

/** T4 types by framebuffer: 222 and 230 have 1 GiB, then 2, 4, 8 and 16. */
const T4_TYPES = ["222", "230", "231", "232", "233", "234"].map((id) => `nvidia-${id}`);
const ENOSPC = { kind: "failed", errno: "ENOSPC" };

describe("an NVIDIA GPU in equal-size mode", () => {
  const rooms = (host: SimulatedHost) => T4_TYPES.map((type) => readRoom(host, GPU, type));

  it("holds as many of each type as fit", () => assert.deepEqual(rooms(makeGpu()), ["16", "16", "8", "4", "2", "1"]));

  it("lets types of one framebuffer size share it, and no others", () => {
    const host = makeGpu();
    assert.equal(host.create(GPU, "nvidia-222", uuid(1)).kind, "written");
    assert.deepEqual(rooms(host), ["15", "15", "0", "0", "0", "0"]);
    assert.equal(host.create(GPU, "nvidia-230", uuid(2)).kind, "written");
    assert.deepEqual(rooms(host), ["14", "14", "0", "0", "0", "0"]);
    assert.deepEqual(host.create(GPU, "nvidia-231", uuid(3)), ENOSPC);
  });

  it("takes another size when the last device is gone", () => {
    const host = makeGpu();
    host.create(GPU, "nvidia-234", uuid(1));
    assert.deepEqual(rooms(host), ["0", "0", "0", "0", "0", "0"]);
    assert.deepEqual(host.create(GPU, "nvidia-234", uuid(2)), ENOSPC);
    host.remove(uuid(1));
    assert.equal(host.create(GPU, "nvidia-233", uuid(2)).kind, "written");
  });

  it("keeps what is written to vgpu_params", () => {
    const host = makeGpu();
    host.create(GPU, "nvidia-231", uuid(1));
    assert.equal(host.setAttribute(uuid(1), "nvidia/vgpu_params", "frame_rate_limiter=0").kind, "written");
    const read = host.tree.read(`/sys/bus/mdev/devices/${uuid(1)}/nvidia/vgpu_params`, 4096);
    assert.deepEqual(read, { kind: "text", text: "frame_rate_limiter=0\n" });
  });
});

describe("an A2 with sixteen virtual functions", () => {
  const countRoom = (host: SimulatedHost, type: string) =>
    FUNCTIONS.map((parent) => Number(readRoom(host, parent, type))).reduce((sum, room) => sum + room, 0);

  it("shows one of each type on every function, and none on the physical function", () => {
    const host = makeA2();
    for (const type of ["nvidia-744", "nvidia-746", "nvidia-748"]) assert.equal(countRoom(host, type), 16);
    assert.equal(host.tree.lookup("/sys/class/mdev_bus/0000:08:00.0").kind, "absent");
  });

  it("holds four A2-4Q, not sixteen; then every function shows 0", () => {
    const host = makeA2();
    for (const n of [0, 5, 9, 15]) {
      assert.equal(host.create(FUNCTIONS[n] ?? "", "nvidia-746", uuid(n + 1)).kind, "written");
    }
    for (const type of ["nvidia-742", "nvidia-746", "nvidia-751", "nvidia-754"]) assert.equal(countRoom(host, type), 0);
    assert.deepEqual(host.create("0000:08:00.5", "nvidia-746", uuid(99)), ENOSPC);
    host.remove(uuid(6));
    assert.equal(countRoom(host, "nvidia-746"), 13);
  });

  it("shows what a real A2 shows beside an A2-4Q: 1 for the types of 4 GiB alone", () => {
    const host = makeA2();
    host.create("0000:08:00.4", "nvidia-746", uuid(1));
    const types = host.tree.list("/sys/class/mdev_bus/0000:08:01.7/mdev_supported_types");
    const free = (types.kind === "names" ? types.names : []).filter(
      (type) => readRoom(host, "0000:08:01.7", type) === "1",
    );
    assert.deepEqual(free, ["nvidia-746", "nvidia-751", "nvidia-754"]);
    assert.equal(readRoom(host, "0000:08:00.4", "nvidia-746"), "0");
  });

  it("takes one device a function, however small", () => {
    const host = makeA2();
    host.create("0000:08:00.4", "nvidia-744", uuid(1));
    assert.deepEqual(host.create("0000:08:00.4", "nvidia-744", uuid(2)), ENOSPC);
    assert.equal(host.create("0000:08:00.5", "nvidia-742", uuid(2)).kind, "written");
  });

  it("links functions and their owner both ways, each in a group of its own", () => {
    const host = makeA2();
    const at = (path: string) => host.tree.resolve(path);
    const owner = "/sys/devices/pci0000:08/0000:08:00.0";
    assert.deepEqual(at("/sys/bus/pci/devices/0000:08:01.7/physfn"), { kind: "path", path: owner, is: "directory" });
    const last = "/sys/devices/pci0000:08/0000:08:02.3";
    assert.deepEqual(at(`${owner}/virtfn15`), { kind: "path", path: last, is: "directory" });
    assert.equal(at(`${owner}/virtfn16`).kind, "absent");
    assert.deepEqual(host.tree.read(`${owner}/sriov_numvfs`, 16), { kind: "text", text: "16\n" });
    assert.deepEqual(host.tree.write(`${owner}/sriov_numvfs`, "0"), { kind: "failed", errno: "EBUSY" });
    const group = { kind: "path", path: "/sys/kernel/iommu_groups/36", is: "directory" };
    assert.deepEqual(at(`${last}/iommu_group`), group);
  });

  it("is addressed in the demo as a real one is", () => {
    const spec = DEMO_FLEET.find((host) => host.name === "rack3-n4");
    const machine = spec?.machines[0];
    assert.deepEqual(machine?.kind === "nvidia-mdev" ? machine.virtualFunctions : [], FUNCTIONS);
  });
});
