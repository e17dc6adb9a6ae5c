// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fillRecord, parseShape } from "./fill-shape.ts";
import type { Hole } from "./inventory.ts";

/** What a shape called `s` is filled to on the host `a`; `other` is a second one, called `t`. */
function fill(shape: unknown, holes: readonly Hole[] = [], other: unknown = "other"): unknown {
  const shapes = new Map([
    ["s", parseShape(JSON.stringify(shape))],
    ["t", parseShape(JSON.stringify(other))],
  ]);
  return fillRecord(
    { host: "a", catalogue: { find: (digest) => shapes.get(digest) }, left: 10_000 },
    { shape: "s", holes },
  );
}

describe("fillRecord()", () => {
  const FILLED: Readonly<Record<string, readonly [unknown, readonly Hole[], unknown]>> = {
    "fills holes by their numbers": [
      [{ $: 1 }, { $: 0 }],
      ["x", 7],
      [7, "x"],
    ],
    "fills a hole with any value": [{ $: 0 }, [{ is: [{ a: 1 }] }], [{ a: 1 }]],
    "puts names into texts": ["$1/$0: $$5", ["b", "a"], "a/b: $5"],
    "names the host": [{ host: { $: -1 } }, [], { host: "a" }],
    "reads escaped keys": [{ $$: 1, $$shape: 2, $__proto__x: 3 }, [], { $: 1, $shape: 2, __proto__x: 3 }],
    "counts the holes of a shape within from where they begin": [{ $shape: "t", from: 1 }, ["x", "y"], ["y", "x"]],
    "gives evidence the host": [
      { evidence: { path: "/p", source: "sysfs" } },
      [],
      { evidence: { host: "a", path: "/p", source: "sysfs" } },
    ],
  };
  for (const [name, [shape, holes, expected]] of Object.entries(FILLED)) {
    it(name, () => assert.deepEqual(fill(shape, holes, [{ $: 0 }, "$0"]), expected));
  }

  it("tells texts from the values that they follow from", () => {
    const of = (text: unknown, value: unknown): unknown =>
      fill({ kind: "known", value, evidence: { path: "/p", source: "sysfs", text } });
    const evidence = { host: "a", path: "/p", source: "sysfs" };
    assert.deepEqual(of({ $text: "value" }, 20), { kind: "known", value: 20, evidence: { ...evidence, text: "20" } });
    assert.deepEqual(of({ $text: "tail", head: "/g/" }, 4), {
      kind: "known",
      value: 4,
      evidence: { ...evidence, text: "/g/4" },
    });
    assert.deepEqual(of({ $text: "count" }, { count: 3 }), {
      kind: "known",
      value: { count: 3 },
      evidence: { ...evidence, text: "3" },
    });
    assert.deepEqual(of({ $text: "host" }, 1), {
      kind: "known",
      value: 1,
      evidence: { ...evidence, textOnHost: true },
    });
    assert.throws(() => of({ $text: "value" }, { a: 1 }), SyntaxError);
    assert.throws(() => of({ $text: "count" }, null), SyntaxError);
  });

  it("makes __proto__ a key like any other", () => {
    const filled = fill({ $__proto__: { polluted: true } }) as object;
    assert.deepEqual(Object.keys(filled), ["__proto__"]);
    assert.equal(Object.getPrototypeOf(filled), Object.prototype);
  });

  const REFUSED: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    "refuses a hole that is not there": [{ $: 3 }, /no hole 3/],
    "refuses a name that is not there": ["$2", /no text in hole 2/],
    "refuses a name that is a number": ["$1", /no text in hole 1/],
    "refuses a shape within itself": [{ x: { $shape: "s", from: 0 } }, /s cannot stand here/],
    "refuses a shape that is not known": [{ $shape: "u", from: 0 }, /u cannot stand here/],
    "refuses what comes to too much": [Array.from({ length: 400 }, () => "$0".repeat(10)), /more than/],
  };
  for (const [name, [shape, message]] of Object.entries(REFUSED)) {
    it(name, () => assert.throws(() => fill(shape, ["name", 1]), { message }));
  }
});

describe("parseShape()", () => {
  const REFUSED: Readonly<Record<string, string>> = {
    "refuses what is no JSON": "{",
    "refuses a mark that names nothing": '"$x"',
    "refuses a mark at the end": '"a$"',
    "refuses a hole without a number": '{"$":"0"}',
    "refuses a shape without a name": '{"$shape":7,"from":0}',
    "refuses a text of no form": '{"evidence":{"path":"/","source":"sysfs","text":{"$text":"rumour"}}}',
    "refuses deep nesting": `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  };
  for (const [name, text] of Object.entries(REFUSED))
    it(name, () => assert.throws(() => parseShape(text), SyntaxError));

  it("names the shapes within, sorted", () => {
    const text = '{"types":[{"$shape":"b","from":1},{"$shape":"a","from":2},{"$shape":"b","from":3}]}';
    assert.deepEqual(parseShape(text).nested, ["a", "b"]);
  });
});
