// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { MemoryEntry } from "./memory-tree.ts";
import type { SysfsTree, Unread } from "./sysfs-tree.ts";

/** What a tree is made of, by absolute path. Every implementation makes one of the same entries. */
export type TreeEntries = Readonly<Record<string, MemoryEntry>>;

const LONG = "x".repeat(5000);

/** A tree with all that the contract speaks of and sysfs can have. */
export const CONTRACT_ENTRIES: TreeEntries = {
  "/etc/inside": "inside\n",
  "/sys/a/b/leaf": "leaf\n",
  "/sys/a/bytes": { kind: "file", content: Uint8Array.of(0, 255, 10, 13) },
  "/sys/a/empty": "",
  "/sys/a/file": "first\nsecond\n",
  "/sys/a/long": LONG,
  "/sys/a/write-only": { kind: "file", content: "secret", mode: 0o200 },
  "/sys/a/owner-only": { kind: "file", content: "mine\n", mode: 0o400 },
  "/sys/empty": { kind: "directory" },
  "/sys/links/absolute": { kind: "link", target: "/etc/inside" },
  "/sys/links/above": { kind: "link", target: "../../../outside" },
  "/sys/links/above-and-back": { kind: "link", target: "../../../etc/inside" },
  "/sys/links/dangling": { kind: "link", target: "../a/nothing/here" },
  "/sys/links/directory": { kind: "link", target: "../a/b" },
  "/sys/links/dots": { kind: "link", target: ".././/a/./b/../file" },
  "/sys/links/file": { kind: "link", target: "../a/file" },
  "/sys/links/itself": { kind: "link", target: "itself" },
  "/sys/links/one-way": { kind: "link", target: "other-way" },
  "/sys/links/other-way": { kind: "link", target: "one-way/deeper" },
  "/sys/links/through": { kind: "link", target: "directory/leaf" },
  "/sys/links/through-file": { kind: "link", target: "../a/file/below" },
  ...makeChain(),
};

/** `/sys/chain/1` leads to `/sys/a/file` over one link, `/sys/chain/41` over 41. */
function makeChain(): TreeEntries {
  const links = Array.from({ length: 41 }, (_, index): [string, MemoryEntry] => [
    `/sys/chain/${index + 1}`,
    { kind: "link", target: index === 0 ? "../a/file" : String(index) },
  ]);
  return Object.fromEntries(links);
}

const ABSENT: Unread = { kind: "absent" };
const FILE = { kind: "path", path: "/sys/a/file", is: "file" } as const;

/** Cases by sentence: what `resolve` answers. */
const RESOLVE: Readonly<Record<string, { readonly path: string; readonly answer: unknown }>> = {
  "answers a file with itself": { path: "/sys/a/file", answer: FILE },
  "answers the root": { path: "/", answer: { kind: "path", path: "/", is: "directory" } },
  "answers absent for what is not there": { path: "/sys/nothing", answer: ABSENT },
  "answers absent below what is not there": { path: "/sys/nothing/below", answer: ABSENT },
  "follows a relative link": { path: "/sys/links/file", answer: FILE },
  "follows a link with dots in it": { path: "/sys/links/dots", answer: FILE },
  "follows links in the middle of a path": {
    path: "/sys/links/directory/leaf",
    answer: { kind: "path", path: "/sys/a/b/leaf", is: "file" },
  },
  "follows a link through a link": {
    path: "/sys/links/through",
    answer: { kind: "path", path: "/sys/a/b/leaf", is: "file" },
  },
  "takes an absolute target from the root": {
    path: "/sys/links/absolute",
    answer: { kind: "path", path: "/etc/inside", is: "file" },
  },
  "follows forty links": { path: "/sys/chain/40", answer: FILE },
  "says where a dangling link points": {
    path: "/sys/links/dangling",
    answer: { kind: "dangling", path: "/sys/a/nothing/here" },
  },
  "answers absent below a dangling link": { path: "/sys/links/dangling/below", answer: ABSENT },
};

/** Cases by sentence: the errno with which everything but existence is refused. */
const ERRNO: Readonly<
  Record<string, { readonly path: string; readonly kind: Unread["kind"]; readonly errno: string }>
> = {
  "refuses a link out of the root": { path: "/sys/links/above", kind: "refused", errno: "EXDEV" },
  "refuses a link that leaves the root and returns": {
    path: "/sys/links/above-and-back",
    kind: "refused",
    errno: "EXDEV",
  },
  "refuses a link to itself": { path: "/sys/links/itself", kind: "refused", errno: "ELOOP" },
  "refuses links in a circle": { path: "/sys/links/one-way", kind: "refused", errno: "ELOOP" },
  "refuses the forty-first link": { path: "/sys/chain/41", kind: "refused", errno: "ELOOP" },
  "fails below a file": { path: "/sys/a/file/below", kind: "failed", errno: "ENOTDIR" },
  "fails below a file behind a link": { path: "/sys/links/through-file", kind: "failed", errno: "ENOTDIR" },
  "fails on a NUL": { path: "/sys/a/fi\0le", kind: "failed", errno: "EINVAL" },
  "fails on a path that is too long": { path: `/sys${"/a".repeat(3000)}`, kind: "failed", errno: "ENAMETOOLONG" },
};

/** Runs the contract of `SysfsTree` on one implementation; `open` makes a tree of the given entries. */
export function testSysfsTree(name: string, open: (entries: TreeEntries) => SysfsTree): void {
  describe(`${name} keeps the contract of SysfsTree`, () => {
    const tree = open(CONTRACT_ENTRIES);
    describe("resolve()", () => {
      for (const [sentence, { path, answer }] of Object.entries(RESOLVE)) {
        it(sentence, () => assert.deepEqual(tree.resolve(path), answer));
      }
    });
    describe("resolve(), list() and read()", () => {
      for (const [sentence, { path, kind, errno }] of Object.entries(ERRNO)) {
        it(sentence, () => {
          for (const answer of [tree.resolve(path), tree.list(path), tree.read(path, 10), tree.readBytes(path, 10)]) {
            assert.deepEqual(summarise(answer), { kind, errno });
          }
        });
      }
    });
    testList(tree);
    testRead(tree);
    testSecondLook(open);
  });
}

function testList(tree: SysfsTree): void {
  describe("list()", () => {
    it("sorts names and lists links as names", () => {
      const names = ["b", "bytes", "empty", "file", "long", "owner-only", "write-only"];
      assert.deepEqual(tree.list("/sys/a"), { kind: "names", names });
      assert.deepEqual(tree.list("/"), { kind: "names", names: ["etc", "sys"] });
    });
    it("lists an empty directory", () => assert.deepEqual(tree.list("/sys/empty"), { kind: "names", names: [] }));
    it("lists through a link", () =>
      assert.deepEqual(tree.list("/sys/links/directory"), { kind: "names", names: ["leaf"] }));
    it("answers absent for what is not there", () => {
      assert.deepEqual(tree.list("/sys/nothing"), ABSENT);
      assert.deepEqual(tree.list("/sys/links/dangling"), ABSENT);
    });
    it("fails on a file", () =>
      assert.deepEqual(summarise(tree.list("/sys/a/file")), { kind: "failed", errno: "ENOTDIR" }));
  });
}

function testRead(tree: SysfsTree): void {
  describe("read() and readBytes()", () => {
    it("read the whole text", () =>
      assert.deepEqual(tree.read("/sys/links/file", 100), { kind: "text", text: "first\nsecond\n" }));
    it("read an empty file", () => assert.deepEqual(tree.read("/sys/a/empty", 0), { kind: "text", text: "" }));
    it("read bytes as they are", () =>
      assert.deepEqual(tree.readBytes("/sys/a/bytes", 4), { kind: "bytes", bytes: Uint8Array.of(0, 255, 10, 13) }));
    it("keep the bytes of one reading through the next", () => {
      const first = tree.readBytes("/sys/a/bytes", 100);
      tree.readBytes("/sys/a/long", 5000);
      assert.deepEqual(first, { kind: "bytes", bytes: Uint8Array.of(0, 255, 10, 13) });
    });
    it("take a text of exactly the limit", () =>
      assert.deepEqual(tree.read("/sys/a/long", 5000), { kind: "text", text: LONG }));
    it("stop a byte above the limit", () => {
      assert.deepEqual(tree.read("/sys/a/long", 4999), { kind: "too-long", start: LONG.slice(1) });
      assert.deepEqual(tree.readBytes("/sys/a/bytes", 2), { kind: "too-long", start: Uint8Array.of(0, 255) });
    });
    it("take more than any buffer held before", () =>
      assert.deepEqual(tree.read("/sys/a/long", 1_000_000), { kind: "text", text: LONG }));
    it("answer absent for what is not there", () => {
      assert.deepEqual(tree.read("/sys/a/nothing", 10), ABSENT);
      assert.deepEqual(tree.read("/sys/links/dangling", 10), ABSENT);
      assert.deepEqual(tree.readBytes("/sys/nothing/below", 10), ABSENT);
    });
    it("fail on a directory", () =>
      assert.deepEqual(summarise(tree.read("/sys/a", 10)), { kind: "failed", errno: "EISDIR" }));
    it("fail on a write-only file as the kernel does", () =>
      assert.deepEqual(summarise(tree.read("/sys/a/write-only", 10)), { kind: "failed", errno: "EACCES" }));
    it("read what only the owner may", () =>
      assert.deepEqual(tree.read("/sys/a/owner-only", 10), { kind: "text", text: "mine\n" }));
  });
}

/** Runs the part of the contract that is about FIFOs, sockets and device nodes, on a tree that can hold them. */
export function testStrangeFiles(name: string, open: (entries: TreeEntries) => SysfsTree): void {
  describe(`${name} keeps away from files that are not regular`, () => {
    const tree = open({ "/sys/a/fifo": { kind: "other" }, "/sys/link": { kind: "link", target: "a/fifo" } });
    const answer = { kind: "path", path: "/sys/a/fifo", is: "other" };
    it("says that a FIFO is neither file nor directory", () => {
      assert.deepEqual([tree.resolve("/sys/a/fifo"), tree.resolve("/sys/link")], [answer, answer]);
    });
    it("fails to read a FIFO without waiting for a writer", () => {
      for (const path of ["/sys/a/fifo", "/sys/link"]) {
        assert.deepEqual(summarise(tree.read(path, 10)), { kind: "failed", errno: "EINVAL" });
        assert.deepEqual(summarise(tree.list(path)), { kind: "failed", errno: "ENOTDIR" });
      }
    });
    it("says the same after the directory was listed", () => {
      tree.list("/sys/a");
      assert.equal(tree.readBytes("/sys/a/fifo", 10).kind, "failed");
    });
  });
}

/** Listing a directory must not change what its entries are. */
function testSecondLook(open: (entries: TreeEntries) => SysfsTree): void {
  it("answers the same before and after a directory was listed", () => {
    const [before, after] = [open(CONTRACT_ENTRIES), open(CONTRACT_ENTRIES)];
    for (const directory of ["/", "/sys", "/sys/a", "/sys/links", "/sys/chain", "/sys/empty"]) after.list(directory);
    for (const path of [...Object.keys(CONTRACT_ENTRIES), "/sys/a/nothing", "/sys/empty/nothing"]) {
      assert.deepEqual(summarise(after.resolve(path)), summarise(before.resolve(path)), path);
      assert.deepEqual(summarise(after.read(path, 50)), summarise(before.read(path, 50)), path);
    }
  });
}

/** An answer without its sentence. */
function summarise(answer: object): object {
  const { why: _, ...rest } = answer as { readonly why?: string };
  return rest;
}
