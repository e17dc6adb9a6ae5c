// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ATTRIBUTE_MAX, parseAttributeText, parseLine, parseListText, stripNewline } from "./attribute-text.ts";

const STRIPPED: Readonly<Record<string, readonly [raw: string, text: string]>> = {
  "takes one LF off": ["a\n", "a"],
  "takes no second LF off": ["a\n\n", "a\n"],
  "leaves a text without LF alone": ["a", "a"],
  "leaves CR alone": ["a\r", "a\r"],
  "leaves a leading LF alone": ["\na", "\na"],
  "makes an LF empty": ["\n", ""],
};

describe("stripNewline()", () => {
  for (const [name, [raw, text]] of Object.entries(STRIPPED)) {
    it(name, () => assert.equal(stripNewline(raw), text));
  }
});

describe("parseAttributeText()", () => {
  it("counts 4096 bytes without the trailing LF", () => {
    assert.equal(ATTRIBUTE_MAX, 4096);
    assert.equal(parseAttributeText(`${"a".repeat(4096)}\n`).length, 4096);
    assert.throws(() => parseAttributeText("a".repeat(4097)), { message: /expected at most 4096 bytes/ });
  });
});

describe("parseLine()", () => {
  it("names the attribute in every message", () => {
    for (const raw of ["a\nb", "a\0", "a".repeat(5000)]) {
      assert.throws(() => parseLine(raw, "device_api"), { name: "SyntaxError", message: /^Cannot parse device_api: / });
    }
  });
});

describe("parseListText()", () => {
  it("refuses a text as long as what sysfs leaves of a longer one", () => {
    assert.equal(parseListText("a".repeat(4094), "list").length, 4094);
    assert.throws(() => parseListText("a".repeat(4095), "list"), { message: /may be cut off/ });
  });
});
