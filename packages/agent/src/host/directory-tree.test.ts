// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, it } from "node:test";

import { openDirectoryTree } from "./directory-tree.ts";
import { testStrangeFiles, testSysfsTree } from "./sysfs-tree.contract.ts";
import type { TreeEntries } from "./sysfs-tree.contract.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "berth-directory-tree-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

testSysfsTree("openDirectoryTree()", (entries) => openDirectoryTree(writeTree(entries)));
testStrangeFiles("openDirectoryTree()", (entries) => openDirectoryTree(writeTree(entries)));

/** Writes entries into a folder of their own. */
function writeTree(entries: TreeEntries): string {
  const root = fs.mkdtempSync(path.join(scratch, "tree-"));
  for (const [name, entry] of Object.entries(entries)) {
    const at = path.join(root, name);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    if (typeof entry === "string") fs.writeFileSync(at, entry);
    else if (entry.kind === "file") fs.writeFileSync(at, entry.content, { mode: entry.mode ?? 0o444 });
    else if (entry.kind === "link") fs.symlinkSync(entry.target, at);
    else if (entry.kind === "directory") fs.mkdirSync(at, { recursive: true });
    else execFileSync("mkfifo", [at]);
  }
  return root;
}

describe("openDirectoryTree()", () => {
  it("takes the root with or without a slash at its end", () => {
    const root = writeTree({ "/sys/file": "text" });
    assert.deepEqual(openDirectoryTree(`${root}/`).read("/sys/file", 10), { kind: "text", text: "text" });
  });
  it("does not follow a link to a secret beside the root", () => {
    const root = writeTree({
      "/sys/leak": { kind: "link", target: "../../secret" },
      "/sys/far": { kind: "link", target: "/secret" },
    });
    fs.writeFileSync(path.join(path.dirname(root), "secret"), "secret");
    const tree = openDirectoryTree(root);
    assert.equal(tree.read("/sys/leak", 10).kind, "refused");
    assert.deepEqual(tree.read("/sys/far", 10), { kind: "absent" });
  });
  it("fails on sockets and device nodes without opening them", () => {
    const tree = openDirectoryTree("/");
    assert.deepEqual(tree.resolve("/dev/null"), { kind: "path", path: "/dev/null", is: "other" });
    assert.equal(tree.read("/dev/null", 10).kind, "failed");
  });
  it("reads files of this very kernel in one look", () => {
    const tree = openDirectoryTree("/");
    const text = fs.readFileSync("/proc/version", "utf8");
    assert.deepEqual(tree.read("/proc/version", 4096), { kind: "text", text });
  });
  it("answers the same of folders that it has long forgotten", () => {
    const names = Array.from({ length: 1500 }, (_, index) => `/sys/d${index}`);
    const root = writeTree(Object.fromEntries(names.map((name) => [`${name}/file`, name])));
    const tree = openDirectoryTree(root);
    for (const name of names) assert.deepEqual(tree.list(name), { kind: "names", names: ["file"] });
    for (const name of names) {
      assert.deepEqual(tree.read(`${name}/file`, 100), { kind: "text", text: name });
      assert.deepEqual(tree.read(`${name}/none`, 100), { kind: "absent" });
    }
  });
  it("lists anew what was listed before", () => {
    const root = writeTree({ "/sys/one": "1" });
    const tree = openDirectoryTree(root);
    assert.deepEqual(tree.list("/sys"), { kind: "names", names: ["one"] });
    fs.writeFileSync(path.join(root, "sys/two"), "2");
    assert.deepEqual(tree.list("/sys"), { kind: "names", names: ["one", "two"] });
    assert.deepEqual(tree.read("/sys/two", 10), { kind: "text", text: "2" });
  });
  it("answers absent for a file that vanished after it was listed", () => {
    const root = writeTree({ "/sys/one": "1" });
    const tree = openDirectoryTree(root);
    tree.list("/sys");
    fs.rmSync(path.join(root, "sys/one"));
    assert.deepEqual(tree.read("/sys/one", 10), { kind: "absent" });
  });
  it("refuses a file that became a link after it was listed", () => {
    const root = writeTree({ "/sys/one": "1" });
    const tree = openDirectoryTree(root);
    tree.list("/sys");
    fs.rmSync(path.join(root, "sys/one"));
    fs.symlinkSync("/etc/hostname", path.join(root, "sys/one"));
    assert.equal(tree.read("/sys/one", 10).kind, "refused");
  });
  it("names an error of the file system", () => {
    const tree = openDirectoryTree(writeTree({ "/sys/one": "1" }));
    const read = tree.read(`/sys/${"n".repeat(300)}`, 10);
    assert.equal(read.kind === "failed" && read.errno, "ENAMETOOLONG");
  });
});
