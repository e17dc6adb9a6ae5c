// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inRepository } from "./planted-repository.ts";
import { runBatch } from "./run-tests.ts";

const IMPORT = `import { test } from "node:test";\n`;

describe("runBatch()", () => {
  test("stops a process that is silent, and names the case", async () => {
    const text = `${IMPORT}test("a", () => { for (;;); });`;
    const files = { "tools/a.test.ts": text, "tools/b.test.ts": `${IMPORT}test("b", () => {});` };
    const patience = { silenceMs: 3000, totalMs: 30_000 };
    const { outcomes, owed } = await inRepository(files, (root) => runBatch(root, Object.keys(files), patience));
    assert.deepEqual(
      [outcomes.map(({ kind, file }) => `${kind} ${file}`), owed],
      [["failed tools/a.test.ts"], ["tools/b.test.ts"]],
    );
    assert.match(outcomes[0]?.why ?? "", /Stopped after 3 s of silence, in tools\/a\.test\.ts > a/);
  });
});
