// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { PUBLISHED_SCHEMAS } from "./published-schemas.ts";

const FOLDER = new URL("../../../../docs/schemas/", import.meta.url);

/** With BERTH_WRITE_SCHEMAS=1 the files are written first; then format them. */
if (process.env["BERTH_WRITE_SCHEMAS"] === "1") {
  for (const [file, schema] of Object.entries(PUBLISHED_SCHEMAS)) {
    writeFileSync(new URL(file, FOLDER), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

describe("PUBLISHED_SCHEMAS", () => {
  it("are all the files of docs/schemas", () => {
    assert.deepEqual(
      readdirSync(FOLDER)
        .filter((file) => file.endsWith(".json"))
        .sort(),
      Object.keys(PUBLISHED_SCHEMAS),
    );
  });
  for (const [file, schema] of Object.entries(PUBLISHED_SCHEMAS)) {
    it(`equal docs/schemas/${file}`, () => {
      assert.deepEqual(
        JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")),
        schema,
        "run with BERTH_WRITE_SCHEMAS=1",
      );
    });
  }
});
