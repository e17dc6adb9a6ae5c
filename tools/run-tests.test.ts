// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inRepository } from "./planted-repository.ts";
import { findUntested, listTests, runTests } from "./run-tests.ts";
import { formatName, formatTally } from "./tally.ts";
import type { Outcome } from "./tally.ts";

const IMPORTS = `import assert from "node:assert/strict"; import { after, before, describe, test } from "node:test";\n`;

async function outcomesOf(...texts: string[]): Promise<Outcome[]> {
  const files = texts.map((text, index) => [`tools/t${index}.test.ts`, IMPORTS + text]);
  const planted = Object.fromEntries(files) as Record<string, string>;
  return inRepository(planted, (root) => runTests(root, listTests(root).unit, 2));
}

function linesOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome) => `${outcome.kind} ${formatName(outcome)}`).toSorted();
}

describe("runTests()", () => {
  test("counts cases, neither suites nor what was not run", async () => {
    const outcomes = await outcomesOf(
      `describe("s", () => { test("a", () => {}); test("b", () => assert.equal(1 + 1, 3)); test.skip("c", () => {}); });`,
      `test("d", { todo: "later" }, () => assert.fail()); test("e", (t) => t.skip("no such device"));`,
    );
    assert.deepEqual(linesOf(outcomes), [
      "failed tools/t0.test.ts > s > b",
      "passed tools/t0.test.ts > s > a",
      "skipped tools/t0.test.ts > s > c",
      "skipped tools/t1.test.ts > e",
      "todo tools/t1.test.ts > d",
    ]);
    assert.equal(formatTally(outcomes), "1 passed, 1 failed");
    assert.match(outcomes.find(({ kind }) => kind === "failed")?.why ?? "", /2 !== 3[\s\S]*t0\.test\.ts/);
    assert.equal(outcomes.find(({ path }) => path[0] === "e")?.why, "no such device");
  });

  test("counts the failure of a hook once for each case that it kept from running", async () => {
    const outcomes = await outcomesOf(
      `describe("s", () => { before(() => { throw new Error("no") }); test("a", () => {}); });`,
    );
    assert.notEqual(formatTally(outcomes).split(", ")[1], "0 failed");
  });

  test("counts the failure of a hook after the cases", async () => {
    const outcomes = await outcomesOf(
      `describe("s", () => { after(() => { throw new Error("no") }); test("a", () => {}); });`,
    );
    assert.equal(formatTally(outcomes), "1 passed, 1 failed");
  });

  test("counts the cases of a contract each time that it is run", async () => {
    const files = {
      "tools/x.contract.ts": `${IMPORTS}export function check() { describe("s", () => { test("a", () => {}); }); }`,
      "tools/a.test.ts": `import { check } from "./x.contract.ts"; check();`,
      "tools/b.test.ts": `import { check } from "./x.contract.ts"; check();`,
      "tools/c.test.ts": "export {};",
    };
    const outcomes = await inRepository(files, (root) => runTests(root, listTests(root).unit, 1));
    assert.deepEqual(linesOf(outcomes), [
      "failed tools/c.test.ts",
      "passed tools/x.contract.ts > s > a",
      "passed tools/x.contract.ts > s > a",
    ]);
  });

  const broken = {
    "a file that does not parse": "test(",
    "a file that imports what does not exist": `import "./nowhere.ts";`,
    "a file that throws while it loads": `throw new Error("no");`,
    "a file that registers no test": "export {};",
    "a file that ends the process while it loads": "process.exit(0);",
    "a case that ends the process": `test("a", () => process.exit(0));`,
    "a case that kills the process": `test("a", () => process.kill(process.pid, "SIGKILL"));`,
    "an error that is thrown after the test": `test("a", () => { setTimeout(() => { throw new Error("late"); }, 1); });`,
  };
  for (const [name, text] of Object.entries(broken)) {
    test(`fails ${name}`, async () => {
      const outcomes = await outcomesOf(text);
      const failed = outcomes.filter(({ kind }) => kind === "failed");
      assert.deepEqual([...new Set(failed.map(({ file }) => file))], ["tools/t0.test.ts"]);
    });
  }

  test("runs the other files again when one ends the process", async () => {
    const outcomes = await outcomesOf(
      `test("a", () => process.exit(0));`,
      `test("b", () => {});`,
      `test("c", () => {});`,
    );
    assert.deepEqual(linesOf(outcomes), [
      "failed tools/t0.test.ts",
      "passed tools/t1.test.ts > b",
      "passed tools/t2.test.ts > c",
    ]);
  });

  test("fails what it could not come to", async () => {
    const ending = `test("a", () => process.exit(0));`;
    const outcomes = await outcomesOf(...Array.from({ length: 9 }, () => ending));
    assert.equal(formatTally(outcomes), "0 passed, 9 failed");
    assert.match(outcomes.find(({ file }) => file === "tools/t8.test.ts")?.why ?? "", /^Not run: 3 processes/);
  });
});

describe("listTests()", () => {
  test("keeps slow suites apart, and finds only tests", async () => {
    const files = [
      "packages/core/src/a.test.ts",
      "tools/b.prop.test.ts",
      "scenarios/c.slow.test.ts",
      "tools/d.ts",
      "docs/e.test.ts",
    ];
    const found = await inRepository(Object.fromEntries(files.map((file) => [file, ""])), listTests);
    assert.deepEqual(found, { unit: files.slice(0, 2), slow: files.slice(2, 3) });
  });
});

describe("findUntested()", () => {
  test("finds a package of which no test was run", async () => {
    const files = { "packages/a/src/a.ts": "", "packages/b/src/b.ts": "", "packages/c/package.json": "{}" };
    const ran = (kind: Outcome["kind"], file: string): Outcome => ({ kind, file, path: [], why: "", ms: 0 });
    const outcomes = [ran("passed", "packages/a/src/a.test.ts"), ran("skipped", "packages/b/src/b.test.ts")];
    const untested = await inRepository(files, (root) => findUntested(root, outcomes));
    assert.deepEqual(
      untested.map(({ file }) => file),
      ["packages/b"],
    );
  });
});
