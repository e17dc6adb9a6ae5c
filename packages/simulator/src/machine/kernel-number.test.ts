// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseKernelUnsigned, type KernelNumber } from "./kernel-number.ts";

/** As lib/kstrtox.c reads them with base 0. */
const CASES: readonly (readonly [text: string, value: KernelNumber])[] = [
  ["10", 10n],
  ["10\n", 10n],
  ["+10", 10n],
  ["0x0a", 10n],
  ["0X0A\n", 10n],
  ["012", 10n],
  ["0", 0n],
  ["00", 0n],
  ["1\0garbage", 1n],
  ["18446744073709551615", 18446744073709551615n],
  ["18446744073709551616", "ERANGE"],
  ["0x10000000000000000", "ERANGE"],
  ["99999999999999999999 ", "ERANGE"],
  ["", "EINVAL"],
  ["\n", "EINVAL"],
  [" 1", "EINVAL"],
  ["1 ", "EINVAL"],
  ["1\n\n", "EINVAL"],
  ["-1", "EINVAL"],
  ["++1", "EINVAL"],
  ["08", "EINVAL"],
  ["0x", "EINVAL"],
  ["0xg", "EINVAL"],
  ["ten", "EINVAL"],
  ["1.0", "EINVAL"],
];

describe("parseKernelUnsigned()", () => {
  for (const [text, value] of CASES) {
    it(`reads ${JSON.stringify(text)} as ${value}`, () => assert.equal(parseKernelUnsigned(text, 64), value));
  }
  it("knows 32 bits", () => {
    assert.equal(parseKernelUnsigned("4294967295", 32), 4294967295n);
    assert.equal(parseKernelUnsigned("4294967296", 32), "ERANGE");
  });
});
