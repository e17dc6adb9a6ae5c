// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { BerthError } from "./berth-error.ts";
import { ERROR_CODES } from "./error-codes.ts";

const DOCUMENT = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");

/** Rows of the table: code, exit code, HTTP status, meaning, what to do. */
function readRows(): readonly (readonly string[])[] {
  return DOCUMENT.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("ERROR_CODES", () => {
  it("is what docs/errors.md says, in order", () => {
    const documented = readRows().map(([code, exit, http, meaning]) => [code, exit, http, meaning]);
    const declared = Object.entries(ERROR_CODES).map(([code, { exitCode, httpStatus, meaning }]) => [
      `\`${code}\``,
      String(exitCode),
      String(httpStatus),
      meaning,
    ]);
    assert.deepEqual(documented, declared);
  });

  it("is explained: every row says what to do", () => {
    for (const row of readRows()) assert.ok((row[4] ?? "").length > 10, row[0] ?? "");
  });

  it("is sorted, and each meaning is a sentence without a full stop", () => {
    const codes = Object.keys(ERROR_CODES);
    assert.deepEqual(codes, [...codes].sort());
    for (const { meaning } of Object.values(ERROR_CODES)) assert.match(meaning, /^[A-Z].*[^.]$/);
  });
});

describe("BerthError", () => {
  it("carries its code's meaning for programs", () => {
    const cause = new Error("inner");
    const error = new BerthError("unknown_host", "No host x", { place: "--host", expected: "a, b", cause });
    assert.deepEqual(
      [
        error.code,
        error.exitCode,
        error.httpStatus,
        error.place,
        error.expected,
        error.details,
        error.cause,
        error.name,
      ],
      ["unknown_host", 2, 404, "--host", "a, b", [], cause, "BerthError"],
    );
  });
});
