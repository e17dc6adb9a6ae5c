// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { listTree } from "../tree/list-tree.ts";
import { fixedAttribute, refused } from "../tree/node.ts";
import { makeKernel, type Kernel } from "./kernel.ts";
import { startMdevCore, type MdevCore } from "./mdev-core.ts";
import type { MdevDriver } from "./mdev-driver.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
const OTHER = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002";
const PARENT = "/sys/devices/foo";
const CREATE = `${PARENT}/mdev_supported_types/foo-1/create`;

interface Bench {
  readonly kernel: Kernel;
  readonly core: MdevCore;
  readonly removed: string[];
}

/** A parent `foo` with one type; two devices by the core's own count unless the driver says otherwise. */
function makeBench(driver: Partial<MdevDriver> = {}): Bench {
  const kernel = makeKernel({ vfioDebugfs: false });
  const core = startMdevCore(kernel);
  const removed: string[] = [];
  const whole: MdevDriver = {
    busDriver: { name: "foo", module: "foo" },
    deviceApi: "vfio-pci",
    types: [{ name: "1", prettyName: "Foo one" }],
    maxInstances: 2,
    probe: () => undefined,
    remove: (device) => void removed.push(device.uuid),
    ...driver,
  };
  core.registerParent({ path: PARENT, driverString: "foo", driver: whole });
  return { kernel, core, removed };
}

const failed = (errno: string) => ({ kind: "failed", errno });
const WRITTEN = { kind: "written" };

describe("a write of `create`", () => {
  const cases: Readonly<Record<string, readonly [text: string, answer: object]>> = {
    "takes 36 characters": [UUID, WRITTEN],
    "takes a trailing newline": [`${UUID}\n`, WRITTEN],
    "takes upper case": [UUID.toUpperCase(), WRITTEN],
    "does not look at the 37th byte": [`${UUID}!`, WRITTEN],
    "refuses 35 characters": [UUID.slice(0, 35), failed("EINVAL")],
    "refuses 38 bytes": [`${UUID}\r\n`, failed("EINVAL")],
    "refuses 37 characters that are 38 bytes": [`${UUID}é`, failed("EINVAL")],
    "refuses letters that are no digits": [UUID.replace("8", "g"), failed("EINVAL")],
    "refuses dashes out of place": [UUID.replace("-509f", "5-09f"), failed("EINVAL")],
    "refuses braces": [`{${UUID.slice(0, 34)}}`, failed("EINVAL")],
    "refuses a creation parameter of 2019": [`${UUID},aggregate=2`, failed("EINVAL")],
    "refuses a lone newline": ["\n", failed("EINVAL")],
    "takes nothing for nothing": ["", WRITTEN],
  };
  for (const [key, [text, answer]] of Object.entries(cases)) {
    it(key, () => assert.deepEqual(makeBench().kernel.tree.write(CREATE, text), answer));
  }

  it("answers EEXIST for a UUID in use, in either case, before it asks whether there is room", () => {
    const { kernel } = makeBench({ maxInstances: 1 });
    assert.deepEqual(kernel.tree.write(CREATE, UUID), WRITTEN);
    assert.deepEqual(kernel.tree.write(CREATE, UUID.toUpperCase()), failed("EEXIST"));
    assert.deepEqual(kernel.tree.write(CREATE, OTHER), failed("EUSERS"));
  });

  it("answers EEXIST for a UUID in use under another parent of the host", () => {
    const { kernel, core } = makeBench();
    const bar: MdevDriver = { ...makeDriver(), types: [{ name: "x" }] };
    core.registerParent({ path: "/sys/devices/bar", driverString: "bar", driver: bar });
    assert.deepEqual(kernel.tree.write(CREATE, UUID), WRITTEN);
    const other = "/sys/devices/bar/mdev_supported_types/bar-x/create";
    assert.deepEqual(kernel.tree.write(other, UUID), failed("EEXIST"));
  });

  it("answers EUSERS where the core itself counts, and counts back", () => {
    const { kernel } = makeBench({ maxInstances: 1 });
    const available = () => kernel.tree.read(`${PARENT}/mdev_supported_types/foo-1/available_instances`, 16);
    assert.deepEqual(available(), { kind: "text", text: "1\n" });
    kernel.tree.write(CREATE, UUID);
    assert.deepEqual(available(), { kind: "text", text: "0\n" });
    assert.deepEqual(kernel.tree.write(CREATE, OTHER), failed("EUSERS"));
    kernel.tree.write(`/sys/bus/mdev/devices/${UUID}/remove`, "1");
    assert.deepEqual(kernel.tree.write(CREATE, OTHER), WRITTEN);
  });

  it("leaves a full parent to a driver with a count of its own, and leaves nothing behind", () => {
    const { kernel } = makeBench({ available: () => 0, probe: () => refused("ENOSPC") });
    const before = listTree(kernel.tree, "/");
    assert.deepEqual(kernel.tree.write(CREATE, UUID), failed("ENOSPC"));
    assert.deepEqual(listTree(kernel.tree, "/"), before);
  });

  it("answers ENODEV while the parent goes away", () => {
    const { kernel, core } = makeBench();
    core.startUnregister(PARENT);
    assert.deepEqual(kernel.tree.write(CREATE, UUID), failed("ENODEV"));
  });

  it("answers ENOENT when the parent is gone, and EACCES to a reader", () => {
    const { kernel, core } = makeBench();
    assert.equal(kernel.tree.read(CREATE, 64).kind, "failed");
    core.startUnregister(PARENT);
    core.finishUnregister(PARENT);
    assert.deepEqual(kernel.tree.write(CREATE, UUID), failed("ENOENT"));
  });
});

function makeDriver(): MdevDriver {
  return {
    busDriver: { name: "bar", module: "bar" },
    deviceApi: "vfio-ap",
    types: [],
    maxInstances: 9,
    probe: () => undefined,
    remove: () => undefined,
  };
}

describe("a write of `remove`", () => {
  const cases: Readonly<Record<string, readonly [text: string, answer: object, left: boolean]>> = {
    "removes for 1": ["1", WRITTEN, false],
    "removes for any number": ["0x10\n", WRITTEN, false],
    "ignores 0": ["0\n", WRITTEN, true],
    "refuses what is no number": ["yes", failed("EINVAL"), true],
    "refuses a negative number": ["-1", failed("EINVAL"), true],
    "refuses a number out of range with EINVAL": ["99999999999999999999", failed("EINVAL"), true],
  };
  for (const [key, [text, answer, left]] of Object.entries(cases)) {
    it(key, () => {
      const { kernel, removed } = makeBench();
      kernel.tree.write(CREATE, UUID);
      assert.deepEqual(kernel.tree.write(`/sys/bus/mdev/devices/${UUID}/remove`, text), answer);
      assert.equal(kernel.tree.lookup(`${PARENT}/${UUID}`).kind, left ? "directory" : "absent");
      assert.deepEqual(removed, left ? [] : [UUID]);
    });
  }

  it("answers ENODEV while the parent goes away, and the file is gone then", () => {
    const { kernel, core } = makeBench();
    kernel.tree.write(CREATE, UUID);
    core.startUnregister(PARENT);
    assert.deepEqual(kernel.tree.write(`${PARENT}/${UUID}/remove`, "1"), failed("ENODEV"));
    assert.deepEqual(kernel.tree.write(`${PARENT}/${UUID}/remove`, "1"), failed("ENOENT"));
    assert.deepEqual(core.removeDevice(UUID), failed("EAGAIN"));
    assert.deepEqual(core.removeDevice(OTHER), failed("ENODEV"));
  });
});

describe("an mdev device in the tree", () => {
  it("has the folder and the links of Linux 6.12", () => {
    const { kernel } = makeBench({
      describe: () => "one foo\n",
      deviceAttributes: () => [{ name: "vendor/colour", attribute: fixedAttribute("red") }],
    });
    kernel.tree.write(CREATE, UUID);
    assert.deepEqual(listTree(kernel.tree, PARENT), [
      `755 ${PARENT}/${UUID}/`,
      `777 ${PARENT}/${UUID}/driver -> ../../../bus/mdev/drivers/foo`,
      `777 ${PARENT}/${UUID}/iommu_group -> ../../../kernel/iommu_groups/0`,
      `777 ${PARENT}/${UUID}/mdev_type -> ../mdev_supported_types/foo-1`,
      `200 ${PARENT}/${UUID}/remove`,
      `777 ${PARENT}/${UUID}/subsystem -> ../../../bus/mdev`,
      `644 ${PARENT}/${UUID}/uevent = "DRIVER=foo\\n"`,
      `755 ${PARENT}/${UUID}/vendor/`,
      `444 ${PARENT}/${UUID}/vendor/colour = "red\\n"`,
      `755 ${PARENT}/${UUID}/vfio-dev/`,
      `755 ${PARENT}/${UUID}/vfio-dev/vfio0/`,
      `777 ${PARENT}/${UUID}/vfio-dev/vfio0/device -> ../../../${UUID}`,
      `777 ${PARENT}/${UUID}/vfio-dev/vfio0/subsystem -> ../../../../../class/vfio-dev`,
      `644 ${PARENT}/${UUID}/vfio-dev/vfio0/uevent = ""`,
      `755 ${PARENT}/mdev_supported_types/`,
      `755 ${PARENT}/mdev_supported_types/foo-1/`,
      `444 ${PARENT}/mdev_supported_types/foo-1/available_instances = "1\\n"`,
      `200 ${PARENT}/mdev_supported_types/foo-1/create`,
      `444 ${PARENT}/mdev_supported_types/foo-1/description = "one foo\\n"`,
      `444 ${PARENT}/mdev_supported_types/foo-1/device_api = "vfio-pci\\n"`,
      `755 ${PARENT}/mdev_supported_types/foo-1/devices/`,
      `777 ${PARENT}/mdev_supported_types/foo-1/devices/${UUID} -> ../../../${UUID}`,
      `444 ${PARENT}/mdev_supported_types/foo-1/name = "Foo one\\n"`,
    ]);
  });

  it("goes with its parent, and so do the class link and the types", () => {
    const { kernel, core, removed } = makeBench();
    kernel.tree.write(CREATE, UUID);
    kernel.tree.write(CREATE, OTHER);
    core.startUnregister(PARENT);
    core.finishUnregister(PARENT);
    assert.deepEqual(removed, [UUID, OTHER]);
    assert.deepEqual(kernel.tree.list("/sys/class/mdev_bus"), { kind: "names", names: [] });
    assert.deepEqual(kernel.tree.list("/sys/bus/mdev/devices"), { kind: "names", names: [] });
    assert.deepEqual(kernel.tree.list(PARENT), { kind: "names", names: [] });
  });

  it("takes the lowest free numbers of IOMMU groups and VFIO devices", () => {
    const { kernel } = makeBench({ maxInstances: 3 });
    kernel.tree.write(CREATE, UUID);
    kernel.tree.write(CREATE, OTHER);
    kernel.tree.write(`${PARENT}/${UUID}/remove`, "1");
    kernel.tree.write(CREATE, UUID.replace("1001", "1003"));
    assert.deepEqual(kernel.tree.list("/sys/kernel/iommu_groups"), { kind: "names", names: ["0", "1"] });
    assert.deepEqual(kernel.tree.list("/sys/class/vfio-dev"), { kind: "names", names: ["vfio0", "vfio1"] });
  });

  it("has a folder in VFIO debugfs where there is one, with `migration` if it can migrate", () => {
    const kernel = makeKernel({ vfioDebugfs: true });
    const core = startMdevCore(kernel);
    const features: MdevDriver = { ...makeDriver(), types: [{ name: "x" }], migrationFeatures: ["stop-copy", "p2p"] };
    core.registerParent({ path: "/sys/devices/bar", driverString: "bar", driver: features });
    core.registerParent({ path: PARENT, driverString: "foo", driver: { ...makeDriver(), types: [{ name: "x" }] } });
    core.createDevice("/sys/devices/bar", "x", UUID);
    core.createDevice(PARENT, "x", OTHER);
    assert.deepEqual(listTree(kernel.tree, "/sys/kernel/debug"), [
      "755 /sys/kernel/debug/vfio/",
      `755 /sys/kernel/debug/vfio/${UUID}/`,
      `755 /sys/kernel/debug/vfio/${UUID}/migration/`,
      `444 /sys/kernel/debug/vfio/${UUID}/migration/features = "stop-copy\\np2p\\n"`,
      `444 /sys/kernel/debug/vfio/${UUID}/migration/state = "RUNNING\\n"`,
      `755 /sys/kernel/debug/vfio/${OTHER}/`,
    ]);
  });
});
