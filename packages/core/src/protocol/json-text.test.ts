// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BerthError } from "./berth-error.ts";
import { JSON_TEXT_MAX, parseJsonText } from "./json-text.ts";

function refusal(text: string): BerthError {
  try {
    parseJsonText(text, "f.json");
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error(`accepted ${JSON.stringify(text.slice(0, 40))}`);
}

describe("parseJsonText()", () => {
  it("reads what JSON holds", () => {
    const text = ' {"a": [1, -2.5e3, true, false, null, "x\\u0041\\n"], "b": {}, "c": []} \n';
    assert.deepEqual(parseJsonText(text, "f"), { a: [1, -2500, true, false, null, "xA\n"], b: {}, c: [] });
  });
  it("skips a byte order mark", () => assert.equal(parseJsonText("\u{feff}1", "f"), 1));
  it("takes constructor for a key like any other", () => {
    const value = parseJsonText('{"constructor": 1, "toString": 2}', "f") as Record<string, unknown>;
    assert.deepEqual(Object.entries(value), [
      ["constructor", 1],
      ["toString", 2],
    ]);
  });

  const CASES: Readonly<Record<string, readonly [string, string]>> = {
    "names line and column": ['{\n  "a": 1,\n  "b" 2\n}', 'f.json:3:7: expected ":" after a key, got "2\\n}"'],
    "names the end of the text": ['{"a": [1,', "f.json:1:10: expected a JSON value, got the end"],
    "refuses an empty text": ["", "f.json:1:1: expected a JSON value, got the end"],
    "refuses a second value": ["1 2", 'f.json:1:3: expected the end of the text, got "2"'],
    "refuses a key twice": ['{"a": 1, "a": 2}', 'f.json:1:10: expected the key "a" only once, got "\\"a\\": 2}"'],
    "refuses a key twice, one of them escaped": [
      '{"a":1,"\\u0061":2}',
      'f.json:1:8: expected the key "a" only once, got "\\"\\\\u0061\\":2}"',
    ],
    "refuses __proto__": [
      '{"__proto__": {}}',
      'f.json:1:2: expected another key than __proto__, got "\\"__proto__\\": {}}"',
    ],
    "refuses an escaped __proto__": [
      '{"__pr\\u006fto__": {}}',
      'f.json:1:2: expected another key than __proto__, got "\\"__pr\\\\u006fto__\\": {}"',
    ],
    "refuses a trailing comma": ["[1,]", 'f.json:1:4: expected a JSON value, got "]"'],
    "refuses a trailing comma in an object": ['{"a":1,}', 'f.json:1:8: expected a key in double quotes, got "}"'],
    "refuses single quotes": ["'a'", "f.json:1:1: expected a JSON value, got \"'a'\""],
    "refuses a control character in a string": [
      '"a\u0000"',
      'f.json:1:1: expected a string in double quotes, without control characters, got "\\"a\\u0000\\""',
    ],
    "refuses a number that does not fit": ["1e999", 'f.json:1:1: expected a number that fits, got "1e999"'],
    "refuses a leading zero": ["01", 'f.json:1:2: expected the end of the text, got "1"'],
    "refuses a comment": ["// x", 'f.json:1:1: expected a JSON value, got "// x"'],
    "refuses NaN": ["NaN", 'f.json:1:1: expected a JSON value, got "NaN"'],
  };
  for (const [name, [text, message]] of Object.entries(CASES)) {
    it(name, () => {
      const error = refusal(text);
      assert.equal(error.message, message);
      assert.equal(error.code, "json_malformed");
    });
  }

  it("refuses nesting without an end", () => {
    assert.match(refusal("[".repeat(100_000)).message, /at most 64 levels/);
    assert.equal(refusal('{"a":'.repeat(100_000)).code, "json_malformed");
    assert.doesNotThrow(() => parseJsonText("[".repeat(64) + "]".repeat(64), "f"));
  });
  it("refuses a text that is too long before it reads it", () => {
    assert.equal(refusal(" ".repeat(JSON_TEXT_MAX + 1)).code, "file_too_large");
    assert.equal(parseJsonText(`1${" ".repeat(JSON_TEXT_MAX - 1)}`, "f"), 1);
  });
});
