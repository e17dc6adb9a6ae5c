// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkCodes, findCodes } from "./check-codes.ts";
import { formatFinding } from "./finding.ts";
import { inRepository } from "./planted-repository.ts";

const ERROR_CODES = "packages/core/src/protocol/error-codes.ts";
const RULE = "packages/core/src/compatibility/rules/a.ts";

async function textsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const { findings } = await inRepository(files, checkCodes);
  return findings.map(formatFinding);
}

describe("checkCodes()", () => {
  const source = "export const ERROR_CODES = { bad_uuid: {}, no_host: {} } as const;";

  test("accepts a document with exactly the codes", async () => {
    assert.deepEqual(
      await textsOf({ [ERROR_CODES]: source, "docs/errors.md": "| `bad_uuid` | x |\n### `no_host`\n" }),
      [],
    );
  });

  test("finds a code that the document does not explain, and one that does not exist", async () => {
    assert.deepEqual(await textsOf({ [ERROR_CODES]: source, "docs/errors.md": "| `bad_uuid` |\n| `odd` |\n" }), [
      "docs/errors.md: does not explain no_host",
      "docs/errors.md:2: explains odd, which is no error code",
    ]);
  });

  test("finds a missing document", async () => {
    assert.deepEqual(await textsOf({ [ERROR_CODES]: source }), ["docs/errors.md: does not exist"]);
  });

  test("finds a source that exports no codes", async () => {
    assert.match((await textsOf({ [ERROR_CODES]: "export const A = 1;" }))[0] ?? "", /exports no ERROR_CODES/);
  });

  test("says aloud that it skips what does not exist", async () => {
    const { notes } = await inRepository({}, checkCodes);
    assert.match(notes[0] ?? "", /^NOT CHECKED/);
  });

  test("finds a reason code that the document does not name", async () => {
    const files = { [RULE]: `const a = { code: "type_differs" };`, "docs/compatibility.md": "type_differ, `type`" };
    assert.deepEqual(await textsOf(files), [`${RULE}:1: docs/compatibility.md does not name type_differs`]);
  });

  test("accepts a reason code that the document names anywhere", async () => {
    const files = { [RULE]: `const a = { code: "type_differs" };`, "docs/compatibility.md": "(`type_differs`)" };
    assert.deepEqual(await textsOf(files), []);
  });
});

const CODES: Readonly<Record<string, readonly [text: string, ...codes: string[]]>> = {
  "finds a property": [`({ rule: "R1", code: "a", text: "b" })`, "a"],
  "finds both ends of a choice": [`({ code: late === "x" ? "a" : "b" })`, "a", "b"],
  "finds the members of a type": [`interface A { readonly code: "a" | "b"; readonly text: "c" }`, "a", "b"],
  "ignores a comparison": [`({ code: kind === "x" ? one : two })`],
  "ignores arguments": [`({ code: codeOf("x"), text: "y" })`],
  "ignores comments and strings": [`// code: "a"\n"code: 'b'"`],
};

describe("findCodes()", () => {
  for (const [name, [text, ...codes]] of Object.entries(CODES)) {
    test(name, () =>
      assert.deepEqual(
        findCodes(text).map(({ code }) => code),
        codes,
      ),
    );
  }
});
