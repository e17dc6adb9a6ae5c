// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { VfioDevice } from "@berth/core/device/vfio-device";
import { openMemoryTree } from "../host/memory-tree.ts";
import { readHost } from "./read-host.ts";
import { bound, KERNEL, link, mdevDevice, mdevType, pciFunction, UUIDS, virtualParent } from "./sample-trees.ts";
import type { Entries } from "./sample-trees.ts";

const [ONE, TWO] = UUIDS;
const MTTY = "/sys/devices/virtual/mtty/mtty";
const MODULE: Entries = {
  "/sys/bus/mdev/drivers/mtty/module": link("../../../../module/mtty"),
  "/sys/module/mtty/srcversion": "AAAA\n",
  "/sys/module/mtty/taint": "\n",
};

function read(...parts: readonly Entries[]): HostSnapshot {
  return readHost(openMemoryTree(Object.entries(Object.assign({}, KERNEL, ...parts) as Entries)), "h");
}

function mtty(type: Entries, device: Entries, ...more: readonly Entries[]): HostSnapshot {
  return read(
    MODULE,
    virtualParent("mtty", mdevType("mtty-2", type)),
    mdevDevice({ parent: MTTY, uuid: ONE, type: "mtty-2" }, device),
    ...more,
  );
}

function codes(snapshot: HostSnapshot): readonly string[] {
  return snapshot.problems.map(({ code, path }) => `${code} ${path}`);
}

function only<T>(items: readonly T[]): T {
  assert.equal(items.length, 1);
  return items[0] as T;
}

describe("readHost() on the mdev bus", () => {
  it("shows a parent off PCI with its type, device and module, and no problem", () => {
    const snapshot = mtty({ description: "two ports\n" }, { driver: link("../../../../../bus/mdev/drivers/mtty") });
    assert.deepEqual(codes(snapshot), []);
    const parent = only(snapshot.parents);
    assert.deepEqual(
      [parent.id, parent.path, parent.driver.kind, valueOf(parent.module)],
      ["mtty", MTTY, "absent", "mtty"],
    );
    assert.deepEqual(parent.poolOwner, { kind: "parent", id: "mtty" });
    const type = only(parent.types);
    assert.deepEqual([type.id, type.driverPrefix, valueOf(type.availableInstances)], ["mtty-2", "mtty", 3]);
    assert.deepEqual(type.availableInstances.evidence, {
      host: "h",
      source: "sysfs",
      path: `${MTTY}/mdev_supported_types/mtty-2/available_instances`,
      text: "3",
    });
    const device = only(snapshot.devices);
    assert.deepEqual(
      [device.id, device.parent, valueOf(device.type), valueOf(device.deviceApi)],
      [ONE, "mtty", "mtty-2", "vfio-pci"],
    );
    assert.deepEqual(
      snapshot.modules.map(({ name, srcversion }) => [name, valueOf(srcversion)]),
      [["mtty", "AAAA"]],
    );
  });

  it("says how the module of a parent without devices was found", () => {
    const types = virtualParent("mtty", mdevType("mtty-2"));
    const byDriver = only(read(MODULE, types).parents).module;
    assert.deepEqual(
      [valueOf(byDriver), byDriver.evidence.source, byDriver.evidence.path],
      ["mtty", "inferred", "/sys/bus/mdev/drivers/mtty/module"],
    );
    const byName = only(read({ "/sys/module/mtty/srcversion": "A\n" }, types).parents).module;
    assert.deepEqual(
      [valueOf(byName), byName.evidence.source, byName.evidence.path],
      ["mtty", "inferred", "/sys/module/mtty"],
    );
    assert.equal(only(read(types).parents).module.kind, "absent");
  });

  it("resolves the type through mdev_type and never by name (D22)", () => {
    const second = virtualParent("other", mdevType("mtty-2", { device_api: "vfio-ccw\n", available_instances: "0\n" }));
    const device = mdevDevice({ parent: "/sys/devices/virtual/other/other", uuid: TWO, type: "mtty-2" });
    const devices = mtty({}, {}, second, device).devices;
    assert.deepEqual(
      devices.map(({ parent, deviceApi }) => [parent, valueOf(deviceApi)]),
      [
        ["mtty", "vfio-pci"],
        ["other", "vfio-ccw"],
      ],
    );
  });

  it("shows a device without a type, and says so", () => {
    const snapshot = read(virtualParent("mtty", mdevType("mtty-2")), {
      [`/sys/bus/mdev/devices/${ONE}`]: link(`${MTTY}/${ONE}`),
      [`${MTTY}/${ONE}/uevent`]: "",
    });
    const device = only(snapshot.devices);
    assert.deepEqual([device.type.kind, device.deviceApi.kind, device.parent], ["absent", "absent", "mtty"]);
    assert.ok(codes(snapshot).includes(`device_without_type ${MTTY}/${ONE}`));
  });

  it("shows a device that lies nowhere, and says that it has no parent", () => {
    const snapshot = read({ [`/sys/bus/mdev/devices/${ONE}/uevent`]: "" });
    assert.equal(only(snapshot.devices).parent, "unknown");
    assert.ok(codes(snapshot).includes(`device_without_parent /sys/bus/mdev/devices/${ONE}`));
  });

  it("finds a parent that the class does not name", () => {
    const snapshot = mtty({}, {}, { "/sys/class/mdev_bus/mtty": link("../../devices/virtual/nothing") });
    assert.equal(only(snapshot.parents).path, MTTY);
    assert.deepEqual(codes(snapshot), ["link_broken /sys/class/mdev_bus/mtty", `facts_disagree ${MTTY}/${ONE}`]);
  });

  it("shows a device that only its type knows, and one that its type does not know", () => {
    const onlyType = mtty({}, {}, mdevDevice({ parent: MTTY, uuid: TWO, type: "mtty-2" }), {
      [`/sys/bus/mdev/devices/${TWO}`]: link("/nowhere"),
    });
    assert.deepEqual(
      onlyType.devices.map(({ id }) => id),
      [ONE, TWO],
    );
    assert.ok(codes(onlyType).includes(`facts_disagree ${MTTY}/mdev_supported_types/mtty-2/devices/${TWO}`));
    const onlyBus = mtty(
      { [`^${MTTY}/mdev_supported_types/mtty-2/devices/${ONE}`]: { kind: "other" } },
      {},
      {
        [`${MTTY}/${TWO}/mdev_type`]: link("../mdev_supported_types/mtty-2"),
        [`/sys/bus/mdev/devices/${TWO}`]: link(`${MTTY}/${TWO}`),
      },
    );
    assert.deepEqual(
      onlyBus.devices.map(({ id }) => id),
      [ONE, TWO],
    );
    assert.ok(codes(onlyBus).includes(`facts_disagree ${MTTY}/${TWO}`));
  });

  it("shows a device whose folder is not there, at the parent that its link names", () => {
    const snapshot = mtty(
      {},
      {},
      { [`/sys/bus/mdev/devices/${TWO}`]: link(`../../../devices/virtual/mtty/mtty/${TWO}`) },
    );
    assert.deepEqual(
      snapshot.devices.map(({ id, parent, type }) => [id, parent, type.kind]),
      [
        [ONE, "mtty", "known"],
        [TWO, "mtty", "absent"],
      ],
    );
    assert.deepEqual(codes(snapshot), [
      `link_broken /sys/bus/mdev/devices/${TWO}`,
      `device_without_type ${MTTY}/${TWO}`,
    ]);
  });

  it("takes what a type says of a device whose entry on the bus leads nowhere", () => {
    const snapshot = mtty({}, {}, mdevDevice({ parent: MTTY, uuid: TWO, type: "mtty-2" }), {
      [`/sys/bus/mdev/devices/${TWO}`]: link("/nowhere"),
    });
    assert.deepEqual(
      snapshot.devices.map(({ id, parent, type }) => [id, parent, valueOf(type)]),
      [
        [ONE, "mtty", "mtty-2"],
        [TWO, "mtty", "mtty-2"],
      ],
    );
  });

  it("tells one UUID in two spellings once", () => {
    const [lower, upper] = ["0000000a-0000-4000-8000-000000000001", "0000000A-0000-4000-8000-000000000001"];
    const snapshot = read(MODULE, virtualParent("mtty", mdevType("mtty-2")), {
      ...mdevDevice({ parent: MTTY, uuid: lower, type: "mtty-2" }),
      [`/sys/bus/mdev/devices/${upper}`]: link(`${MTTY}/${lower}`),
      [`${MTTY}/mdev_supported_types/mtty-2/devices/${upper}`]: link(`../../../${lower}`),
    });
    assert.equal(only(snapshot.devices).id, lower);
    assert.deepEqual(codes(snapshot), [`name_malformed /sys/bus/mdev/devices/${lower}`]);
  });

  it("writes the UUID of a device that only its type knows in lower case", () => {
    const upper = "0000000A-0000-4000-8000-000000000001";
    const snapshot = read(MODULE, virtualParent("mtty", mdevType("mtty-2")), {
      [`${MTTY}/${upper}/mdev_type`]: link("../mdev_supported_types/mtty-2"),
      [`${MTTY}/mdev_supported_types/mtty-2/devices/${upper}`]: link(`../../../${upper}`),
    });
    assert.equal(only(snapshot.devices).id, upper.toLowerCase());
  });

  it("says that a parent has no types", () => {
    const snapshot = read(virtualParent("mtty", {}));
    assert.deepEqual(only(snapshot.parents).types, []);
    assert.deepEqual(codes(snapshot), [`tree_incomplete ${MTTY}/mdev_supported_types`]);
  });

  it("does not follow a folder of types that is a broken link, and says so", () => {
    const snapshot = read(virtualParent("mtty", { mdev_supported_types: link("gone") }));
    assert.deepEqual(codes(snapshot), [`link_broken ${MTTY}/mdev_supported_types`]);
  });

  it("does not take another folder with a parent's name for that parent", () => {
    const other = "/sys/devices/other/mtty";
    const snapshot = mtty(
      {},
      {},
      {
        [`/sys/bus/mdev/devices/${TWO}`]: link(`${other}/${TWO}`),
        [`${other}/${TWO}/mdev_type`]: link("../mdev_supported_types/mtty-2"),
        [`${other}/mdev_supported_types/mtty-2/name`]: "n",
      },
    );
    assert.equal(only(snapshot.parents).path, MTTY);
    assert.deepEqual(
      snapshot.devices.map(({ id, parent }) => [id, parent]),
      [
        [ONE, "mtty"],
        [TWO, "unknown"],
      ],
    );
    assert.ok(codes(snapshot).includes(`facts_disagree ${other}/${TWO}`));
  });

  it("names what is no UUID, and what is absurd, instead of showing it", () => {
    const snapshot = mtty(
      {},
      {},
      {
        [`/sys/bus/mdev/devices/${ONE}0`]: link(`${MTTY}/${ONE}`),
        "/sys/class/mdev_bus/evil\u001b[2J": link(MTTY),
        [`${MTTY}/mdev_supported_types/ü`]: { kind: "directory" },
      },
    );
    assert.deepEqual(
      [snapshot.devices.length, snapshot.parents.length, only(snapshot.parents).types.length],
      [1, 1, 1],
    );
    assert.deepEqual(codes(snapshot), [
      `name_malformed /sys/bus/mdev/devices/${ONE}0`,
      "name_malformed /sys/class/mdev_bus/evil\\u001b[2J",
      `name_malformed ${MTTY}/mdev_supported_types/ü`,
    ]);
  });

  it("looks at 4096 entries of a directory and says that there are more", () => {
    const entries = Array.from({ length: 4097 }, (_, index) => [
      `/sys/class/mdev_bus/p${String(index).padStart(4, "0")}`,
      link("/x"),
    ]);
    const snapshot = read(Object.fromEntries(entries) as Entries);
    assert.equal(snapshot.problems.filter(({ code }) => code === "link_broken").length, 4096);
    assert.ok(codes(snapshot).includes("too_many_entries /sys/class/mdev_bus"));
  });

  it("makes an mdev parent of a PCI function with its driver and module", () => {
    const path = "/sys/devices/pci0000:00/0000:08:00.0";
    const snapshot = read(
      pciFunction("0000:08:00.0", { ...bound("nvidia", "nvidia"), ...mdevType("nvidia-222") }),
      { "/sys/class/mdev_bus/0000:08:00.0": link("../../devices/pci0000:00/0000:08:00.0") },
      mdevDevice(
        { parent: path, uuid: ONE, type: "nvidia-222" },
        {
          "nvidia/vgpu_params": "enable_profiling=1\n",
          "nvidia/placement_id": "4\n",
        },
      ),
    );
    assert.deepEqual(codes(snapshot), []);
    const parent = only(snapshot.parents);
    assert.deepEqual(
      [
        parent.pci,
        valueOf(parent.driver),
        valueOf(parent.module),
        valueOf(parent.numaNode),
        valueOf(parent.iommuGroup),
        parent.poolOwner.kind,
      ],
      ["0000:08:00.0", "nvidia", "nvidia", 1, 7, "parent"],
    );
    const device = only(snapshot.devices);
    assert.deepEqual([valueOf(device.placementId), device.gpuInstanceId.kind], [4, "absent"]);
    assert.equal(device.facts["vgpu_params"]?.kind, "known");
  });
});

describe("readHost() on what a type publishes", () => {
  it("reads the attributes of seed 002", () => {
    const type = {
      software_version: "1.4.2\n",
      compatible_type: "mtty-1\n",
      compatible_pci_ids: "0x8086591D, 8086591d\n",
      compatible_pv_mode: "none ppgtt,context\n",
      dynamic_resources: "aggregator, fps,...\n",
      migration_version: "8086-591d-1\n",
      aggregation: "0x08\n",
    };
    const { attributes, maxAggregation } = only(only(mtty(type, {}).parents).types);
    assert.deepEqual(valueOf(attributes.softwareVersion), { major: 1, minor: 4, bugfix: 2 });
    assert.deepEqual(valueOf(attributes.compatibleTypes), ["mtty-1"]);
    assert.deepEqual(Object.keys(attributes.compatible).sort(), ["pci_ids", "pv_mode"]);
    assert.deepEqual(attributes.compatible["pci_ids"]?.kind === "known" && attributes.compatible["pci_ids"].value, [
      "8086591d",
    ]);
    assert.deepEqual(attributes.compatible["pv_mode"]?.kind === "known" && attributes.compatible["pv_mode"].value, [
      "none",
      "ppgtt",
      "context",
    ]);
    assert.deepEqual(valueOf(attributes.dynamicResources), ["aggregator", "fps"]);
    assert.deepEqual(
      [valueOf(attributes.migrationVersion), attributes.migrationVersion.evidence.source],
      ["8086-591d-1", "interface"],
    );
    assert.equal(valueOf(maxAggregation), 8);
  });

  it("keeps fields that have the names of object properties", () => {
    const { attributes } = only(
      only(mtty({ compatible___proto__: "1\n", compatible_constructor: "2\n" }, {}).parents).types,
    );
    assert.deepEqual(Object.keys(attributes.compatible).sort(), ["__proto__", "constructor"]);
    const device = only(mtty({ dynamic_resources: "__proto__ constructor\n" }, { ["__proto__"]: "1\n" }).devices);
    assert.deepEqual(Object.keys(device.dynamicValues).sort(), ["__proto__", "constructor"]);
    assert.deepEqual(
      [device.dynamicValues["__proto__"]?.kind, device.dynamicValues["constructor"]?.kind],
      ["known", "absent"],
    );
  });

  const UNREADABLE: Readonly<Record<string, { readonly type: Entries; readonly code: string; readonly why: RegExp }>> =
    {
      "an errno": {
        type: { migration_version: { kind: "failing", errno: "ENODEV" } },
        code: "attribute_unreadable",
        why: /^ENODEV/,
      },
      "a text that is too long": {
        type: { migration_version: "x".repeat(4097) },
        code: "attribute_too_long",
        why: /longer than 4096/,
      },
      "10 MB": {
        type: { migration_version: "x".repeat(10_000_000) },
        code: "attribute_too_long",
        why: /longer than 4096/,
      },
      "a NUL": { type: { migration_version: "a\0b\n" }, code: "attribute_malformed", why: /printable|ASCII/ },
      "a link out of the root": {
        type: { migration_version: link("../".repeat(20)) },
        code: "link_outside_root",
        why: /EXDEV/,
      },
      "a link to nothing": {
        type: { migration_version: link("gone") },
        code: "link_broken",
        why: /gone, which is not there/,
      },
      "a link in a circle": { type: { migration_version: link("migration_version") }, code: "link_loop", why: /ELOOP/ },
      "a directory": { type: { "migration_version/x": "" }, code: "attribute_unreadable", why: /EISDIR/ },
    };
  for (const [sentence, { type, code, why }] of Object.entries(UNREADABLE)) {
    it(`is unreadable and a problem for ${sentence}`, () => {
      const snapshot = mtty(type, {});
      const reading = only(only(snapshot.parents).types).attributes.migrationVersion;
      assert.ok(reading.kind === "unreadable");
      assert.match(reading.why, why);
      const problem = only(snapshot.problems);
      assert.deepEqual([problem.code, problem.path], [code, `${MTTY}/mdev_supported_types/mtty-2/migration_version`]);
      assert.ok((problem.text ?? "").length <= 1200);
    });
  }

  it("takes a text of 4096 characters and its newline", () => {
    const reading = only(only(mtty({ migration_version: `${"x".repeat(4096)}\n` }, {}).parents).types).attributes
      .migrationVersion;
    assert.equal(valueOf(reading)?.length, 4096);
  });

  it("says what the kernel always has and this tree has not", () => {
    const snapshot = read(virtualParent("mtty", { "mdev_supported_types/mtty-2/name": "x\n" }));
    const path = `${MTTY}/mdev_supported_types/mtty-2`;
    assert.deepEqual(codes(snapshot), [
      `attribute_missing ${path}/available_instances`,
      `attribute_missing ${path}/device_api`,
    ]);
  });
});

const AGGREGATION: Readonly<Record<string, { readonly device: Entries; readonly value: unknown }>> = {
  "is one where nothing says otherwise": { device: {}, value: { count: 1, settable: false } },
  "of the drafts of 2020": {
    device: { "mdev/aggregated_instances": "4\n", "mdev/max_aggregation": "8\n", aggregator: "9\n" },
    value: { count: 4, attribute: "mdev/aggregated_instances", settable: true, max: 8 },
  },
  "of the draft of December 2019": {
    device: { "mdev/aggregated_instances": "2\n", "mdev/aggregation": "6\n" },
    value: { count: 2, attribute: "mdev/aggregation", settable: true, max: 6 },
  },
  "in a vendor's group": {
    device: { "intel_vgpu/aggregator": "30\n" },
    value: { count: 30, attribute: "intel_vgpu/aggregator", settable: true },
  },
  "below the device": { device: { aggregator: "30\n" }, value: { count: 30, attribute: "aggregator", settable: true } },
  "of the first generation": {
    device: { aggregated_instances: "3\n" },
    value: { count: 3, attribute: "aggregated_instances", settable: false },
  },
  "that cannot be adjusted": {
    device: { "mdev/aggregated_instances": "0\n", "mdev/max_aggregation": "0\n" },
    value: { count: 1, attribute: "mdev/aggregated_instances", settable: false },
  },
};

describe("readHost() on aggregation", () => {
  for (const [sentence, { device, value }] of Object.entries(AGGREGATION)) {
    it(`reads a count ${sentence}`, () => assert.deepEqual(valueOf(only(mtty({}, device).devices).aggregation), value));
  }
  it("does not take another count for one that cannot be read", () => {
    const { aggregation } = only(mtty({}, { "mdev/aggregated_instances": "many\n", aggregator: "2\n" }).devices);
    assert.equal(aggregation.kind, "unreadable");
  });
});

const OUTSIDE = link("../../../../../../proc/version");
const DYNAMIC: Readonly<
  Record<
    string,
    {
      readonly name: string;
      readonly device: Entries;
      readonly kind: string;
      readonly value?: string;
      readonly code?: string;
    }
  >
> = {
  "directly below the device": { name: "fps", device: { fps: "60\n" }, kind: "known", value: "60" },
  "by its path": { name: "intel_vgpu/fps", device: { "intel_vgpu/fps": "60\n" }, kind: "known", value: "60" },
  "in a group": { name: "fps", device: { "intel_vgpu/fps": "60\n" }, kind: "known", value: "60" },
  "below the device before a group": {
    name: "fps",
    device: { fps: "30\n", "intel_vgpu/fps": "60\n" },
    kind: "known",
    value: "30",
  },
  nowhere: { name: "fps", device: {}, kind: "absent" },
  "in two groups": {
    name: "fps",
    device: { "a/fps": "1\n", "b/fps": "1\n" },
    kind: "unreadable",
    code: "name_malformed",
  },
  "above the device": { name: "../mtty-2/name", device: {}, kind: "unreadable", code: "name_malformed" },
  "through a link": { name: "fps", device: { fps: OUTSIDE }, kind: "unreadable", code: "name_malformed" },
  "through the link to its type": { name: "mdev_type/name", device: {}, kind: "unreadable", code: "name_malformed" },
  "at an absolute path": { name: "/proc/version", device: {}, kind: "unreadable", code: "name_malformed" },
  "that fails": {
    name: "fps",
    device: { fps: { kind: "failing", errno: "EIO" } },
    kind: "unreadable",
    code: "attribute_unreadable",
  },
};

describe("readHost() on dynamic resources", () => {
  for (const [sentence, { name, device, kind, value, code }] of Object.entries(DYNAMIC)) {
    it(`reads one ${sentence}`, () => {
      const snapshot = mtty({ dynamic_resources: `${name}\n` }, device);
      const reading: VfioDevice["dynamicValues"][string] | undefined = only(snapshot.devices).dynamicValues[name];
      assert.equal(reading?.kind, kind);
      if (reading?.kind === "known") assert.equal(reading.value, value);
      assert.deepEqual(
        snapshot.problems.map((problem) => problem.code),
        code === undefined ? [] : [code],
      );
    });
  }
});

describe("readHost() on VFIO debugfs", () => {
  const FOLDER = `/sys/kernel/debug/vfio/${ONE}`;
  const CASES: Readonly<
    Record<string, { readonly entries: Entries; readonly kind: string; readonly value?: unknown }>
  > = {
    "is absent without debugfs": { entries: {}, kind: "absent" },
    "is absent for a device without a folder": {
      entries: { "/sys/kernel/debug/vfio": { kind: "directory" } },
      kind: "absent",
    },
    "is none for a driver that cannot migrate": {
      entries: { [FOLDER]: { kind: "directory" } },
      kind: "known",
      value: { stopCopy: false, p2p: false, preCopy: false, dirtyTracking: false },
    },
    "reads the words": {
      entries: { [`${FOLDER}/migration/features`]: "stop-copy\np2p\n", [`${FOLDER}/migration/state`]: "RUNNING\n" },
      kind: "known",
      value: { stopCopy: true, p2p: true, preCopy: false, dirtyTracking: false },
    },
    "is unreadable for half a text": { entries: { [`${FOLDER}/migration/features`]: "stop-co" }, kind: "unreadable" },
    "is unreadable where debugfs is": { entries: { "/sys/kernel/debug": link("debug") }, kind: "unreadable" },
  };
  for (const [sentence, { entries, kind, value }] of Object.entries(CASES)) {
    it(sentence, () => {
      const snapshot = mtty({}, {}, entries);
      const { features } = only(snapshot.devices);
      assert.equal(features.kind, kind);
      if (features.kind === "known") assert.deepEqual(features.value, value);
      assert.equal(snapshot.problems.length, kind === "unreadable" ? 1 : 0);
    });
  }
  it("keeps the state as a fact", () => {
    const entries = { [`${FOLDER}/migration/features`]: "stop-copy\n", [`${FOLDER}/migration/state`]: "RUNNING\n" };
    const fact = only(mtty({}, {}, entries).devices).facts["vfio_migration_state"];
    assert.equal(fact?.kind === "known" && fact.value, "RUNNING");
  });
});
