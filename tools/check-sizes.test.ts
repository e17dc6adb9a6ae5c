// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkSizes } from "./check-sizes.ts";
import { inRepository } from "./planted-repository.ts";

type Row = readonly [file: string, text: string, finding?: RegExp];

const ROWS: Readonly<Record<string, Row>> = {
  "accepts a source of 300 lines": ["tools/a.ts", "a;\n".repeat(300)],
  "refuses a source of 301 lines": ["tools/a.ts", "a;\n".repeat(301), /has 301 lines, 300 are allowed/],
  "counts a last line without an end": ["tools/a.ts", "a;\n".repeat(300) + "a;", /has 301 lines/],
  "counts comments and blank lines": ["tools/a.ts", "\n// a\n".repeat(151), /has 302 lines/],
  "accepts a test of 600 lines": ["tools/a.test.ts", "a;\n".repeat(600)],
  "refuses a test of 601 lines": ["tools/a.test.ts", "a;\n".repeat(601), /has 601 lines, 600 are allowed/],
  "refuses a folder that names nothing": ["packages/core/src/device/utils/a.ts", "", /"utils"/],
  "refuses a file that names nothing": ["packages/core/src/device/helpers.test.ts", "", /"helpers.test.ts"/],
  "refuses an enum": ["tools/a.ts", "const enum A { B }", /an enum cannot be stripped/],
  "refuses a barrel": ["tools/a.ts", `export * from "./b.ts";`, /barrel/],
  "refuses a barrel of types": ["tools/a.ts", `export type * from "./b.ts";`, /barrel/],
  "refuses an exported arrow function": ["tools/a.ts", "export const f = (a) => a;", /write `export function f`/],
  "refuses an exported async arrow function": ["tools/a.ts", "export const f = async () => 1;", /export function f/],
  "refuses an exported arrow function with a type": [
    "tools/a.ts",
    "export const f: (a: { b: 1 }) => 1 = (a): 1 => 1;",
    /f/,
  ],
  "refuses an exported generic arrow function": [
    "tools/a.ts",
    "export const f = <T>(a: T): T => a;",
    /export function f/,
  ],
  "refuses an exported arrow function of one name": ["tools/a.ts", "export const f = a => a;", /export function f/],
  "refuses an exported function expression": ["tools/a.ts", "export const f = function () {};", /export function f/],
  "refuses an empty verb": ["tools/a.ts", "export async function processHost() {}", /processHost/],
  "accepts an exported function": ["tools/a.ts", "export function getter() { return () => 1; }"],
  "accepts an exported table": ["tools/a.ts", "export const A = { a: () => 1 }; const b = () => 2;"],
  "accepts an exported value": ["tools/a.ts", "export const A: ReadonlyMap<string, () => 1> = new Map();"],
  "accepts a value in brackets": ["tools/a.ts", "export const A = (1 + 2) * 3;"],
  "accepts the word enum elsewhere": ["tools/a.ts", `a.enum; ({ enum: 1 }); "enum A {"; // enum A {`],
};

describe("checkSizes()", () => {
  for (const [name, [file, text, finding]] of Object.entries(ROWS)) {
    test(name, async () => {
      const { findings } = await inRepository({ [file]: text }, checkSizes);
      if (finding === undefined) return assert.deepEqual(findings, []);
      assert.equal(findings.length, 1);
      assert.match(findings[0]?.text ?? "", finding);
    });
  }

  test("notes the median and the ninth decile of sources", async () => {
    const files = {
      "tools/a.ts": "a;\n".repeat(10),
      "tools/b.ts": "a;\n".repeat(20),
      "tools/c.test.ts": "a;\n".repeat(90),
    };
    const { notes } = await inRepository(files, checkSizes);
    assert.match(notes[0] ?? "", /2 source files: median 10 lines.*p90 20.*most 20/);
  });
});
