// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { openMemoryTree } from "./memory-tree.ts";
import { testStrangeFiles, testSysfsTree } from "./sysfs-tree.contract.ts";

testSysfsTree("openMemoryTree()", (entries) => openMemoryTree(Object.entries(entries)));
testStrangeFiles("openMemoryTree()", (entries) => openMemoryTree(Object.entries(entries)));

describe("openMemoryTree()", () => {
  it("fails as the entry says", () => {
    const tree = openMemoryTree([
      ["/sys/bad", { kind: "failing", errno: "EIO" }],
      ["/sys/folder", { kind: "directory", errno: "EACCES" }],
      ["/sys/folder/file", "text"],
    ]);
    assert.deepEqual(tree.read("/sys/bad", 10), {
      kind: "failed",
      errno: "EIO",
      why: "reading /sys/bad fails with EIO",
    });
    assert.equal(tree.list("/sys/folder").kind, "failed");
    assert.deepEqual(tree.read("/sys/folder/file", 10), { kind: "text", text: "text" });
  });
  it("takes names of object prototypes for names", () => {
    const tree = openMemoryTree([["/sys/__proto__/constructor", "text"]]);
    assert.deepEqual(tree.list("/sys"), { kind: "names", names: ["__proto__"] });
    assert.deepEqual(tree.read("/sys/constructor", 10), { kind: "absent" });
    assert.deepEqual(tree.read("/sys/__proto__/constructor", 10), { kind: "text", text: "text" });
  });
  it("is empty without entries", () => assert.deepEqual(openMemoryTree([]).list("/"), { kind: "names", names: [] }));
});
