// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatCompatibleBlock,
  parseCompatibleBlock,
  parseMigrationCompatible,
  parseSelf,
} from "./compatible-block.ts";

/** Text of a block -> the same as it is written back, line by line. */
const READ: Readonly<Record<string, { readonly text: string; readonly lines: readonly string[] }>> = {
  "reads key=value lines (P7)": {
    text: "device_type=vfio_pci\nmdev_type=i915-GVTg_V5_{val1:int:2,4,8}\naggregator={val1}/2\n",
    lines: ["device_type=vfio_pci", "mdev_type=i915-GVTg_V5_{val1:int:2,4,8}", "aggregator={val1}/2"],
  },
  "reads pairs with blanks and lines between them (P6)": {
    text: '  a={v:int:1,2}\tb={v}/2 \n\n   c={w:string:"none+ppgtt","none"} d=""',
    lines: ["a={v:int:1,2}", "b={v}/2", 'c={w:string:"none+ppgtt","none"}', 'd=""'],
  },
  "reads items without quotes": { text: "a={v:string:x.y,z}", lines: ['a={v:string:"x.y","z"}'] },
  "keeps commas and blanks inside quotes": {
    text: 'a={v:string:"x, y",""} b="p q"',
    lines: ['a={v:string:"x, y",""}', 'b="p q"'],
  },
  "takes quotes off a plain value": { text: 'a="x"', lines: ["a=x"] },
  "reads a missing value as the empty one": { text: "a=\nb=1", lines: ['a=""', "b=1"] },
  "reads a use in the field of its bind": { text: "a={v:int:1}-{v}x{v}/1", lines: ["a={v:int:1}-{v}x{v}"] },
  "reads a slash before anything but a digit as a literal": {
    text: "a={v:int:1}/b/{v}/c",
    lines: ["a={v:int:1}/b/{v}/c"],
  },
  "reads = and : and # in a value": { text: "a=b=c:#d", lines: ["a=b=c:#d"] },
  "reads hostile keys and names as any other": {
    text: "__proto__={constructor:int:1} toString={constructor}",
    lines: ["__proto__={constructor:int:1}", "toString={constructor}"],
  },
};

const REFUSED: Readonly<Record<string, string>> = {
  nothing: "",
  "blanks only": " \n\t ",
  "a word without =": "a=1 b",
  "a value without a key": "=1",
  "a key that stands twice": "a=1\na=2",
  "a comment": 'a="" # meaning empty',
  "the ellipsis of a mail": "... a=1",
  "a value with a blank": "a=b c",
  "a quote that is not closed": 'a="b c=1',
  "a quote inside a value": 'a=b"c"',
  "a text after a quote": 'a="b"c',
  "a line feed inside quotes": 'a="b\nc"',
  "a template inside quotes": 'a="{v:int:1}"',
  "a brace that is not closed": "a={v:int:1",
  "a brace that was not opened": "a=v}",
  "braces in braces": "a={v:string:{w}}",
  "an unknown type": "a={v:float:1}",
  "a bind without items": "a={v:int:}",
  "an empty item": "a={v:string:x,,y}",
  "a last comma": "a={v:int:1,2,}",
  "a blank between items": "a={v:int:1, 2}",
  "a range": "a={v:int:1-8}",
  "a number with a sign": "a={v:int:-1}",
  "a hexadecimal number": "a={v:int:0x10}",
  "a leading zero": "a={v:int:01}",
  "a number in quotes": 'a={v:int:"1"}',
  "a number of 19 digits": `a={v:int:${"1".repeat(19)}}`,
  "a use before its bind": "a={v}/2 b={v:int:1,2}",
  "a variable that is bound twice": "a={v:int:1} b={v:int:1}",
  "a division of a string": "a={v:string:4} b={v}/2",
  "a division at the bind": "a={v:int:4}/2",
  "two divisions": "a={v:int:4} b={v}/2/2",
  "a division by 0": "a={v:int:4} b={v}/0",
  "a product": "a={v:int:4} b={v*2}",
  code: "a=${process.exit(1)}",
  "a control character": "a=\u001b[31m",
  "a carriage return": "a=1\r\nb=2",
  "a letter beyond ASCII": "a=é",
};

describe("parseCompatibleBlock()", () => {
  for (const [name, { text, lines }] of Object.entries(READ)) {
    it(name, () =>
      assert.equal(formatCompatibleBlock(parseCompatibleBlock(text)), lines.map((line) => `${line}\n`).join("")),
    );
  }

  for (const [name, text] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, () => assert.throws(() => parseCompatibleBlock(text), { name: "SyntaxError" }));
  }

  it("knows what is literal, bound and used", () => {
    const { fields, variables } = parseCompatibleBlock('t=V5_{v:int:2,4} a={v}/2 p={w:string:"x"}{w} e=""');
    assert.deepEqual(
      [...fields],
      [
        [
          "t",
          [
            { kind: "literal", text: "V5_" },
            { kind: "bind", name: "v" },
          ],
        ],
        ["a", [{ kind: "use", name: "v", divisor: 2n }]],
        [
          "p",
          [
            { kind: "bind", name: "w" },
            { kind: "use", name: "w", divisor: 1n },
          ],
        ],
        ["e", []],
      ],
    );
    assert.deepEqual(
      [...variables.values()],
      [
        { kind: "int", name: "v", values: [2n, 4n] },
        { kind: "string", name: "w", values: ["x"] },
      ],
    );
  });

  it("quotes what it could not read", () => {
    const message = 'Cannot parse a template: expected "v" to be bound before it is used, got "{v}/2"';
    assert.throws(() => parseCompatibleBlock("aggregator={v}/2"), { message });
    assert.throws(() => parseCompatibleBlock("a=1 b"), {
      message: 'Cannot parse a COMPATIBLE block: expected key=value, got "b"',
    });
  });

  it("reads 4094 characters and refuses more", () => {
    const text = `a=${"x".repeat(4092)}`;
    assert.equal(parseCompatibleBlock(text).fields.size, 1);
    assert.throws(() => parseCompatibleBlock(`${text}x`), { name: "RangeError", message: /at most 4094 characters/ });
  });
});

describe("parseSelf()", () => {
  it("reads plain values, with and without quotes", () => {
    assert.deepEqual(
      [...parseSelf('a=1 b="x y"\n__proto__= c=""')],
      [
        ["a", "1"],
        ["b", "x y"],
        ["__proto__", ""],
        ["c", ""],
      ],
    );
  });

  for (const text of ["", "a={v:int:1}", "a=x{v:int:1}", "a={v}", "a", "a=1 a=1"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseSelf(text), { name: "SyntaxError" }));
  }
});

describe("parseMigrationCompatible()", () => {
  it("reads one device and any number of blocks", () => {
    const read = parseMigrationCompatible(
      "SELF:\n\ta=1\nCOMPATIBLE:\n\ta={v:int:1,2}\nCOMPATIBLE: a=3 b=COMPATIBLE:\n",
    );
    assert.deepEqual([...read.self], [["a", "1"]]);
    assert.deepEqual(read.compatible.map(formatCompatibleBlock), ["a={v:int:1,2}\n", "a=3\nb=COMPATIBLE:\n"]);
  });

  it("reads a device that accepts nothing", () => {
    assert.deepEqual(parseMigrationCompatible("SELF: a=1").compatible, []);
  });

  const MALFORMED = [
    "",
    "a=1",
    "COMPATIBLE: a=1",
    "a=1 SELF: a=1",
    "SELF: a=1 SELF: a=2",
    "SELF:",
    "SELF: a=1 COMPATIBLE:",
    "SELF:a=1",
    'SELF: a="b COMPATIBLE: c"',
  ];
  for (const text of MALFORMED) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseMigrationCompatible(text), { name: "SyntaxError" }));
  }
});
