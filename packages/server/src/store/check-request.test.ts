// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { checkRead, checkTransaction } from "./check-request.ts";
import type { Transaction } from "./store.ts";

const TRANSACTIONS: Readonly<Record<string, { readonly transaction: Transaction; readonly text: RegExp }>> = {
  "quotes a key that is written twice": {
    transaction: {
      compares: [],
      writes: [
        { kind: "put", key: "p/a", value: "1" },
        { kind: "delete", key: "p/a" },
      ],
    },
    text: /^A transaction writes "p\/a" twice$/,
  },
  "shortens a text that is no key": {
    transaction: { compares: [{ kind: "absent", key: ` ${"x".repeat(400)}` }], writes: [] },
    text: /^A key is printable ASCII without spaces, not " x{79}\.\.\."$/,
  },
  "counts the bytes of a large document": {
    transaction: { compares: [], writes: [{ kind: "put", key: "p/a", value: "\u00e4".repeat(32_769) }] },
    text: /^The document "p\/a" has 65538 bytes, at most 65536 fit$/,
  },
  "counts the bytes of all documents together": {
    transaction: { compares: [], writes: largeWrites(17) },
    text: /^A transaction writes 1114112 bytes, at most 1048576 fit$/,
  },
};

/** Documents of the largest size. */
function largeWrites(count: number): Transaction["writes"] {
  return Array.from({ length: count }, (_, at) => {
    return { kind: "put", key: `p/${at}`, value: "\u00e4".repeat(32_768) } as const;
  });
}

describe("checkTransaction()", () => {
  test("lets as many documents of the largest size pass as the bytes allow", () => {
    checkTransaction({ compares: [], writes: largeWrites(16) });
  });
  for (const [sentence, { transaction, text }] of Object.entries(TRANSACTIONS)) {
    test(sentence, () => {
      assert.throws(() => checkTransaction(transaction), { name: "RangeError", message: text });
    });
  }
});

describe("checkRead()", () => {
  test("takes the empty key for a prefix only", () => {
    checkRead({ key: "", prefix: true });
    assert.throws(() => checkRead({ key: "" }), RangeError);
  });
});
