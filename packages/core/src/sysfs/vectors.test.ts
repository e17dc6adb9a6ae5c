// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { CODECS } from "./codec-table.ts";

/** fixtures/vectors/README.md describes the files. */
const VECTORS = new URL("../../../../fixtures/vectors/", import.meta.url);
const NOT_JSON = new Map<string, unknown>([
  ["undefined", undefined],
  ["Infinity", Infinity],
]);

interface Vector {
  readonly at: string;
  readonly text: string;
  readonly columns: readonly string[];
}

const names = readdirSync(VECTORS).filter((name) => name.endsWith(".txt"));

describe("fixtures/vectors", () => {
  it("holds files of codecs alone, and both of every codec", () => {
    const expected = [...CODECS.keys()].flatMap((name) => [`${name}_invalid.txt`, `${name}_valid.txt`]);
    assert.deepEqual(names.toSorted(), expected.toSorted());
  });

  it("covers every function parse* of core/sysfs", async () => {
    const covered = new Set([...CODECS.values()].map((codec) => codec.of as unknown));
    const folder = new URL("./", import.meta.url);
    for (const file of readdirSync(folder).filter((name) => /^[a-z-]+\.ts$/.test(name))) {
      const module = (await import(new URL(file, folder).href)) as Record<string, unknown>;
      for (const [name, value] of Object.entries(module)) {
        if (name.startsWith("parse")) assert.ok(covered.has(value), `${file}: ${name} has no vectors`);
      }
    }
  });
});

for (const [name, codec] of CODECS) {
  describe(`${name}, vectors`, () => {
    for (const { at, text, columns } of readVectors(`${name}_valid.txt`)) {
      it(`reads ${at}`, () => {
        const [value, written, ...more] = columns;
        assert.ok(value !== undefined && more.length === 0, `expected text => value => text written`);
        assert.deepStrictEqual(plain(codec.parse(text)), NOT_JSON.has(value) ? NOT_JSON.get(value) : JSON.parse(value));
        if (codec.rewrite === undefined) {
          assert.equal(written, undefined, "nothing writes this text");
          return;
        }
        const rewritten = codec.rewrite(text);
        if (written !== undefined) assert.equal(rewritten, unescape(written));
        assert.deepStrictEqual(codec.parse(rewritten), codec.parse(text), "what is written is read again");
      });
    }
    for (const { at, text, columns } of readVectors(`${name}_invalid.txt`)) {
      it(`refuses ${at}`, () => {
        const [error = "SyntaxError", ...more] = columns;
        assert.ok((error === "SyntaxError" || error === "RangeError") && more.length === 0);
        assert.throws(() => codec.parse(text), { name: error, message: /^[ -~]{1,700}$/ });
      });
    }
  });
}

function readVectors(file: string): readonly Vector[] {
  const lines = readFileSync(new URL(file, VECTORS), "utf8").split("\n");
  const vectors = lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const [text = "", ...columns] = line.split(" => ");
    return [{ at: `${file}:${index + 1}`, text: unescape(text), columns }];
  });
  assert.ok(vectors.length > 0, `${file} holds no vectors`);
  return vectors;
}

/** The escapes of the vector files: \n \t \r \0 \e \\ \xNN \u{N} and \{COUNT*text}. */
function unescape(text: string): string {
  return text.replace(/\\(?:\{(\d+)\*((?:[^}\\]|\\.)*)\}|x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))/gi, (...match) => {
    const [whole, count, repeated, hex, code, letter] = match as readonly (string | undefined)[];
    if (repeated !== undefined) return unescape(repeated).repeat(Number(count));
    const point = hex ?? code;
    if (point !== undefined) return String.fromCodePoint(Number.parseInt(point, 16));
    const plainText = new Map(Object.entries({ n: "\n", t: "\t", r: "\r", 0: "\0", e: "", "\\": "\\" })).get(
      letter ?? "",
    );
    assert.ok(plainText !== undefined, `unknown escape ${whole}`);
    return plainText;
  });
}

/** A value as JSON can hold it: a map becomes the list of its pairs. */
function plain(value: unknown): unknown {
  return value instanceof Map ? [...value.entries()] : value;
}
