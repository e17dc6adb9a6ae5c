// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Effect, ReadBack, Step } from "@berth/core/provision/step";
import { openMemoryTree } from "../host/memory-tree.ts";
import { checkSteps, placeOf } from "./effect-place.ts";
import { findDifference, observe } from "./observe.ts";

const U = "aaaaaaaa-0000-4000-8000-000000000001";
const V = "aaaaaaaa-0000-4000-8000-000000000002";
const FOLDER = `/sys/devices/gpu/${U}`;

const tree = openMemoryTree([
  [`/sys/bus/mdev/devices/${U}`, { kind: "link", target: FOLDER }],
  [`${FOLDER}/mdev_type`, { kind: "link", target: "../mdev_supported_types/t-1" }],
  ["/sys/devices/gpu/mdev_supported_types/t-1/name", "one\n"],
  [`${FOLDER}/driver`, { kind: "link", target: "/sys/bus/mdev/drivers/d" }],
  ["/sys/bus/mdev/drivers/d/unbind", "driver\n"],
  [`${FOLDER}/plain`, "5\n"],
  [`${FOLDER}/vendor/aggregator`, "0x1e\n"],
  [`${FOLDER}/other/aggregator`, "7\n"],
  [`${FOLDER}/secret`, { kind: "file", content: "", mode: 0o200 }],
  [`${FOLDER}/long`, "x".repeat(5000)],
  ["/sys/bus/pci/devices/0000:08:00.4/nvidia/current_vgpu_type", "0\n"],
  [`/etc/mdevctl.d/gpu/${U}`, "{}"],
]);

function write(attribute: string, value: string): Effect {
  return { kind: "write", uuid: U, attribute, value };
}

const SIGHTS: Readonly<Record<string, readonly [effect: Effect, sight: string]>> = {
  "sees a device that stands": [{ kind: "create", parent: "gpu", type: "t-1", uuid: U }, "as-wanted"],
  "sees that a device is missing": [{ kind: "start", parent: "gpu", uuid: V }, "otherwise "],
  "sees a device that is to be gone": [{ kind: "stop", uuid: U }, "otherwise "],
  "sees a device that is gone": [{ kind: "remove", uuid: V }, "as-wanted"],
  "sees a definition": [{ kind: "define", uuid: U, parent: "gpu", definition: "{}" }, "as-wanted"],
  "sees a definition under its parent only": [{ kind: "undefine", uuid: U, parent: "gpu2" }, "as-wanted"],
  "compares integers": [write("plain", "0x5"), "as-wanted"],
  "finds an attribute in the first group that has it": [write("aggregator", "7"), "as-wanted"],
  "finds an attribute by its path": [write("vendor/aggregator", "30"), "as-wanted"],
  "tells what an attribute says instead": [write("plain", "6"), "otherwise 5"],
  "does not look for attributes through links": [write("unbind", "driver"), "absent"],
  "cannot tell what nobody may read": [write("secret", "1"), "unknown EACCES"],
  "cannot tell what is too long": [write("long", "1"), "unknown EIO"],
  "sees the type of a function": [{ kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 0 }, "as-wanted"],
};

describe("observe()", () => {
  for (const [name, [effect, is]] of Object.entries(SIGHTS)) {
    it(name, () => {
      const sight = observe(effect, tree);
      const more = sight.kind === "otherwise" ? ` ${sight.text}` : sight.kind === "unknown" ? ` ${sight.errno}` : "";
      assert.equal(`${sight.kind}${more}`, is);
    });
  }

  it("takes nothing for gone where sysfs itself is missing", () => {
    const nothing = openMemoryTree([]);
    for (const effect of [
      { kind: "remove", uuid: U },
      { kind: "undefine", uuid: U, parent: "gpu" },
      write("plain", "5"),
    ] as const) {
      assert.equal(observe(effect, nothing).kind, "unknown");
    }
  });
});

const DIFFERENCES: Readonly<Record<string, readonly [readBack: ReadBack, difference: string | undefined]>> = {
  "accepts an equal text": [{ path: `/sys/bus/mdev/devices/${U}/plain`, expected: "5" }, undefined],
  "looks for attributes in groups": [{ path: `/sys/bus/mdev/devices/${U}/aggregator`, expected: "7" }, undefined],
  "accepts the last part of a link": [
    { path: `/sys/bus/mdev/devices/${U}/mdev_type`, expected: "t-1", as: "link" },
    undefined,
  ],
  "names another target": [
    { path: `/sys/bus/mdev/devices/${U}/mdev_type`, expected: "t-2", as: "link" },
    'expected "t-2", read "t-1"',
  ],
  "names another text": [{ path: `/sys/bus/mdev/devices/${U}/plain`, expected: "50" }, 'expected "50", read "5"'],
  "names what is missing": [
    { path: `/sys/bus/mdev/devices/${V}/plain`, expected: "5" },
    'expected "5", and it is not there',
  ],
  "names what cannot be read": [
    { path: `/sys/bus/mdev/devices/${U}/secret`, expected: "5" },
    'expected "5", and it cannot be read: EACCES',
  ],
};

describe("findDifference()", () => {
  for (const [name, [readBack, difference]] of Object.entries(DIFFERENCES)) {
    it(name, () => assert.equal(findDifference(readBack, tree), difference));
  }
});

const WRONG: Readonly<Record<string, Partial<Step> & { readonly effect: Effect }>> = {
  "a UUID that walks": { effect: { kind: "remove", uuid: "../../../etc/passwd" } },
  "a UUID in upper case": { effect: { kind: "remove", uuid: U.toUpperCase() } },
  "a parent that walks": { effect: { kind: "create", parent: "..", type: "t-1", uuid: U } },
  "a parent with a slash": { effect: { kind: "define", parent: "a/b", uuid: U, definition: "{}" } },
  "a type with a newline": { effect: { kind: "create", parent: "gpu", type: "t\n1", uuid: U } },
  "no units": { effect: { kind: "create", parent: "gpu", type: "t-1", uuid: U, aggregate: 0 } },
  "an address that walks": { effect: { kind: "set-vgpu-type", address: "../..", typeNumber: 1 } },
  "half a type": { effect: { kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 1.5 } },
  "an attribute that walks": { effect: write("../../x", "1") },
  "the attribute that removes": { effect: write("remove", "1") },
  "a value of two lines": { effect: write("plain", "1\n2") },
  "a definition that is no object": { effect: { kind: "define", parent: "gpu", uuid: U, definition: "[]" } },
  "a definition that is no JSON": { effect: { kind: "define", parent: "gpu", uuid: U, definition: "{" } },
  "an undo that walks": { effect: { kind: "remove", uuid: U }, undo: { kind: "remove", uuid: ".." } },
  "a read-back outside /sys": { effect: { kind: "remove", uuid: U }, readBack: { path: "/etc/shadow", expected: "" } },
  "a read-back that walks": { effect: { kind: "remove", uuid: U }, readBack: { path: "/sys/../etc", expected: "" } },
};

describe("checkSteps()", () => {
  for (const [name, step] of Object.entries(WRONG)) {
    it(`refuses ${name}`, () => {
      const fine: Step = { effect: { kind: "remove", uuid: U }, text: "remove" };
      assert.throws(
        () => checkSteps([fine, { text: "wrong", ...step }]),
        /^RangeError: Cannot execute step 2: expected /,
      );
    });
  }

  it("accepts what plans are made of", () => {
    const effects = Object.values(SIGHTS).map(([effect]) => effect);
    checkSteps(effects.map((effect) => ({ effect, text: placeOf(effect) })));
  });
});
