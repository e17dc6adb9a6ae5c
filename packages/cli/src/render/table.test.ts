// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTable, printable } from "./table.ts";

const HEAD = ["A", "LONG"];
const LONG = "one two three four five six seven eight nine ten";

describe("formatTable()", () => {
  it("puts each row on one line where there is no terminal", () =>
    assert.equal(formatTable(HEAD, [["x", LONG]], undefined), `A  LONG\nx  ${LONG}`));

  it("wraps the last column at words to the width of the terminal", () => {
    const lines = formatTable(HEAD, [["x", LONG]], 32).split("\n");
    assert.ok(lines.length > 2);
    assert.ok(lines.every((line) => line.length <= 32));
    assert.equal(lines.slice(1).join(" ").replaceAll(/\s+/g, " ").trim(), `x ${LONG}`);
  });

  it("leaves a table that fits as it is", () =>
    assert.equal(formatTable(HEAD, [["x", LONG]], 200), formatTable(HEAD, [["x", LONG]], undefined)));
});

describe("printable()", () => {
  it("shows control characters instead of sending them", () =>
    assert.equal(printable("a\u001b[31m\u0007\u202eb\nc"), "a\\x1b[31m\\x07\\x202eb, c"));
});
