// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkDocs } from "./check-docs.ts";
import { inRepository, SPDX_LINE } from "./planted-repository.ts";
import type { Planted } from "./planted-repository.ts";

/** Files, and a part of the one finding; none where all is well. */
type Row = readonly [files: Planted, finding?: RegExp];

const ROWS: Readonly<Record<string, Row>> = {
  "accepts a link to a file": [{ "a.md": "[b](docs/b.md)", "docs/b.md": "[a](../a.md)" }],
  "accepts a link to a folder": [{ "a.md": "[b](docs/)", "docs/b.md": "" }],
  "accepts a link to a heading": [{ "a.md": "[b](b.md#one-two) [here](#x)\n# X", "b.md": "## One two" }],
  "accepts a link to elsewhere": [{ "a.md": "[b](https://example.org/x#y) <mailto:a@example.org>" }],
  "accepts an encoded link": [{ "a.md": "[b](b%20c.md)", "b c.md": "" }],
  "refuses a link to nothing": [{ "a.md": "[b](b.md)" }, /the link b\.md leads nowhere/],
  "refuses a link to no heading": [{ "a.md": "[b](b.md#two)", "b.md": "# One" }, /leads to no heading of b\.md/],
  "refuses a link to no heading of its own": [{ "a.md": "[b](#two)\n# One" }, /leads to no heading of a\.md/],
  "refuses a link out of the repository": [{ "docs/a.md": "[b](../../b.md)" }, /leads out/],
  "refuses an absolute link": [{ "a.md": "[b](/etc/passwd)" }, /absolute/],
  "survives a broken escape": [{ "a.md": "[b](%zz.md)" }, /leads nowhere/],
  "refuses a source without a licence": [{ "tools/a.ts": "const a = 1;" }, /the first line of a source/],
  "refuses a script without a licence": [{ run: "#!/bin/sh\necho\n" }, /the first line of a source/],
  "accepts a licence after the first line of a script": [{ run: "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n" }],
  "refuses a folder of somebody's machine": [
    { "tools/a.ts": `${SPDX_LINE}// see /${"work"}/main` },
    /somebody's machine/,
  ],
  "refuses a folder beside the repository": [{ "a.md": `../${"shared"}/x` }, /outside the repository/],
  "refuses the host of a registry": [{ "a.json": `"https://registry.${"npmjs"}.org"` }, /package registry/],
  "refuses the number of an issue": [{ "a.md": `see ${"issue"} #12` }, /names an issue by number/],
  "accepts a path that only looks alike": [{ "a.md": "packages/work/x and net/work/y and a shared counter" }],
  "accepts anything in fixtures": [{ "fixtures/sysfs/a": `/${"work"}/main` }],
  "accepts anything in bytes": [{ "a.bin": `\0/${"work"}/main` }],
};

describe("checkDocs()", () => {
  for (const [name, [files, finding]] of Object.entries(ROWS)) {
    test(name, async () => {
      const { findings } = await inRepository(files, checkDocs);
      if (finding === undefined) return assert.deepEqual(findings, []);
      assert.equal(findings.length, 1);
      assert.match(findings[0]?.text ?? "", finding);
    });
  }
});
