// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { simulateHost, type SimulatedHost } from "./host.ts";

const GPU = "0000:00:02.0";

function makeHost(generation: 4 | 5, apertureMib?: number): SimulatedHost {
  const size = apertureMib === undefined ? {} : { apertureMib };
  return simulateHost({ name: "h", machines: [{ kind: "i915-gvtg", address: GPU, generation, ...size }] });
}

function uuid(counter: number): string {
  return `00000000-0000-4000-8000-${String(counter).padStart(12, "0")}`;
}

/** What every offered type says it has room for. */
function listRoom(host: SimulatedHost): Record<string, string> {
  const types = host.tree.list(`/sys/class/mdev_bus/${GPU}/mdev_supported_types`);
  assert.equal(types.kind, "names");
  const names = types.kind === "names" ? types.names : [];
  return Object.fromEntries(names.map((type) => [type, readType(host, type, "available_instances").trimEnd()]));
}

function readType(host: SimulatedHost, type: string, name: string): string {
  const read = host.tree.read(`/sys/class/mdev_bus/${GPU}/mdev_supported_types/${type}/${name}`, 4096);
  return read.kind === "text" ? read.text : `(${read.kind})`;
}

describe("a GVT-g GPU", () => {
  const descriptions: Readonly<Record<string, string>> = {
    "i915-GVTg_V5_8": "low_gm_size: 64MB\nhigh_gm_size: 384MB\nfence: 4\nresolution: 1024x768\nweight: 2\n",
    "i915-GVTg_V5_4": "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n",
    "i915-GVTg_V5_2": "low_gm_size: 256MB\nhigh_gm_size: 1024MB\nfence: 4\nresolution: 1920x1200\nweight: 8\n",
    "i915-GVTg_V5_1": "low_gm_size: 512MB\nhigh_gm_size: 2048MB\nfence: 4\nresolution: 1920x1200\nweight: 16\n",
  };
  for (const [type, description] of Object.entries(descriptions)) {
    it(`describes ${type} as the driver does`, () => {
      assert.equal(readType(makeHost(5, 1024), type, "description"), description);
      assert.equal(readType(makeHost(5, 1024), type, "name"), `${type.slice("i915-".length)}\n`);
      assert.equal(readType(makeHost(5, 1024), type, "device_api"), "vfio-pci\n");
    });
  }

  /** low = aperture - 128; high = 4096 - aperture - 384; 28 fences. A type is offered if the aperture holds it once. */
  const rooms: readonly (readonly [aperture: number, room: Readonly<Record<string, string>>])[] = [
    [256, { "i915-GVTg_V5_4": "1", "i915-GVTg_V5_8": "2" }],
    [512, { "i915-GVTg_V5_2": "1", "i915-GVTg_V5_4": "3", "i915-GVTg_V5_8": "6" }],
    [1024, { "i915-GVTg_V5_1": "1", "i915-GVTg_V5_2": "2", "i915-GVTg_V5_4": "5", "i915-GVTg_V5_8": "7" }],
  ];
  for (const [aperture, room] of rooms) {
    it(`offers what an aperture of ${aperture} MiB can hold`, () =>
      assert.deepEqual(listRoom(makeHost(5, aperture)), room));
  }

  it("names generation 8 V4 and generation 9 V5", () => {
    assert.deepEqual(Object.keys(listRoom(makeHost(4))), ["i915-GVTg_V4_2", "i915-GVTg_V4_4", "i915-GVTg_V4_8"]);
  });

  it("has one pool: what one type takes, the others lack", () => {
    const host = makeHost(5);
    host.create(GPU, "i915-GVTg_V5_4", uuid(1));
    assert.deepEqual(listRoom(host), { "i915-GVTg_V5_2": "1", "i915-GVTg_V5_4": "2", "i915-GVTg_V5_8": "4" });
    host.create(GPU, "i915-GVTg_V5_8", uuid(2));
    assert.deepEqual(listRoom(host), { "i915-GVTg_V5_2": "0", "i915-GVTg_V5_4": "1", "i915-GVTg_V5_8": "3" });
  });

  it("is limited by its fences where memory would hold one more", () => {
    // An aperture of 640 MiB leaves 512 MiB of low and 3072 MiB of high memory: eight of the smallest, and 28 / 4 fences.
    assert.equal(listRoom(makeHost(5, 640))["i915-GVTg_V5_8"], "7");
  });

  it("answers ENOSPC when it is full", () => {
    const host = makeHost(5, 1024);
    for (let n = 1; n <= 7; n += 1) assert.equal(host.create(GPU, "i915-GVTg_V5_8", uuid(n)).kind, "written");
    // 448 MiB of low memory are left, but no high memory and no fence.
    assert.deepEqual(host.create(GPU, "i915-GVTg_V5_8", uuid(8)), { kind: "failed", errno: "ENOSPC" });
    assert.equal(listRoom(host)["i915-GVTg_V5_4"], "0");
  });

  it("numbers its devices from 1, lowest free first", () => {
    const host = makeHost(5);
    const idOf = (n: number) => host.tree.read(`/sys/bus/mdev/devices/${uuid(n)}/intel_vgpu/vgpu_id`, 16);
    for (const n of [1, 2, 3]) host.create(GPU, "i915-GVTg_V5_8", uuid(n));
    assert.deepEqual(
      [1, 2, 3].map(idOf),
      ["1\n", "2\n", "3\n"].map((text) => ({ kind: "text", text })),
    );
    host.remove(uuid(2));
    host.create(GPU, "i915-GVTg_V5_8", uuid(4));
    assert.deepEqual(idOf(4), { kind: "text", text: "2\n" });
  });

  it("is driven by i915, its devices by kvmgt", () => {
    const host = makeHost(5);
    host.create(GPU, "i915-GVTg_V5_8", uuid(1));
    const module = (path: string) => host.tree.resolve(`${path}/driver/module`);
    assert.deepEqual(module(`/sys/class/mdev_bus/${GPU}`), { kind: "path", path: "/sys/module/i915", is: "directory" });
    const kvmgt = { kind: "path", path: "/sys/module/kvmgt", is: "directory" };
    assert.deepEqual(module(`/sys/bus/mdev/devices/${uuid(1)}`), kvmgt);
  });
});
