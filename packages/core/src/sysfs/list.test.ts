// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatList } from "./list.ts";

describe("formatList()", () => {
  it("drops duplicates and keeps the order", () => assert.equal(formatList(["b", "a", "b"]), "b,a\n"));

  for (const item of ["", "a,b", "a b", "a\nb", "a\tb", "...", "a\0", "é"]) {
    it(`refuses ${JSON.stringify(item)}, which could not be read back`, () => {
      assert.throws(() => formatList(["a", item]), SyntaxError);
    });
  }
});
