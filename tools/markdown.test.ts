// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findAnchors, findDefinedCodes, findLinks, formatSlug } from "./markdown.ts";

const LINKS: Readonly<Record<string, readonly [text: string, ...targets: string[]]>> = {
  "finds an inline link": ["see [a](b.md#c) there", "b.md#c"],
  "finds an image and its link": ["[![a](b.png)](c.md)", "b.png", "c.md"],
  "finds a target with brackets": ["[a](b_(c).md)", "b_(c).md"],
  "finds a target in angle brackets": ["[a](<b c.md>)", "b c.md"],
  "leaves a title out": [`[a](b.md "title")`, "b.md"],
  "finds a definition": ["[a]: b.md", "b.md"],
  "finds links of HTML": [`<a href="b.md"><img alt="x" src='c.png'></a>`, "b.md", "c.png"],
  "ignores code": ["`[a](b.md)` ``[a](`c`.md)``"],
  "ignores fenced code": ["```md\n[a](b.md)\n```\n"],
  "goes on after fenced code": ["~~~\n[a](b.md)\n```\n~~~\n[c](d.md)", "d.md"],
  "ignores a footnote": ["[^1]: b.md"],
};

describe("findLinks()", () => {
  for (const [name, [text, ...targets]] of Object.entries(LINKS)) {
    test(name, () => {
      assert.deepEqual(
        findLinks(text).map(({ target }) => target),
        targets,
      );
    });
  }
});

const SLUGS = {
  "Where it runs": "where-it-runs",
  "`berth host [--root DIR]`": "berth-host---root-dir",
  "R4: software version": "r4-software-version",
  "A *bold* [link](x.md) & more": "a-bold-link--more",
  snake_case: "snake_case",
};

describe("formatSlug()", () => {
  for (const [heading, slug] of Object.entries(SLUGS)) {
    test(`names ${heading}`, () => assert.equal(formatSlug(heading), slug));
  }
});

describe("findAnchors()", () => {
  test("numbers equal headings, and skips fenced code", () => {
    const anchors = findAnchors(`# A\n## A\n\`\`\`\n# B\n\`\`\`\nC d\n---\n<a id="e"></a>\n`);
    assert.deepEqual([...anchors], ["a", "a-1", "c-d", "e"]);
  });
});

describe("findDefinedCodes()", () => {
  test("takes headings and first cells that hold one code", () => {
    const text = "### `a_b`\n| `c` | `d` |\n| --- | --- |\n| plain `e` | x |\ntext `f`\n## `g` and more\n";
    assert.deepEqual(
      [...findDefinedCodes(text)],
      [
        ["a_b", 1],
        ["c", 2],
      ],
    );
  });
});
