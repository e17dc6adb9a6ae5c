// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { fenceNamesOf, openFenceFile } from "./fence-file.ts";

const base = fs.mkdtempSync(`${tmpdir()}/berth-`);
after(() => fs.rmSync(base, { recursive: true }));

describe("openFenceFile()", () => {
  it("refuses what is older than it has seen, and admits the same again", () => {
    const fences = openFenceFile(`${base}/a`);
    assert.deepEqual(fences.admit(["pci x"], 5), { kind: "admitted" });
    assert.deepEqual(fences.admit(["pci x"], 4), { kind: "stale", identity: "pci x", fence: 4, seen: 5 });
    assert.deepEqual(fences.admit(["pci x"], 5), { kind: "admitted" });
    assert.deepEqual(fences.admit(["pci x"], 6), { kind: "admitted" });
    assert.deepEqual(fences.admit(["pci y"], 1), { kind: "admitted" });
  });

  it("admits all identities or none", () => {
    const fences = openFenceFile(`${base}/b`);
    fences.admit(["b"], 5);
    assert.deepEqual(fences.admit(["a", "b"], 4), { kind: "stale", identity: "b", fence: 4, seen: 5 });
    assert.deepEqual(fences.admit(["a"], 3), { kind: "admitted" });
  });

  it("remembers after a restart, names like __proto__ included, and forgets what it is told to", () => {
    openFenceFile(`${base}/c`).admit(["__proto__", "constructor", "z"], 7);
    const fences = openFenceFile(`${base}/c`);
    assert.equal(fences.admit(["__proto__"], 6).kind, "stale");
    assert.equal(fences.admit(["constructor"], 6).kind, "stale");
    assert.equal(fences.admit(["toString"], 1).kind, "admitted");
    fences.forget(["z", "unknown"]);
    assert.equal(openFenceFile(`${base}/c`).admit(["z"], 1).kind, "admitted");
    assert.equal(openFenceFile(`${base}/c`).admit(["__proto__"], 6).kind, "stale");
    assert.equal(fs.statSync(`${base}/c/fences.json`).mode & 0o777, 0o600);
  });

  it("is not confused by what a crash left of a new file", () => {
    openFenceFile(`${base}/d`).admit(["a"], 3);
    fs.writeFileSync(`${base}/d/.fences.json.new`, '{"form');
    const fences = openFenceFile(`${base}/d`);
    assert.equal(fences.admit(["a"], 2).kind, "stale");
    assert.equal(fences.admit(["a"], 4).kind, "admitted");
    assert.deepEqual(fs.readdirSync(`${base}/d`), ["fences.json"]);
  });

  it("admits nothing when it cannot write it down", () => {
    const fences = openFenceFile(`${base}/e`);
    fs.mkdirSync(`${base}/e/.fences.json.new`);
    assert.throws(() => fences.admit(["a"], 5));
    fs.rmdirSync(`${base}/e/.fences.json.new`);
    assert.equal(fences.admit(["a"], 4).kind, "admitted");
  });

  it("refuses a damaged file instead of taking it for an empty one", () => {
    fs.mkdirSync(`${base}/f`);
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      '{"format":2,"fences":[]}',
      '{"format":1,"fences":[["a"]]}',
      '{"format":1,"fences":[["a","5"]]}',
    ]) {
      fs.writeFileSync(`${base}/f/fences.json`, text);
      assert.throws(() => openFenceFile(`${base}/f`), /^SyntaxError: Cannot parse the fences in /, text);
    }
  });

  it("refuses a fence that is no whole number", () => {
    for (const fence of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => openFenceFile(`${base}/g`).admit(["a"], fence), /^RangeError: Cannot admit fence/);
    }
  });
});

describe("fenceNamesOf()", () => {
  it("names UUIDs, addresses and slots", () => {
    assert.deepEqual(fenceNamesOf({ kind: "mdev", uuid: "u" }, "gpu"), ["uuid u"]);
    assert.deepEqual(fenceNamesOf({ kind: "function", address: "0000:08:00.4" }, "gpu"), ["pci 0000:08:00.4"]);
    assert.deepEqual(fenceNamesOf({ kind: "vendor-vfio", address: "0000:08:00.4", slot: 2 }, "0000:08:00.0"), [
      "pci 0000:08:00.4",
      "slot 0000:08:00.0 2",
    ]);
    assert.deepEqual(fenceNamesOf({ kind: "vendor-vfio", address: "a" }, "gpu"), ["pci a"]);
  });
});
