// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { known } from "../device/evidence.ts";
import type { Problem } from "../device/problem.ts";
import { parseShape } from "./fill-shape.ts";
import { countUtf8Bytes, INVENTORY_MAX_BYTES } from "./inventory.ts";
import { joinSnapshot } from "./join-snapshot.ts";
import { madeUpCard } from "./made-up-snapshot.ts";
import { splitSnapshot, type SplitSnapshot } from "./split-snapshot.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function join(split: SplitSnapshot): ReturnType<typeof joinSnapshot> {
  const shapes = new Map([...split.shapes].map(([digest, text]) => [digest, parseShape(text)]));
  return joinSnapshot(split.inventory, { find: (digest) => shapes.get(digest) });
}

function problems(count: number, length: number): readonly Problem[] {
  return Array.from({ length: count }, (_, index) => {
    const path = `/sys/${String(index).padStart(6, "0")}`;
    return { code: "link_broken", host: "a", path, message: `${index} ${"x".repeat(length)}` };
  });
}

describe("splitSnapshot()", () => {
  it("fits 256 parents with 20 types and 256 devices into 64 KiB, without any raw text left behind", () => {
    const snapshot = madeUpCard({ host: "a", parents: 256, types: 20, devices: 256 });
    const split = splitSnapshot(snapshot, sha256);
    assert.equal(split.inventory.cut, "nothing");
    assert.ok(split.bytes <= INVENTORY_MAX_BYTES, String(split.bytes));
    assert.equal(split.bytes, Buffer.byteLength(split.text));
    assert.ok(JSON.stringify(snapshot).length > 100 * split.bytes);
    assert.equal(split.texts.size, 0);
    const joined = join(split);
    assert.deepEqual(joined.kind === "joined" && joined.snapshot, snapshot);
  });

  it("shares every shape between hosts of one make", () => {
    const [a, b] = ["a", "b"].map((host) =>
      splitSnapshot(madeUpCard({ host, parents: 3, types: 4, devices: 2 }), sha256),
    );
    assert.deepEqual([...(a?.shapes.keys() ?? [])], [...(b?.shapes.keys() ?? [])]);
    assert.notEqual(a?.digest, b?.digest);
  });

  it("keeps the shapes where only room, place and number change", () => {
    const before = madeUpCard({ host: "a", parents: 2, types: 2, devices: 0 });
    const [first, second] = before.parents;
    assert.ok(first !== undefined && second !== undefined);
    const type = first.types[0];
    assert.ok(type !== undefined);
    const availableInstances = {
      ...type.availableInstances,
      value: 7,
      evidence: { ...type.availableInstances.evidence, text: "7" },
    };
    const changed = { ...first, types: [{ ...type, availableInstances } as typeof type, ...first.types.slice(1)] };
    const after = splitSnapshot({ ...before, parents: [changed, second] }, sha256);
    assert.deepEqual([...after.shapes.keys()], [...splitSnapshot(before, sha256).shapes.keys()]);
  });

  it("lists 50 problems and says how many more there are, where not all fit", () => {
    const snapshot = { ...madeUpCard({ host: "a", parents: 2, types: 2, devices: 1 }), problems: problems(5000, 20) };
    const split = splitSnapshot(snapshot, sha256);
    assert.ok(split.bytes <= INVENTORY_MAX_BYTES);
    const joined = join(split);
    assert.ok(joined.kind === "joined");
    assert.equal(joined.cut, "problems");
    assert.deepEqual(joined.snapshot.parents, snapshot.parents);
    assert.deepEqual(joined.snapshot.problems.slice(0, 50), snapshot.problems.slice(0, 50));
    assert.match(joined.snapshot.problems[50]?.message ?? "", /^4950 more problems/);
    assert.equal(joined.snapshot.problems.length, 51);
  });

  it("keeps the name of a host that does not fit, says what it had, and never shows it as empty", () => {
    const split = splitSnapshot(madeUpCard({ host: "a", parents: 900, types: 2, devices: 0 }), sha256);
    assert.ok(split.bytes <= INVENTORY_MAX_BYTES);
    const joined = join(split);
    assert.ok(joined.kind === "joined");
    assert.equal(joined.cut, "everything");
    assert.deepEqual(
      joined.snapshot.problems.map(({ code }) => code),
      ["inventory_too_large"],
    );
    assert.match(
      joined.snapshot.problems[0]?.message ?? "",
      /takes \d{5,} bytes, more than 65536: 900 parents, 0 devices, 900 functions/,
    );
    assert.notDeepEqual(joined.snapshot.unseenUsers, []);
  });

  it("cuts a host with a shape that does not fit", () => {
    const snapshot = madeUpCard({ host: "a", parents: 1, types: 1, devices: 0 });
    const release = known("x".repeat(70_000), { host: "a", source: "sysfs", path: "/proc/version" });
    assert.equal(
      splitSnapshot({ ...snapshot, kernel: { ...snapshot.kernel, release } }, sha256).inventory.cut,
      "everything",
    );
  });

  it("refuses what JSON cannot hold", () => {
    const snapshot = madeUpCard({ host: "a", parents: 1, types: 1, devices: 0 });
    const os = known(Number.NaN as unknown as string, { host: "a", source: "sysfs", path: "/" });
    assert.throws(() => splitSnapshot({ ...snapshot, os }, sha256), {
      name: "TypeError",
      message: "Cannot write as JSON: NaN",
    });
  });
});

describe("countUtf8Bytes()", () => {
  for (const text of ["", "abc", "é", "€", "🂡", "a🂡é€", "\ud83c", "\udca1\ud83c", "\ud83cx"]) {
    it(`counts ${JSON.stringify(text)}`, () => assert.equal(countUtf8Bytes(text), Buffer.byteLength(text)));
  }
});
