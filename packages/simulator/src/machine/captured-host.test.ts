// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { listTree } from "../tree/list-tree.ts";
import { simulateHost, type SimulatedHost } from "./host.ts";
import type { MachineSpec } from "./machine.ts";

/** One entry of a capture, in the form of `listTree`. */
type Line = string;

const CAPTURE = new URL("../../../../fixtures/sysfs/linux-6.12-host-a.tgz", import.meta.url);

/** Reads a tar archive of the GNU kind, long names included, into lines in order of path. */
function readCapture(): readonly Line[] {
  const bytes = gunzipSync(readFileSync(CAPTURE));
  const lines = new Map<string, Line>();
  const long = new Map<string, string>();
  let next = 0;
  for (let at = 0; bytes[at] !== undefined && bytes[at] !== 0; at = next) {
    const field = (from: number, length: number) => cutAtNul(bytes.toString("utf8", at + from, at + from + length));
    const size = Number.parseInt(field(124, 12), 8);
    const content = bytes.toString("utf8", at + 512, at + 512 + size);
    next = at + 512 + Math.ceil(size / 512) * 512;
    const kind = field(156, 1);
    if (kind === "L" || kind === "K") {
      long.set(kind, cutAtNul(content));
      continue;
    }
    const name = (long.get("L") ?? field(0, 100)).replace(/^\.?\//, "").replace(/\/$/, "");
    const target = long.get("K") ?? field(157, 100);
    const mode = Number.parseInt(field(100, 8), 8) & 0o777;
    lines.set(`/${name}`, formatLine(`/${name}`, { kind, mode, target, content }));
    long.clear();
  }
  return [...lines.keys()].sort().map((path) => lines.get(path) ?? "");
}

function cutAtNul(text: string): string {
  return text.replace(/\0.*$/s, "");
}

interface Entry {
  readonly kind: string;
  readonly mode: number;
  readonly target: string;
  readonly content: string;
}

function formatLine(path: string, { kind, mode, target, content }: Entry): Line {
  const head = `${mode.toString(8).padStart(3, "0")} ${path}`;
  if (kind === "5") return `${head}/`;
  if (kind === "2") return `777 ${path} -> ${target}`;
  return (mode & 0o444) === 0 ? head : `${head} = ${JSON.stringify(content)}`;
}

const [FIRST, SECOND, SERIAL] = [1, 4, 5].map((n) => `aaaaaaaa-0000-4000-8000-00000000000${n}`);

/** The lab's GPU-shaped parents: QEMU's `edu` device under a driver called nvidia, of module vgpu. */
function makeLabGpu(address: string): MachineSpec {
  return {
    kind: "nvidia-mdev",
    model: "T4",
    address,
    driverModule: "vgpu",
    mdevDriver: { name: "nvidia-vgpu-vfio", module: "vgpu" },
    deviceGroup: "sample",
    pciIds: {
      vendor: "1234",
      device: "11e8",
      subsystemVendor: "1af4",
      subsystemDevice: "1100",
      classCode: "00ff00",
      revision: "10",
    },
  };
}

function makeHostA(): SimulatedHost {
  return simulateHost({
    name: "host-a",
    machines: [{ kind: "mtty" }, makeLabGpu("0000:00:10.0"), makeLabGpu("0000:00:11.0")],
    modules: [{ name: "vgpu", version: "0.1", srcversion: "E1739203163186A51FFA353", taint: "OE" }],
    devices: [
      { parent: "0000:00:10.0", type: "nvidia-231", uuid: FIRST ?? "" },
      { parent: "0000:00:10.0", type: "nvidia-231", uuid: SECOND ?? "" },
      { parent: "mtty", type: "mtty-2", uuid: SERIAL ?? "" },
    ],
  });
}

/** Parts of the tree that the simulator claims to show as Linux 6.12 does; the other samples of that host aside. */
const PARTS: Readonly<Record<string, (path: string) => boolean>> = {
  "the mdev bus": (path) => path.startsWith("/sys/bus/mdev/"),
  "the class of parents": (path) => path.startsWith("/sys/class/mdev_bus/"),
  "mtty with its types and its device": (path) => path.startsWith("/sys/devices/virtual/mtty/"),
  "types and devices of a PCI parent": (path) =>
    /^\/sys\/devices\/pci0000:00\/0000:00:10\.0\/(?:mdev_|aaaa)/.test(path),
  "types of an empty PCI parent": (path) => path.startsWith("/sys/devices/pci0000:00/0000:00:11.0/mdev_"),
  "the IOMMU groups of mdev devices": (path) => path.startsWith("/sys/kernel/iommu_groups/"),
  "the links of VFIO groups": (path) => path.startsWith("/sys/class/vfio/"),
  "the PCI driver": (path) => path.startsWith("/sys/bus/pci/drivers/nvidia/"),
  "the vendor drivers' modules": (path) => /^\/sys\/module\/(?:mtty|vgpu)\//.test(path),
  "identity of a PCI function": (path) =>
    /^\/sys\/devices\/pci0000:00\/0000:00:1[01]\.0\/(?:vendor|device|subsystem\w*|class|revision|modalias|uevent|driver|numa_node|driver_override)$/.test(
      path,
    ),
};

describe(
  "a simulated host beside the captured Linux 6.12",
  { skip: hasCapture() ? false : "fixtures/sysfs is not there" },
  () => {
    const captured = hasCapture() ? readCapture() : [];
    const simulated = listTree(makeHostA().tree, "/");
    for (const [part, holds] of Object.entries(PARTS)) {
      it(`shows ${part} alike`, () => {
        const pick = (lines: readonly Line[]) =>
          lines.filter((line) => holds(pathOf(line)) && !/\/(?:mdpy|mbochs)(?:\/|$| )/.test(line)).sort();
        const expected = pick(captured);
        assert.notEqual(expected.length, 0);
        assert.deepEqual(pick(simulated), expected);
      });
    }
  },
);

function pathOf(line: Line): string {
  return line.split(" ")[1] ?? "";
}

function hasCapture(): boolean {
  try {
    return readFileSync(CAPTURE).length > 0;
  } catch {
    return false;
  }
}
