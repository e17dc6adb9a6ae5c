// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSnapshot } from "./check-snapshot.ts";
import { madeUpCard } from "./made-up-snapshot.ts";

const SNAPSHOT = madeUpCard({ host: "a", parents: 2, types: 1, devices: 1 });

/** Pointers of everything within a value. */
function pointersOf(value: unknown, pointer = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [pointer];
  return [pointer, ...Object.entries(value).flatMap(([key, item]) => pointersOf(item, `${pointer}/${key}`))];
}

/** A copy of a JSON value with another value at a pointer; undefined removes what is there. */
function replaceAt(value: unknown, keys: readonly string[], put: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return put;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<string, unknown>;
  copy[key] = replaceAt(copy[key], rest, put);
  return JSON.parse(JSON.stringify(copy)) as unknown;
}

describe("checkSnapshot()", () => {
  it("finds nothing wrong with a snapshot", () => assert.deepEqual(checkSnapshot(SNAPSHOT), []));

  it("finds each single thing that is of another kind, and says where", () => {
    const pointers = pointersOf(JSON.parse(JSON.stringify(SNAPSHOT)));
    assert.ok(pointers.length > 300);
    for (const pointer of pointers) {
      const wrong = replaceAt(SNAPSHOT, pointer.split("/").slice(1), -1.5);
      const lines = checkSnapshot(wrong);
      assert.ok(
        lines.some((line) => line.startsWith(`${pointer || "the whole"}: expected`)),
        `${pointer}: ${lines.join("; ")}`,
      );
    }
  });

  it("finds each key that is missing, but those that may be", () => {
    const optional = /\/(?:text|pci|physicalFunction)$/;
    for (const pointer of pointersOf(JSON.parse(JSON.stringify(SNAPSHOT)))) {
      // An item that is taken out of a list leaves null.
      if (pointer === "" || optional.test(pointer)) continue;
      assert.notDeepEqual(checkSnapshot(replaceAt(SNAPSHOT, pointer.split("/").slice(1), undefined)), [], pointer);
    }
  });

  const WRONG: Readonly<Record<string, readonly [string, unknown]>> = {
    "refuses a function without its domain": ["/functions/0/address", "3b:00.0"],
    "refuses an address in upper case": ["/functions/0/address", "0000:3B:00.0"],
    "refuses a type id with a slash": ["/parents/0/types/0/id", "a/b"],
    "refuses an unknown device API": ["/devices/0/deviceApi/value", "vfio-mdev"],
    "refuses a count below 0": ["/parents/0/types/0/availableInstances/value", -1],
    "refuses a device of no units": ["/devices/0/aggregation/value/count", 0],
    "refuses an unknown source": ["/os/evidence/source", "hearsay"],
    "refuses a reading of no kind": ["/os/kind", "__proto__"],
  };
  for (const [name, [pointer, value]] of Object.entries(WRONG)) {
    it(name, () => {
      const lines = checkSnapshot(replaceAt(SNAPSHOT, pointer.split("/").slice(1), value));
      assert.equal(lines.length, 1, lines.join("; "));
      assert.match(lines.join("; "), new RegExp(`^${pointer}: expected`));
    });
  }

  it("lets keys pass that it does not know", () =>
    assert.deepEqual(checkSnapshot({ ...SNAPSHOT, weather: "rain" }), []));

  it("lists at most 20 lines", () => {
    assert.equal(checkSnapshot({ ...SNAPSHOT, problems: Array.from({ length: 1000 }, () => 7) }).length, 20);
  });
});
