// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { replaceFile } from "./new-file.ts";

const base = mkdtempSync(join(tmpdir(), "berth-file-"));
after(() => rmSync(base, { recursive: true }));

/** Some user that is not root. */
const OTHER = 65_534;
const skip = process.geteuid?.() !== 0 && "only root can give a file away";

function ownerOf(path: string): readonly number[] {
  const { uid, gid, mode } = statSync(path);
  return [uid, gid, mode & 0o777];
}

describe("replaceFile()", () => {
  it("puts a text in the place of another, for its owner alone", () => {
    const path = join(base, "tokens.json");
    writeFileSync(path, "old and longer", { mode: 0o644 });
    replaceFile(path, "new");
    assert.deepEqual([readFileSync(path, "utf8"), ownerOf(path)[2]], ["new", 0o600]);
    assert.ok(!existsSync(`${path}.part`));
  });

  it("refuses while another does so, and leaves the file alone", () => {
    const path = join(base, "busy.json");
    writeFileSync(path, "old");
    writeFileSync(`${path}.part`, "half");
    assert.throws(() => replaceFile(path, "new"), { code: "store_exists" });
    assert.equal(readFileSync(path, "utf8"), "old");
  });

  it("leaves a file to the user whose it was, where root replaces it", { skip }, () => {
    const path = join(base, "theirs.json");
    writeFileSync(path, "old");
    chownSync(path, OTHER, OTHER);
    replaceFile(path, "new");
    assert.deepEqual(ownerOf(path), [OTHER, OTHER, 0o600]);
  });

  it("gives a new file to the user whose the folder is", { skip }, () => {
    mkdirSync(join(base, "theirs"));
    chownSync(join(base, "theirs"), OTHER, OTHER);
    replaceFile(join(base, "theirs/tokens.json"), "new");
    assert.deepEqual(ownerOf(join(base, "theirs/tokens.json")), [OTHER, OTHER, 0o600]);
  });
});
