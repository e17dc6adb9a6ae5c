// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { inRepository, SPDX_LINE } from "./planted-repository.ts";

const HERE = join(import.meta.dirname, "..");
const LONG = `export function f(): number {\n${"  // one\n".repeat(50)}  return 1;\n}\n`;

/** File, text, and the rules that it breaks. */
type Row = readonly [file: string, text: string, ...rules: string[]];

const ROWS: Readonly<Record<string, Row>> = {
  "a promise that nobody awaits": [
    "core/src/a1.ts",
    "export function f(): void { Promise.resolve(1); }",
    "typescript(no-floating-promises)",
  ],
  "a promise that nobody awaits in a test": [
    "core/src/a2.test.ts",
    `import { test } from "node:test";\ntest("a", () => { Promise.resolve(1); });`,
    "typescript(no-floating-promises)",
  ],
  "not the promise of a test": ["core/src/a3.test.ts", `import { test } from "node:test";\ntest("a", async () => {});`],
  "an unused variable": ["core/src/b.ts", "const unused = 1;\nexport {};", "eslint(no-unused-vars)"],
  any: ["core/src/c.ts", "export function f(a: any): void { void a; }", "typescript(no-explicit-any)"],
  "a default export": ["core/src/d.ts", "export default function f(): void {}", "import(no-default-export)"],
  "a fourth parameter": [
    "core/src/e.ts",
    "export function f(a: 1, b: 1, c: 1, d: 1): void { void [a, b, c, d]; }",
    "eslint(max-params)",
  ],
  "a function of 53 lines": ["core/src/g.ts", LONG, "eslint(max-lines-per-function)"],
  "not a function of 53 lines in a test": ["core/src/g.test.ts", LONG],
  "a source of 301 lines": ["core/src/h.ts", `${"// one\n".repeat(300)}export {};`, "eslint(max-lines)"],
  "not a test of 301 lines": ["core/src/h.test.ts", `${"// one\n".repeat(300)}export {};`],
  "the console": ["agent/src/i.ts", "console.log(1);\nexport {};", "eslint(no-console)"],
  "not the console of the command": ["cli/src/i.ts", "console.log(1);\nexport {};"],
  "a case that is missing": [
    "core/src/j.ts",
    `export function f(a: "b" | "c"): void { switch (a) { case "b": break; } }`,
    "typescript(switch-exhaustiveness-check)",
  ],
  "numbers sorted as text": ["core/src/k.ts", "[2, 10].sort();\nexport {};", "typescript(require-array-sort-compare)"],
};

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

function lint(root: string): Diagnostic[] {
  for (const file of [".oxlintrc.json", "tsconfig.json", "tsconfig.base.json"])
    copyFileSync(join(HERE, file), join(root, file));
  symlinkSync(join(HERE, "node_modules"), join(root, "node_modules"));
  const command = join(root, "node_modules/.bin/oxlint");
  const { stdout, stderr } = spawnSync(command, ["--type-aware", "--format=json"], { cwd: root, encoding: "utf8" });
  try {
    return (JSON.parse(stdout) as { readonly diagnostics: Diagnostic[] }).diagnostics;
  } catch {
    throw new Error(`The linter did not answer in JSON: ${stdout}${stderr}`);
  }
}

describe("npm run lint reports", () => {
  let diagnostics: readonly Diagnostic[] = [];
  before(async () => {
    const files = Object.values(ROWS).map(([file, text]) => [`packages/${file}`, `${SPDX_LINE}${text}\n`]);
    diagnostics = await inRepository(Object.fromEntries(files) as Record<string, string>, lint);
  });
  for (const [name, [file, , ...rules]] of Object.entries(ROWS)) {
    test(name, () => {
      const found = diagnostics.filter(({ filename }) => filename.endsWith(`packages/${file}`));
      assert.deepEqual(
        found.map(({ code }) => code),
        rules,
      );
    });
  }
});
