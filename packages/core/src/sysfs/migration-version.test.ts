// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatMigrationVersion } from "./migration-version.ts";

describe("formatMigrationVersion()", () => {
  it("writes the text unchanged and an LF", () => {
    assert.equal(formatMigrationVersion("8086-193b-GVTg_V5_4-00000001"), "8086-193b-GVTg_V5_4-00000001\n");
  });

  for (const version of ["", " ", "a\n", "a\nb", "a\0", "é", "a".repeat(4097)]) {
    it(`refuses ${JSON.stringify(version.slice(0, 8))} of ${version.length} characters`, () => {
      assert.throws(() => formatMigrationVersion(version), SyntaxError);
    });
  }
});
