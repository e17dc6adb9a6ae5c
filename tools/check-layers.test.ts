// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkLayers } from "./check-layers.ts";
import { inRepository } from "./planted-repository.ts";

/** File, what it imports, and a part of the finding; none where it is allowed. */
type Row = readonly [file: string, specifier: string, finding?: RegExp];

const ROWS: Readonly<Record<string, Row>> = {
  "lets core/sysfs import core/device": ["core/src/sysfs/a.ts", "../device/b.ts"],
  "lets core/placement import core/inventory": ["core/src/placement/a.ts", "../inventory/b.ts"],
  "lets core/protocol import any folder": ["core/src/protocol/a.ts", "../placement/b.ts"],
  "lets core/protocol import typebox": ["core/src/protocol/a.ts", "typebox"],
  "lets a core test import any core folder": ["core/src/device/a.test.ts", "../placement/b.ts"],
  "lets a core test import Node": ["core/src/device/a.test.ts", "node:assert/strict"],
  "lets a core test import fast-check": ["core/src/device/a.prop.test.ts", "fast-check"],
  "lets the generators of core's tests import fast-check": ["core/src/device/a.gen.ts", "fast-check"],
  "lets a core test import fixtures": ["core/src/device/a.test.ts", "../../../../fixtures/x.json"],
  "lets agent import core": ["agent/src/host/a.ts", "@berth/core/sysfs/b"],
  "lets agent import Node": ["agent/src/host/a.ts", "node:fs"],
  "lets simulator import core/device": ["simulator/src/machine/a.ts", "@berth/core/device/b"],
  "lets cli import every package": ["cli/src/commands/a.ts", "@berth/simulator/machine/b"],
  "lets cli import its own manifest": ["cli/src/program.ts", "../package.json"],
  "refuses core/device anything": ["core/src/device/a.ts", "../sysfs/b.ts", /core\/device may not import core\/sysfs/],
  "refuses core/capacity core/compatibility": ["core/src/capacity/a.ts", "../compatibility/b.ts", /may not import/],
  "refuses core/inventory core/placement": ["core/src/inventory/a.ts", "../placement/b.ts", /may not import/],
  "refuses everyone in core core/protocol": [
    "core/src/placement/a.ts",
    "../protocol/b.ts",
    /may not import core\/protocol/,
  ],
  "sees a core folder behind the package's name": ["core/src/device/a.ts", "@berth/core/sysfs/b", /may not import/],
  "sees the packs behind their short name": [
    "core/src/capacity/a.ts",
    "@berth/core/packs/x.json",
    /core\/compatibility/,
  ],
  "refuses core Node": ["core/src/device/a.ts", "node:fs", /module of Node/],
  "refuses core Node without its prefix": ["core/src/device/a.ts", "fs/promises", /module of Node/],
  "refuses core typebox elsewhere": ["core/src/device/a.ts", "typebox/value", /third-party package typebox/],
  "refuses core fast-check in sources": ["core/src/device/a.ts", "fast-check", /third-party/],
  "refuses core another package": [
    "core/src/device/a.test.ts",
    "@berth/agent/host/b",
    /may not import the package agent/,
  ],
  "refuses agent simulator": [
    "agent/src/host/a.ts",
    "@berth/simulator/machine/b",
    /may not import the package simulator/,
  ],
  "refuses agent third parties": ["agent/src/host/a.ts", "typebox", /third-party/],
  "refuses simulator core/capacity": ["simulator/src/machine/a.ts", "@berth/core/capacity/b", /only device/],
  "refuses simulator core/sysfs": ["simulator/src/machine/a.ts", "@berth/core/sysfs/b", /only device/],
  "refuses cli an unknown third party": ["cli/src/render/a.ts", "@scope/chalk/x", /third-party package @scope\/chalk/],
  "refuses another package by path": ["cli/src/render/a.ts", "../../../core/src/device/b.ts", /by its name/],
  "refuses a source the files around the packages": ["cli/src/render/a.ts", "../../../../tools/b.ts", /outside/],
  "refuses everyone a main.ts": ["cli/src/render/a.test.ts", "../main.ts", /main\.ts/],
  "refuses everyone another package's main.ts": ["cli/src/render/a.ts", "@berth/agent/main", /main\.ts/],
  "refuses a source the generators of tests": ["core/src/device/a.ts", "./b.gen.ts", /may not import a test/],
  "refuses a source a test": ["agent/src/host/a.ts", "./b.contract.ts", /may not import a test/],
};

describe("checkLayers()", () => {
  for (const [name, [file, specifier, finding]] of Object.entries(ROWS)) {
    test(name, async () => {
      const text = `import { b } from "${specifier}";`;
      const { findings } = await inRepository({ [`packages/${file}`]: text }, checkLayers);
      const texts = findings.map((found) => found.text);
      if (finding === undefined) return assert.deepEqual(texts, []);
      assert.equal(texts.length, 1);
      assert.match(texts[0] ?? "", finding);
      assert.deepEqual([findings[0]?.file, findings[0]?.line], [`packages/${file}`, 1]);
    });
  }

  test("refuses a computed import in a source", async () => {
    const { findings } = await inRepository({ "packages/cli/src/a.ts": "import(a);" }, checkLayers);
    assert.match(findings[0]?.text ?? "", /cannot be checked/);
  });

  test("refuses what stands in no folder of the table", async () => {
    const files = { "packages/core/src/a.ts": "", "packages/core/src/odd/a.ts": "", "packages/odd/src/a.ts": "" };
    const { findings } = await inRepository(files, checkLayers);
    assert.deepEqual(findings.map(({ file }) => file).toSorted(), Object.keys(files).toSorted());
  });

  test("is not misled by names of Object.prototype", async () => {
    const files = { "packages/constructor/src/a.ts": "", "packages/core/src/constructor/a.ts": "" };
    const { findings } = await inRepository(files, checkLayers);
    assert.equal(findings.length, 2);
  });
});
