// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeDataDirectory, makeFirstTokens } from "./first-tokens.ts";
import { readTokens } from "./tokens-file.ts";

const base = mkdtempSync(join(tmpdir(), "berth-tokens-"));
after(() => rmSync(base, { recursive: true }));

function directory(): string {
  return mkdtempSync(join(base, "data-"));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("makeFirstTokens()", () => {
  it("makes one administrator, whose token stands beside, both for this user alone", () => {
    const at = directory();
    const path = join(at, "tokens.json");
    assert.equal(makeFirstTokens(at, path), true);
    const token = readFileSync(join(at, "admin.token"), "utf8").trim();
    const { tokens } = readTokens(path);
    const hash = createHash("sha256").update(token).digest("hex");
    assert.deepEqual(
      tokens.map((one) => [one.role, one.hash.toString("hex")]),
      [["admin", hash]],
    );
    assert.deepEqual([modeOf(path), modeOf(join(at, "admin.token"))], [0o600, 0o600]);
    assert.ok(!readFileSync(path, "utf8").includes(token));
  });

  it("draws another token each time", () => {
    const [one, other] = [directory(), directory()].map((at) => {
      makeFirstTokens(at, join(at, "tokens.json"));
      return readFileSync(join(at, "admin.token"), "utf8");
    });
    assert.notEqual(one, other);
  });

  it("leaves a tokens file alone, and makes no token beside it", () => {
    const at = directory();
    writeFileSync(join(at, "tokens.json"), "{}");
    assert.equal(makeFirstTokens(at, join(at, "tokens.json")), false);
    assert.equal(readFileSync(join(at, "tokens.json"), "utf8"), "{}");
    assert.ok(!existsSync(join(at, "admin.token")));
  });

  it("leaves alone what it cannot read, too", () => {
    const at = directory();
    mkdirSync(join(at, "tokens.json"));
    assert.equal(makeFirstTokens(at, join(at, "tokens.json")), false);
    assert.ok(!existsSync(join(at, "admin.token")));
  });

  it("writes no secret into an old file that others can read", () => {
    const at = directory();
    writeFileSync(join(at, "admin.token"), "old", { mode: 0o644 });
    makeFirstTokens(at, join(at, "tokens.json"));
    assert.equal(modeOf(join(at, "admin.token")), 0o600);
  });

  it("says where it cannot write", () => {
    const at = join(base, "none");
    assert.throws(() => makeFirstTokens(at, join(at, "tokens.json")), { code: "store_read_only", message: /ENOENT/ });
  });
});

describe("makeDataDirectory()", () => {
  it("makes a directory for this user alone, and those above it", () => {
    makeDataDirectory(join(base, "a/b"));
    assert.equal(modeOf(join(base, "a/b")), 0o700);
    makeDataDirectory(join(base, "a/b"));
  });

  it("says where it cannot be made", () => {
    writeFileSync(join(base, "file"), "");
    assert.throws(() => makeDataDirectory(join(base, "file/data")), { code: "store_read_only", message: /ENOTDIR/ });
  });
});
