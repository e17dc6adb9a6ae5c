// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseTokens } from "./tokens.ts";

const CASES = {
  "leaves comments out": { text: "a /* b */ c // d", tokens: ["word a", "word c"] },
  "leaves the first line of a script out": { text: "#!/usr/bin/env node\na", tokens: ["word a"] },
  "keeps what looks like a comment in a string": { text: `"//" '/*'`, tokens: ["string //", "string /*"] },
  "ends a string at its own quote": { text: `"it's" a`, tokens: ["string it's", "word a"] },
  "keeps an escaped quote": { text: `"a\\"b" c`, tokens: [`string a\\"b`, "word c"] },
  "takes a slash after a name for a division": {
    text: "a / b / c",
    tokens: ["word a", "mark /", "word b", "mark /", "word c"],
  },
  "takes a slash after a bracket for a division": {
    text: "(a) / 2",
    tokens: ["mark (", "word a", "mark )", "mark /", "number 2"],
  },
  "takes a slash after `=` for a regular expression": {
    text: `= /"[/]'/g;`,
    tokens: ["mark =", `regex /"[/]'/g`, "mark ;"],
  },
  "takes a slash after `return` for a regular expression": { text: "return /`/", tokens: ["word return", "regex /`/"] },
  "goes on after a template": { text: "`a` b", tokens: ["template `a`", "word b"] },
  "looks into the substitutions of a template": {
    text: "`a${ f({ b: `c${d}` }) }e` g",
    tokens:
      "template `a${|word f|mark (|mark {|word b|mark :|template `c${|word d|template }`|mark }|mark )|template }e`|word g".split(
        "|",
      ),
  },
  "keeps a lone dollar inside a template": { text: "`$a` b", tokens: ["template `$a`", "word b"] },
  "reads names in any script": { text: "größe #privat", tokens: ["word größe", "word #privat"] },
  "goes on after an unfinished string": { text: `"abc\nd`, tokens: ["string abc", "word d"] },
  "ends with an unfinished template": { text: "`abc", tokens: ["template `abc"] },
  "ends with an unfinished comment": { text: "a /* b", tokens: ["word a"] },
};

describe("parseTokens()", () => {
  for (const [name, { text, tokens }] of Object.entries(CASES)) {
    test(name, () => {
      const found = parseTokens(text).map((token) => `${token.kind} ${token.text}`);
      assert.deepEqual(found, tokens);
    });
  }

  test("counts the lines of comments, strings and templates", () => {
    const found = parseTokens("/*\n*/ a\n`\n` b");
    assert.deepEqual(
      found.map(({ text, line }) => [text, line]),
      [
        ["a", 2],
        ["`\n`", 3],
        ["b", 4],
      ],
    );
  });
});
