// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findImports } from "./imports.ts";

const CASES: Readonly<Record<string, { readonly text: string; readonly found: readonly string[] }>> = {
  "finds a default import": { text: `import a from "x";`, found: ["x"] },
  "finds named imports over several lines": { text: `import {\n  a,\n  type B as from,\n} from "x";`, found: ["x"] },
  "finds a namespace import": { text: `import * as a from 'x'`, found: ["x"] },
  "finds a type-only import": { text: `import type { A } from "x";`, found: ["x"] },
  "finds an import for its effect": { text: `import "x";`, found: ["x"] },
  "finds a JSON import": { text: `import a from "./x.json" with { type: "json" };`, found: ["./x.json"] },
  "finds an import of the name `from`": { text: `import from from "x";`, found: ["x"] },
  "finds two imports without semicolons": { text: `import a from "x"\nimport b from "y"`, found: ["x", "y"] },
  "finds a dynamic import": { text: `const a = await import("x");`, found: ["x"] },
  "finds a dynamic import with attributes": { text: `import("x", { with: {} })`, found: ["x"] },
  "finds a dynamic import of a plain template": { text: "import(`x`)", found: ["x"] },
  "finds a dynamic import inside a template": { text: '`${await import("x")}`', found: ["x"] },
  "finds the import of a type": { text: `let a: import("x").A; let b: typeof import("y");`, found: ["x", "y"] },
  "finds import.meta.resolve": { text: `import.meta.resolve("x")`, found: ["x"] },
  "finds a require": { text: `import a = require("x"); const b = require("y");`, found: ["x", "y"] },
  "finds named re-exports": { text: `export { a, type B } from "x";`, found: ["x"] },
  "finds `export *`": {
    text: `export * from "x"; export * as a from "y"; export type * from "z";`,
    found: ["x", "y", "z"],
  },
  "finds type-only re-exports": { text: `export type { A } from "x";`, found: ["x"] },
  "finds a reference": { text: `/// <reference types="x" />`, found: ["x"] },
  "reports a computed dynamic import": { text: `import(a)`, found: ["computed"] },
  "reports a concatenated dynamic import": { text: `import("x" + a)`, found: ["computed"] },
  "reports a dynamic import of a template with parts": { text: "import(`x${a}`)", found: ["computed"] },
  "ignores comments, strings, templates and regular expressions": {
    text: `// import "a"\n/* import "b" */ "import 'c'"; \`import "d"\`; /import "e"/;`,
    found: [],
  },
  "ignores import.meta": { text: `import.meta.dirname; const from = "x";`, found: [] },
  "ignores exports of its own": { text: `export { a }; export const from = "x"; export function f() {}`, found: [] },
  "ignores members that are called import or require": {
    text: `a.import("x"); a.require("y"); ({ import: "z" })`,
    found: [],
  },
};

describe("findImports()", () => {
  for (const [name, { text, found }] of Object.entries(CASES)) {
    test(name, () => {
      assert.deepEqual(
        findImports(text).map(({ specifier }) => specifier ?? "computed"),
        found,
      );
    });
  }

  test("tells the line", () => {
    assert.deepEqual(findImports(`\n\nimport a from "x";`), [{ specifier: "x", line: 3 }]);
  });
});
