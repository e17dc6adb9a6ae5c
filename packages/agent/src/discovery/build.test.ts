// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { valueOf } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { openMemoryTree } from "../host/memory-tree.ts";
import { readHost } from "./read-host.ts";
import { KERNEL, link } from "./sample-trees.ts";
import type { Entries } from "./sample-trees.ts";

function read(...parts: readonly Entries[]): HostSnapshot {
  return readHost(openMemoryTree(Object.entries(Object.assign({}, ...parts) as Entries)), "h");
}

const BUS: Entries = { "/sys/bus/pci/devices": { kind: "directory" } };

describe("readHost() on builds", () => {
  it("reads kernel and operating system", () => {
    const { kernel, os, problems } = read(KERNEL, BUS);
    assert.deepEqual(
      [valueOf(kernel.release), valueOf(kernel.version), valueOf(os)],
      ["6.12.1-test", "Linux version 6.12.1-test (gcc) #1 SMP", "rhel 9.6"],
    );
    assert.deepEqual(problems, []);
  });

  it("reads /usr/lib/os-release where /etc has none", () => {
    const { "/etc/os-release": _, ...entries } = KERNEL;
    const { os } = read(entries, BUS);
    assert.deepEqual([valueOf(os), os.evidence.path], ["rhel 9.6", "/usr/lib/os-release"]);
  });

  it("says that a tree shows no kernel and no devices", () => {
    const { problems } = read({ "/sys/x": "" });
    assert.deepEqual(
      problems.map(({ code, path }) => `${code} ${path}`),
      ["attribute_missing /proc/sys/kernel/osrelease", "attribute_missing /proc/version", "tree_incomplete /sys"],
    );
  });

  it("reads version, srcversion, build-id and taint of VFIO's modules where they are", () => {
    const note = Uint8Array.of(4, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, 0xab, 0xcd, 0, 0);
    const path = "/sys/module/mdev";
    const { modules, problems } = read(KERNEL, BUS, {
      [`${path}/version`]: "0.1\n",
      [`${path}/srcversion`]: "ABCDEF\n",
      [`${path}/taint`]: "\n",
      [`${path}/notes/.note.gnu.build-id`]: { kind: "file", content: note },
    });
    assert.deepEqual(
      modules.map(({ name, version, srcversion, buildId, taint }) => [
        name,
        valueOf(version),
        valueOf(srcversion),
        valueOf(buildId),
        valueOf(taint),
      ]),
      [["mdev", "0.1", "ABCDEF", "abcd", ""]],
    );
    assert.deepEqual(problems, []);
  });

  it("makes a build-id that is none a problem", () => {
    const path = "/sys/module/mdev/notes/.note.gnu.build-id";
    const { modules, problems } = read(KERNEL, BUS, { [path]: "garbage" });
    assert.equal(modules[0]?.buildId.kind, "unreadable");
    assert.deepEqual(
      problems.map((problem) => `${problem.code} ${problem.path}`),
      [`attribute_malformed ${path}`],
    );
  });

  it("escapes what a hostile tree would write to a terminal", () => {
    const { problems } = read(KERNEL, BUS, { "/sys/bus/pci/devices/\u001b[31m\u202e": link("x") });
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["/sys/bus/pci/devices/\\u001b[31m\\u202e"],
    );
  });
});
