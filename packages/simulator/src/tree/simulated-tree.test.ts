// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fault } from "./fault.ts";
import { listTree } from "./list-tree.ts";
import { fixedAttribute, refused, settingAttribute, triggerAttribute, WRITTEN } from "./node.ts";
import { makeTree, type KernelTree } from "./simulated-tree.ts";

function makeSample(): { readonly tree: KernelTree; readonly written: [string, number][] } {
  const tree = makeTree();
  const written: [string, number][] = [];
  tree.addAttribute("/sys/devices/card/name", fixedAttribute("a card"));
  tree.addAttribute("/sys/devices/card/numa_node", settingAttribute("-1\n"));
  tree.addAttribute(
    "/sys/devices/card/remove",
    triggerAttribute((text, byteCount) => {
      written.push([text, byteCount]);
      return text.startsWith("x") ? refused("EINVAL") : WRITTEN;
    }),
  );
  tree.addAttribute("/sys/devices/card/broken", { mode: 0o444, show: () => refused("EIO") });
  tree.addAttribute("/sys/devices/card/note", {
    mode: 0o444,
    size: 3,
    show: () => ({ kind: "bytes", bytes: Uint8Array.of(4, 0, 255) }),
  });
  tree.addDirectory("/sys/devices/card/empty");
  tree.addLink("/sys/class/cards/card", "/sys/devices/card");
  tree.addLink("/sys/class/cards/lost", "/sys/devices/nowhere");
  return { tree, written };
}

const FAILED = (errno: string) => ({ kind: "failed", errno });

/** Drops the sentence, which is for people. */
function bare(answer: object): object {
  return Object.fromEntries(Object.entries(answer).filter(([key]) => key !== "why"));
}

describe("read()", () => {
  const cases: Readonly<Record<string, readonly [path: string, answer: object]>> = {
    "gives the whole text": ["/sys/devices/card/name", { kind: "text", text: "a card\n" }],
    "follows links": ["/sys/class/cards/card/name", { kind: "text", text: "a card\n" }],
    "answers the driver's errno": ["/sys/devices/card/broken", FAILED("EIO")],
    "answers EACCES for a write-only attribute": ["/sys/devices/card/remove", FAILED("EACCES")],
    "answers EISDIR for a directory": ["/sys/devices/card", FAILED("EISDIR")],
    "answers ENOTDIR below a file": ["/sys/devices/card/name/more", FAILED("ENOTDIR")],
    "says absent for what is not there": ["/sys/devices/card/nothing", { kind: "absent" }],
    "says absent for a dangling link": ["/sys/class/cards/lost", { kind: "absent" }],
    "says absent below a dangling link": ["/sys/class/cards/lost/name", { kind: "absent" }],
    "refuses to leave the root": ["/../etc/passwd", { kind: "refused", errno: "EXDEV" }],
    "answers EINVAL for a NUL": ["/sys/devices/card\0/name", FAILED("EINVAL")],
    "answers ENAMETOOLONG": [`/${"a/".repeat(2100)}`, FAILED("ENAMETOOLONG")],
    "does not take names of an object's prototype for entries": ["/sys/devices/card/constructor", { kind: "absent" }],
  };
  for (const [key, [path, answer]] of Object.entries(cases)) {
    it(key, () => assert.deepEqual(bare(makeSample().tree.read(path, 4096)), answer));
  }

  it("obeys the mode even where the driver would answer, as sysfs does for root", () => {
    const { tree } = makeSample();
    const show = () => ({ kind: "text", text: "secret" }) as const;
    tree.addAttribute("/sys/devices/card/hidden", { mode: 0o200, show, store: () => WRITTEN });
    tree.addAttribute("/sys/devices/card/fixed", { mode: 0o444, show, store: () => WRITTEN });
    assert.deepEqual(bare(tree.read("/sys/devices/card/hidden", 64)), FAILED("EACCES"));
    assert.deepEqual(tree.write("/sys/devices/card/hidden", "1"), WRITTEN);
    assert.deepEqual(tree.write("/sys/devices/card/fixed", "1"), FAILED("EACCES"));
  });

  it("stops at the limit, which itself is allowed", () => {
    const { tree } = makeSample();
    assert.deepEqual(tree.read("/sys/devices/card/name", 7), { kind: "text", text: "a card\n" });
    assert.deepEqual(tree.read("/sys/devices/card/name", 6), { kind: "too-long", start: "a card" });
    assert.deepEqual(tree.readBytes("/sys/devices/card/note", 2), { kind: "too-long", start: Uint8Array.of(4, 0) });
    assert.deepEqual(tree.readBytes("/sys/devices/card/note", 3), { kind: "bytes", bytes: Uint8Array.of(4, 0, 255) });
  });
});

describe("list()", () => {
  it("gives names in order", () => {
    const { tree } = makeSample();
    const names = ["broken", "empty", "name", "note", "numa_node", "remove"];
    assert.deepEqual(tree.list("/sys/class/cards/card"), { kind: "names", names });
    assert.deepEqual(tree.list("/sys/devices/card/empty"), { kind: "names", names: [] });
    assert.deepEqual(bare(tree.list("/sys/devices/card/name")), FAILED("ENOTDIR"));
  });
});

describe("resolve()", () => {
  const cases: Readonly<Record<string, readonly [path: string, answer: object]>> = {
    "follows links": ["/sys/class/cards/card", { kind: "path", path: "/sys/devices/card", is: "directory" }],
    "knows files": ["/sys/class/cards/card/name", { kind: "path", path: "/sys/devices/card/name", is: "file" }],
    "knows the root": ["/", { kind: "path", path: "/", is: "directory" }],
    "tells where a dangling link points": ["/sys/class/cards/lost", { kind: "dangling", path: "/sys/devices/nowhere" }],
    "says absent below a dangling link": ["/sys/class/cards/lost/name", { kind: "absent" }],
    "says absent for what was asked for itself": ["/sys/class/cards/card/nothing", { kind: "absent" }],
  };
  for (const [key, [path, answer]] of Object.entries(cases)) {
    it(key, () => assert.deepEqual(bare(makeSample().tree.resolve(path)), answer));
  }
});

describe("write()", () => {
  const cases: Readonly<Record<string, readonly [path: string, text: string, answer: object]>> = {
    "reaches the driver": ["/sys/devices/card/remove", "1\n", WRITTEN],
    "answers the driver's errno": ["/sys/devices/card/remove", "x", FAILED("EINVAL")],
    "answers EACCES for a read-only attribute": ["/sys/devices/card/name", "1", FAILED("EACCES")],
    "answers EISDIR for a directory": ["/sys/class/cards/card", "1", FAILED("EISDIR")],
    "answers ENOENT for what is not there": ["/sys/devices/card/nothing", "1", FAILED("ENOENT")],
    "answers ENOENT for a dangling link": ["/sys/class/cards/lost", "1", FAILED("ENOENT")],
  };
  for (const [key, [path, text, answer]] of Object.entries(cases)) {
    it(key, () => assert.deepEqual(makeSample().tree.write(path, text), answer));
  }

  it("counts bytes, cuts at a page, and calls nobody for nothing", () => {
    const { tree, written } = makeSample();
    tree.write("/sys/devices/card/remove", "");
    tree.write("/sys/devices/card/remove", "é");
    tree.write("/sys/devices/card/remove", "1".repeat(5000));
    assert.deepEqual(written, [
      ["é", 2],
      ["1".repeat(4096), 4096],
    ]);
  });
});

describe("lookup()", () => {
  const cases: Readonly<Record<string, readonly [path: string, answer: object]>> = {
    "tells an attribute's mode and one page": ["/sys/devices/card/remove", { kind: "file", mode: 0o200, size: 4096 }],
    "tells the size that a file has": ["/sys/devices/card/note", { kind: "file", mode: 0o444, size: 3 }],
    "tells a directory": ["/sys/devices/card", { kind: "directory", mode: 0o755, size: 0 }],
    "does not follow the last link": [
      "/sys/class/cards/card",
      { kind: "link", mode: 0o777, size: 18, target: "../../devices/card" },
    ],
    "follows the links before it": ["/sys/class/cards/card/name", { kind: "file", mode: 0o444, size: 4096 }],
    "says absent": ["/sys/nothing", { kind: "absent" }],
  };
  for (const [key, [path, answer]] of Object.entries(cases)) {
    it(key, () => assert.deepEqual(makeSample().tree.lookup(path), answer));
  }
});

describe("setFault()", () => {
  const card = "/sys/devices/card";
  const reads: Readonly<Record<string, readonly [at: string, fault: Fault, path: string, answer: object]>> = {
    "makes a read fail": [`${card}/name`, { kind: "errno", errno: "EIO" }, `${card}/name`, FAILED("EIO")],
    "makes a folder fail for all below it": [
      card,
      { kind: "errno", errno: "ENODEV" },
      `${card}/name`,
      FAILED("ENODEV"),
    ],
    "makes a link fail": [
      "/sys/class/cards/card",
      { kind: "errno", errno: "EIO" },
      "/sys/class/cards/card/name",
      FAILED("EIO"),
    ],
    "replaces a text": [
      `${card}/name`,
      { kind: "text", text: "\0\x1b[2J" },
      `${card}/name`,
      { kind: "text", text: "\0\x1b[2J" },
    ],
    "adds a text where there was none": [
      `${card}/new`,
      { kind: "text", text: "x" },
      `${card}/new`,
      { kind: "text", text: "x" },
    ],
    "takes a file away": [`${card}/name`, { kind: "absent" }, `${card}/name`, { kind: "absent" }],
    "finds its place through links": [
      "/sys/class/cards/card/name",
      { kind: "absent" },
      `${card}/name`,
      { kind: "absent" },
    ],
    "turns a file into a link out of the root": [
      `${card}/name`,
      { kind: "link", target: "../../../../etc/shadow" },
      `${card}/name`,
      { kind: "refused", errno: "EXDEV" },
    ],
    "turns a folder into a loop": [
      `${card}/empty`,
      { kind: "link", target: "../card/empty/deeper" },
      `${card}/empty`,
      { kind: "refused", errno: "ELOOP" },
    ],
    "takes an empty link for absent": [
      `${card}/empty`,
      { kind: "link", target: "" },
      `${card}/empty`,
      { kind: "absent" },
    ],
  };
  for (const [key, [at, fault, path, answer]] of Object.entries(reads)) {
    it(key, () => {
      const { tree } = makeSample();
      tree.setFault(at, fault);
      assert.deepEqual(bare(tree.read(path, 4096)), answer);
    });
  }

  it("shows in listings: what is gone is not named, what is new is", () => {
    const { tree } = makeSample();
    tree.setFault(`${card}/name`, { kind: "absent" });
    tree.setFault(`${card}/new`, { kind: "text", text: "x" });
    const names = ["broken", "empty", "new", "note", "numa_node", "remove"];
    assert.deepEqual(tree.list(card), { kind: "names", names });
  });

  it("makes a write fail too", () => {
    const { tree, written } = makeSample();
    tree.setFault(`${card}/remove`, { kind: "errno", errno: "EBUSY" });
    assert.deepEqual(tree.write(`${card}/remove`, "1"), FAILED("EBUSY"));
    assert.deepEqual(written, []);
  });

  it("lets a device vanish after so many accesses, its links dangling", () => {
    const { tree } = makeSample();
    tree.setFault(card, { kind: "vanishes", afterAccesses: 2 });
    assert.equal(tree.list("/sys/class/cards/card").kind, "names");
    assert.equal(tree.read("/sys/class/cards/card/name", 9).kind, "text");
    assert.equal(tree.read("/sys/class/cards/card/name", 9).kind, "absent");
    assert.deepEqual(tree.resolve("/sys/class/cards/card"), { kind: "dangling", path: card });
    assert.deepEqual(tree.list("/sys/devices"), { kind: "names", names: [] });
  });

  it("is mended by undefined", () => {
    const { tree } = makeSample();
    const before = listTree(tree, "/");
    tree.setFault(`${card}/name`, { kind: "absent" });
    assert.notDeepEqual(listTree(tree, "/"), before);
    tree.setFault(`${card}/name`, undefined);
    assert.deepEqual(listTree(tree, "/"), before);
  });

  it("refuses a place that no directory holds", () => {
    const { tree } = makeSample();
    assert.throws(() => tree.setFault("/sys/none/such", { kind: "absent" }), RangeError);
  });
});
