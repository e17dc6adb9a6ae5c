// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import type { Reading } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { openRoot } from "../host/open-root.ts";
import { captureArchive, unpackCapture } from "./captured-hosts.ts";
import { readHost } from "./read-host.ts";
import { compare } from "./scan.ts";

const HOSTS = ["linux-6.12-host-a", "linux-6.12-host-b"];
const NVIDIA = "nvidia-a2-mdev-and-l40s-vf";
const folders = new Map([...HOSTS, NVIDIA].map((name) => [name, unpackCapture(name)]));
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })));

function folderOf(name: string): string {
  return folders.get(name) ?? "";
}

function toolOutput(name: string, file: string): string {
  return fs.readFileSync(path.join(folderOf(name), "tool-output", file), "utf8");
}

/** mdevctl's nested lists of one-key objects, flattened: parent, name, what it says. */
function flatten<T>(json: string): readonly (readonly [parent: string, name: string, body: T])[] {
  const lists = JSON.parse(json) as readonly Record<string, readonly Record<string, T>[]>[];
  return lists.flatMap((parents) =>
    Object.entries(parents).flatMap(([parent, items]) =>
      items.flatMap((item) => Object.entries(item).map(([name, body]) => [parent, name, body] as const)),
    ),
  );
}

/** A reading as the tools print it: nothing where nothing is known. */
function shown<T>(reading: Reading<T> | undefined): T | undefined {
  return reading === undefined ? undefined : valueOf(reading);
}

/** Lists of texts have an order here only so that they can be compared. */
function byText(a: readonly unknown[], b: readonly unknown[]): number {
  return compare(a.join(), b.join());
}

interface MdevctlType {
  readonly available_instances: number;
  readonly device_api: string;
  readonly name?: string;
  readonly description?: string;
}

for (const name of HOSTS) {
  describe(`readHost() of ${name}`, () => {
    const snapshot = readHost(openRoot(folderOf(name)), name);

    it("agrees with mdevctl types on parents, types, numbers and texts", () => {
      const said = flatten<MdevctlType>(toolOutput(name, "mdevctl-types.json"));
      const read = snapshot.parents.flatMap((parent) =>
        parent.types.map((type) => {
          const body = {
            available_instances: shown(type.availableInstances),
            device_api: shown(type.deviceApi),
            ...(shown(type.name) === undefined ? {} : { name: shown(type.name) }),
            // mdevctl prints a description of several lines on one.
            ...(shown(type.description) === undefined
              ? {}
              : { description: shown(type.description)?.replaceAll("\n", ", ") }),
          };
          return [parent.id, type.id as string, body] as const;
        }),
      );
      assert.ok(said.length > 0);
      assert.deepEqual(read, said);
    });

    it("agrees with mdevctl list on devices, parents and types", () => {
      const said = flatten<{ readonly mdev_type: string }>(toolOutput(name, "mdevctl-list.json"));
      const read = snapshot.devices.map((device) => [device.parent, device.id, shown(device.type)]);
      assert.ok(said.length > 0);
      assert.deepEqual(
        read.sort(byText),
        said.map(([parent, uuid, body]) => [parent, uuid, body.mdev_type]).sort(byText),
      );
    });

    it("agrees with virsh nodedev on paths, drivers, ids, groups and numbers", () => {
      const said = parseNodeDevices(toolOutput(name, "virsh-nodedev.xml"));
      assert.ok(said.length > 0);
      for (const device of said) assert.deepEqual(describeAs(snapshot, device), device);
    });

    it("meets one problem: the slice has no file behind /etc/os-release", () => {
      assert.deepEqual(
        snapshot.problems.map(({ code, path: at }) => [code, at]),
        [["link_broken", "/etc/os-release"]],
      );
    });

    it("names the module behind driver nvidia, which has another name", () => {
      const parents = snapshot.parents.filter((parent) => shown(parent.driver) === "nvidia");
      assert.ok(parents.length > 0);
      for (const parent of parents) assert.equal(shown(parent.module), "vgpu");
      const build = snapshot.modules.find((module) => module.name === "vgpu");
      const file = fs.readFileSync(path.join(folderOf(name), "sys/module/vgpu/srcversion"), "utf8");
      assert.equal(shown(build?.srcversion), file.trim());
    });

    it("is the same from the archive as from the folder", () => {
      assert.deepEqual(readHost(openRoot(captureArchive(name)), name), snapshot);
    });
  });
}

interface NodeDevice {
  readonly path: string | undefined;
  readonly driver: string | undefined;
  readonly ids: readonly (string | undefined)[];
  readonly type: string | undefined;
  readonly group: string | undefined;
  readonly types: readonly (readonly (string | undefined)[])[];
}

/** What libvirt says of each node device, as far as a snapshot holds it. */
function parseNodeDevices(xml: string): readonly NodeDevice[] {
  return [...xml.matchAll(/<device>(.*?)<\/device>/gs)].map(([, body = ""]) => {
    const find = (pattern: RegExp, text = body): string | undefined => pattern.exec(text)?.[1];
    const blocks = [...body.matchAll(/<type id='([^']*)'>(.*?)<\/type>/gs)];
    return {
      path: find(/<path>(.*?)<\/path>/),
      driver: find(/<driver>\s*<name>(.*?)<\/name>/),
      ids: [find(/<class>0x(.*?)<\/class>/), find(/<vendor id='0x(.*?)'/), find(/<product id='0x(.*?)'/)],
      type: find(/<type id='([^']*)'\/>/),
      group: find(/<iommuGroup number='(\d+)'/),
      types: blocks
        .map(([, id, text = ""]) => [
          id,
          find(/<name>(.*?)</, text),
          find(/<deviceAPI>(.*?)</, text),
          find(/<availableInstances>(.*?)</, text),
        ])
        .sort(byText),
    };
  });
}

/** The same of the snapshot: the parent or device at that path. */
function describeAs(snapshot: HostSnapshot, said: NodeDevice): NodeDevice {
  const parent = snapshot.parents.find((candidate) => candidate.path === said.path);
  const device = snapshot.devices.find((candidate) => candidate.path === said.path);
  const pci = snapshot.functions.find((candidate) => candidate.path === said.path);
  const ids = shown(pci?.ids);
  const group = shown(device?.iommuGroup ?? parent?.iommuGroup);
  const types = (parent?.types ?? []).map((type) => [
    type.id,
    shown(type.name),
    shown(type.deviceApi),
    String(shown(type.availableInstances)),
  ]);
  return {
    path: device?.path ?? parent?.path,
    driver: shown(device?.driver ?? parent?.driver),
    ids: [shown(pci?.classCode), ids?.vendor, ids?.device],
    type: shown(device?.type),
    group: group === undefined ? undefined : String(group),
    types: types.sort(byText),
  };
}

describe(`readHost() of ${NVIDIA}`, () => {
  const snapshot = readHost(openRoot(folderOf(NVIDIA)), "gpu");
  const [a2, l40s] = snapshot.parents;

  it("reads every type of the A2, and does not know whose room it is", () => {
    const types = path.join(folderOf(NVIDIA), "sys/class/mdev_bus/0000:08:01.7/mdev_supported_types");
    assert.deepEqual(
      a2?.types.map(({ id }) => id as string),
      fs.readdirSync(types).sort(),
    );
    assert.equal(a2?.types.length, 15);
    assert.equal(a2?.poolOwner.kind, "unknown");
    assert.deepEqual([shown(a2?.driver), a2?.framework], ["nvidia", "mdev"]);
    const available = a2?.types.filter((type) => shown(type.availableInstances) === 1).map(({ id }) => id as string);
    assert.deepEqual(available, ["nvidia-746", "nvidia-751", "nvidia-754"]);
  });

  it("reads every creatable type of the L40S function", () => {
    const file = path.join(folderOf(NVIDIA), "sys/bus/pci/devices/0000:26:00.4/nvidia/creatable_vgpu_types");
    const rows = fs
      .readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((row) => row.split(" : ").map((text) => text.trim()));
    assert.deepEqual(
      l40s?.types.map((type) => [type.id.replace("nvidia-", ""), shown(type.name)]),
      rows.sort(byText),
    );
    assert.equal(l40s?.types.length, 23);
    assert.deepEqual(
      [l40s?.framework, l40s?.currentType.kind, l40s?.poolOwner.kind],
      ["vendor-vfio", "absent", "unknown"],
    );
    assert.ok(
      l40s?.types.every((type) => shown(type.availableInstances) === 1 && shown(type.deviceApi) === "vfio-pci"),
    );
  });

  it("says what the slices leave out", () => {
    assert.deepEqual(
      snapshot.problems.map(({ code, path: at }) => `${code} ${at}`),
      [
        "attribute_missing /proc/sys/kernel/osrelease",
        "attribute_missing /proc/version",
        "pool_owner_unknown /sys/bus/pci/devices/0000:26:00.4",
        "tree_incomplete /sys/bus/pci/devices/0000:26:00.4",
        "pool_owner_unknown /sys/class/mdev_bus/0000:08:01.7",
      ],
    );
  });

  it("is the same from the archive as from the folder", () => {
    assert.deepEqual(readHost(openRoot(captureArchive(NVIDIA)), "gpu"), snapshot);
  });
});

describe("readHost() of this very machine", () => {
  const tree = openRoot("/");
  const snapshot = readHost(tree, "here");
  const list = (folder: string): readonly string[] => (fs.existsSync(folder) ? fs.readdirSync(folder).sort() : []);

  it("shows every PCI function that is a PF, a VF, a parent or assigned, and no other", () => {
    const folder = "/sys/bus/pci/devices";
    const expected = list(folder).filter((address) => {
      const names = list(path.join(folder, address));
      const driver = names.includes("driver")
        ? path.basename(fs.readlinkSync(path.join(folder, address, "driver")))
        : "";
      return (
        /vfio[-_]pci/.test(driver) ||
        names.some((name) => /^(?:physfn|sriov_totalvfs|virtfn0|mdev_supported_types|nvidia|vfio-dev)$/.test(name))
      );
    });
    assert.deepEqual(
      snapshot.functions.map(({ address }) => address as string),
      expected,
    );
  });

  it("shows the parents and devices of the mdev bus and no others", () => {
    const parents = snapshot.parents.filter(({ framework }) => framework === "mdev");
    assert.deepEqual(
      parents.map(({ id }) => id),
      list("/sys/class/mdev_bus"),
    );
    const devices = snapshot.devices.filter(({ kind }) => kind === "mdev");
    assert.deepEqual(
      devices.map(({ id }) => id),
      list("/sys/bus/mdev/devices"),
    );
  });

  it("reads the kernel that runs", () => {
    assert.equal(shown(snapshot.kernel.release), fs.readFileSync("/proc/sys/kernel/osrelease", "utf8").trim());
  });
});
