// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quoteText } from "./quoted-text.ts";

const CASES: Readonly<Record<string, { readonly text: string; readonly quoted: string }>> = {
  "puts a text between quotes": { text: "1.x", quoted: '"1.x"' },
  "quotes an empty text": { text: "", quoted: '""' },
  "escapes quotes and backslashes": { text: 'a"b\\c', quoted: '"a\\"b\\\\c"' },
  "escapes control characters": {
    text: "\0\x1b[31m\r\n\t\x7f\x9b",
    quoted: '"\\u0000\\u001b[31m\\r\\n\\t\\u007f\\u009b"',
  },
  "escapes what is beyond ASCII": { text: "é\u202e😀", quoted: '"\\u00e9\\u202e\\ud83d\\ude00"' },
  "escapes half of a surrogate pair": { text: "\ud83d", quoted: '"\\ud83d"' },
  "keeps 80 characters": { text: "a".repeat(80), quoted: `"${"a".repeat(80)}"` },
  "shortens to 80 characters": { text: "a".repeat(81), quoted: `"${"a".repeat(80)}..."` },
};

describe("quoteText()", () => {
  for (const [name, { text, quoted }] of Object.entries(CASES)) {
    it(name, () => assert.equal(quoteText(text), quoted));
  }
});
