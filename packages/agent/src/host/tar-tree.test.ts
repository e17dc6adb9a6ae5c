// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { BerthError } from "@berth/core/protocol/berth-error";
import { openDirectoryTree } from "./directory-tree.ts";
import type { MemoryEntry } from "./memory-tree.ts";
import { testStrangeFiles, testSysfsTree } from "./sysfs-tree.contract.ts";
import type { TreeEntries } from "./sysfs-tree.contract.ts";
import type { SysfsTree } from "./sysfs-tree.ts";
import { CAPTURE_LIMITS, openTarTree } from "./tar-tree.ts";
import { writePax, writeTar } from "./tar-writer.ts";
import type { TarItem } from "./tar-writer.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "berth-tar-tree-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const openItems = (entries: TreeEntries): SysfsTree =>
  openTarTree(writeTar(Object.entries(entries).map(([name, entry]) => toItem(name.slice(1), entry))));
testSysfsTree("openTarTree()", openItems);
testStrangeFiles("openTarTree()", openItems);
testSysfsTree("openTarTree() of a compressed archive", (entries) =>
  openTarTree(gzipSync(writeTar(Object.entries(entries).map(([name, entry]) => toItem(`.${name}`, entry))))),
);

/** `name` as it stands in the archive. */
function toItem(name: string, entry: MemoryEntry): TarItem {
  if (typeof entry === "string") return { path: name, flag: "0", content: entry };
  if (entry.kind === "file") return { path: name, flag: "0", content: entry.content, mode: entry.mode ?? 0o444 };
  if (entry.kind === "link") return { path: name, flag: "2", target: entry.target };
  return { path: name, flag: entry.kind === "directory" ? "5" : "6" };
}

/** The code with which bytes are refused. */
function codeOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof BerthError) return error.code;
    throw error;
  }
  return "opened";
}

const LONG_NAME = `sys/${"deep/".repeat(40)}file`;
const LONG_TARGET = `/sys/${"deep/".repeat(40)}file`;
const REAL = { path: LONG_NAME.slice(0, 100), flag: "0", content: "long" };

const READS: Readonly<
  Record<string, { readonly items: readonly TarItem[]; readonly path: string; readonly text?: string }>
> = {
  "reads a GNU long name": {
    items: [{ path: "././@LongLink", flag: "L", content: `${LONG_NAME}\0` }, REAL],
    path: `/${LONG_NAME}`,
    text: "long",
  },
  "reads a GNU long link": {
    items: [
      { path: "././@LongLink", flag: "L", content: `${LONG_NAME}\0` },
      REAL,
      { path: "././@LongLink", flag: "K", content: `${LONG_TARGET}\0` },
      { path: "link", flag: "2", target: "cut" },
    ],
    path: "/link",
    text: "long",
  },
  "reads a pax path": {
    items: [{ path: "pax", flag: "x", content: writePax({ path: LONG_NAME }) }, REAL],
    path: `/${LONG_NAME}`,
    text: "long",
  },
  "reads a pax linkpath": {
    items: [
      { path: "pax", flag: "x", content: writePax({ path: LONG_NAME }) },
      REAL,
      { path: "pax", flag: "x", content: writePax({ linkpath: LONG_TARGET }) },
      { path: "link", flag: "2" },
    ],
    path: "/link",
    text: "long",
  },
  "prefers a pax size to the header's": {
    items: [
      { path: "pax", flag: "x", content: writePax({ size: "4" }) },
      { path: "sys/a", flag: "0", content: "four", size: 0 },
    ],
    path: "/sys/a",
    text: "four",
  },
  "applies a pax header to one member only": {
    items: [
      { path: "pax", flag: "x", content: writePax({ path: "sys/a" }) },
      { path: "x", flag: "0", content: "1" },
      { path: "sys/b", flag: "0", content: "2" },
    ],
    path: "/sys/b",
    text: "2",
  },
  "takes the later of two members": {
    items: [
      { path: "sys/a", flag: "0", content: "1" },
      { path: "./sys/a", flag: "0", content: "2" },
    ],
    path: "/sys/a",
    text: "2",
  },
  "reads a hard link": {
    items: [
      { path: "sys/a", flag: "0", content: "1" },
      { path: "sys/b", flag: "1", target: "./sys/a" },
    ],
    path: "/sys/b",
    text: "1",
  },
  "takes a name that ends in a slash for a directory": {
    items: [
      { path: "sys/a/", flag: "0" },
      { path: "sys/a/b", flag: "0", content: "1" },
    ],
    path: "/sys/a/b",
    text: "1",
  },
  "does not read what its mode forbids": {
    items: [{ path: "sys/create", flag: "0", content: "1", mode: 0o200 }],
    path: "/sys/create",
  },
};

const REFUSES: Readonly<Record<string, { readonly items: readonly TarItem[]; readonly code: string }>> = {
  "a name that leads upwards": { items: [{ path: "sys/../../etc/passwd", flag: "0" }], code: "capture_malformed" },
  "an absolute name": { items: [{ path: "/sys/a", flag: "0" }], code: "capture_malformed" },
  "a NUL in a long name": {
    items: [
      { path: "x", flag: "L", content: "sys/a\0b\0" },
      { path: "sys/a", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a NUL in a link": {
    items: [
      { path: "x", flag: "x", content: writePax({ linkpath: "a\0b" }) },
      { path: "sys/a", flag: "2" },
    ],
    code: "capture_malformed",
  },
  "a member below a link": {
    items: [
      { path: "sys", flag: "2", target: "/etc" },
      { path: "sys/passwd", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a member below a link that comes later": {
    items: [
      { path: "sys/passwd", flag: "0" },
      { path: "sys", flag: "2", target: "/etc" },
    ],
    code: "capture_malformed",
  },
  "a file that is also a directory": {
    items: [
      { path: "sys", flag: "5" },
      { path: "sys", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a top that is a file": { items: [{ path: "./", flag: "2", target: "/" }], code: "capture_malformed" },
  "a hard link to nothing": { items: [{ path: "sys/a", flag: "1", target: "sys/b" }], code: "capture_malformed" },
  "a hard link to a directory": {
    items: [
      { path: "sys", flag: "5" },
      { path: "b", flag: "1", target: "sys" },
    ],
    code: "capture_malformed",
  },
  "a malformed pax record": {
    items: [
      { path: "x", flag: "x", content: "99 path=a\n" },
      { path: "a", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a pax record without a length": {
    items: [
      { path: "x", flag: "x", content: "path=a\n" },
      { path: "a", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a pax size that is no number": {
    items: [
      { path: "x", flag: "x", content: writePax({ size: "-1" }) },
      { path: "a", flag: "0" },
    ],
    code: "capture_malformed",
  },
  "a sparse file": { items: [{ path: "a", flag: "S", content: "1" }], code: "capture_unsupported_entry" },
  "a sparse file of pax": {
    items: [
      { path: "x", flag: "x", content: writePax({ "GNU.sparse.major": "1" }) },
      { path: "a", flag: "0" },
    ],
    code: "capture_unsupported_entry",
  },
  "a part of a volume": { items: [{ path: "a", flag: "M" }], code: "capture_unsupported_entry" },
  "a directory with content": { items: [{ path: "a", flag: "5", content: "1" }], code: "capture_unsupported_entry" },
  "a size beyond the archive": { items: [{ path: "a", flag: "0", size: 8 ** 10 }], code: "capture_truncated" },
  "more members than allowed": {
    items: Array.from({ length: 11 }, (_, index) => ({ path: `${index}`, flag: "0" })),
    code: "capture_too_large",
  },
};

describe("openTarTree()", () => {
  for (const [sentence, { items, path: at, text }] of Object.entries(READS)) {
    it(sentence, () => {
      const read = openTarTree(writeTar(items)).read(at, 100);
      if (text === undefined) assert.equal(read.kind, "failed");
      else assert.deepEqual(read, { kind: "text", text });
    });
  }
  for (const [sentence, { items, code }] of Object.entries(REFUSES)) {
    it(`refuses ${sentence}`, () =>
      assert.equal(
        codeOf(() => openTarTree(writeTar(items), { ...CAPTURE_LIMITS, members: 10 })),
        code,
      ));
  }
  it("keeps names of object prototypes", () => {
    const tree = openTarTree(writeTar([{ path: "__proto__/constructor", flag: "0", content: "1" }]));
    assert.deepEqual(tree.list("/"), { kind: "names", names: ["__proto__"] });
  });
  it("refuses a wrong checksum, data behind the end and a missing end", () => {
    const archive = Buffer.from(writeTar([{ path: "sys/a", flag: "0", content: "1" }]));
    const damaged = Buffer.from(archive);
    damaged[3] = 0x21;
    assert.equal(
      codeOf(() => openTarTree(damaged)),
      "capture_malformed",
    );
    assert.equal(
      codeOf(() => openTarTree(Buffer.concat([archive, archive]))),
      "capture_malformed",
    );
    assert.equal(
      codeOf(() => openTarTree(archive.subarray(0, 1024))),
      "capture_truncated",
    );
    assert.equal(
      codeOf(() => openTarTree(Buffer.from("no archive".repeat(100)))),
      "capture_malformed",
    );
  });
  it("refuses every cut-off archive, compressed or not", () => {
    const archive = writeTar([{ path: "sys/a", flag: "0", content: "1".repeat(600) }]);
    const packed = gzipSync(archive);
    for (let length = 0; length <= archive.length - 1024; length += 1) {
      assert.equal(
        codeOf(() => openTarTree(archive.subarray(0, length))),
        "capture_truncated",
        String(length),
      );
    }
    for (let length = 2; length < packed.length; length += 1) {
      assert.equal(
        codeOf(() => openTarTree(packed.subarray(0, length))),
        "capture_truncated",
        String(length),
      );
    }
  });
  it("refuses damaged compressed data", () => {
    const packed = gzipSync(writeTar([{ path: "sys/a", flag: "0", content: "1" }]));
    packed[packed.length - 6] = (packed.at(-6) ?? 0) ^ 0xff;
    assert.equal(
      codeOf(() => openTarTree(packed)),
      "capture_malformed",
    );
  });
  it("refuses a bomb before it fills the memory", () => {
    const bomb = gzipSync(Buffer.alloc(8 << 20));
    assert.ok(bomb.length < 16_384);
    const limits = { ...CAPTURE_LIMITS, archiveBytes: 1 << 20 };
    assert.equal(
      codeOf(() => openTarTree(bomb, limits)),
      "capture_too_large",
    );
    assert.equal(
      codeOf(() => openTarTree(Buffer.alloc(2 << 20), limits)),
      "capture_too_large",
    );
  });
  it("refuses a file that is too large or not there", () => {
    const file = path.join(scratch, "large.tar");
    fs.writeFileSync(file, Buffer.alloc(2048));
    assert.equal(
      codeOf(() => openTarTree(file, { ...CAPTURE_LIMITS, fileBytes: 2047 })),
      "capture_too_large",
    );
    assert.equal(
      codeOf(() => openTarTree(path.join(scratch, "nothing.tar"))),
      "file_unreadable",
    );
  });
  it("names the file in its error", () => {
    const file = path.join(scratch, "cut.tgz");
    fs.writeFileSync(file, gzipSync(Buffer.alloc(100)));
    assert.throws(
      () => openTarTree(file),
      (error) => error instanceof BerthError && error.place === file && error.cause !== undefined,
    );
  });
});

describe("openTarTree() of what tar writes", () => {
  const source = path.join(scratch, "source");
  const deep = path.join(
    source,
    "sys",
    ...Array.from({ length: 12 }, (_, index) => `folder-${index}-${"n".repeat(20)}`),
  );
  fs.mkdirSync(deep, { recursive: true });
  fs.writeFileSync(path.join(deep, "attribute"), "value\n", { mode: 0o440 });
  fs.linkSync(path.join(deep, "attribute"), path.join(source, "sys/hard"));
  fs.writeFileSync(path.join(source, "sys/create"), "", { mode: 0o200 });
  fs.symlinkSync(path.relative(path.join(source, "sys"), deep), path.join(source, "sys/link"));
  fs.mkdirSync(path.join(source, "sys/empty"));
  for (const format of ["gnu", "pax", "posix", "oldgnu"]) {
    it(`agrees with the folder in the ${format} format`, () => {
      const archive = path.join(scratch, `${format}.tgz`);
      execFileSync("tar", ["-czf", archive, `--format=${format}`, "-C", source, "."]);
      assert.deepEqual(walk(openTarTree(archive), "/"), walk(openDirectoryTree(source), "/"));
    });
  }
});

/** Everything below a path, with texts and kinds. */
function walk(tree: SysfsTree, at: string): readonly unknown[] {
  const listing = tree.list(at);
  const read = tree.read(at, 100);
  if (listing.kind !== "names") return [[at, tree.resolve(at), read.kind === "text" ? read.text : read.kind]];
  return [[at], ...listing.names.flatMap((name) => walk(tree, at === "/" ? `/${name}` : `${at}/${name}`))];
}
