// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatKernelUint, parseDecimal, parseHexId, parseKernelUint } from "./numbers.ts";

describe("parseDecimal()", () => {
  it("names what it reads and quotes what it got", () => {
    const message = 'Cannot parse ap_max_adapter_id: expected a decimal number, got "0x1"';
    assert.throws(() => parseDecimal("0x1", "ap_max_adapter_id"), { name: "SyntaxError", message });
  });

  it("tells a number out of range from a text that is no number", () => {
    assert.throws(() => parseDecimal("9007199254740992", "count"), RangeError);
    assert.throws(() => parseDecimal("9007199254740992x", "count"), SyntaxError);
  });
});

describe("parseKernelUint()", () => {
  it("reads a leading zero as octal", () => assert.equal(parseKernelUint("012", "aggregate"), 10));

  it("names what it reads", () => {
    assert.throws(() => parseKernelUint("4294967296", "aggregate"), {
      name: "RangeError",
      message: /^Cannot parse aggregate: /,
    });
  });
});

describe("formatKernelUint()", () => {
  it("writes a trailing LF", () => assert.equal(formatKernelUint(10), "10\n"));

  for (const value of [-1, 0.5, Number.NaN, Infinity, 4_294_967_296]) {
    it(`refuses ${value}`, () => assert.throws(() => formatKernelUint(value), RangeError));
  }
});

describe("parseHexId()", () => {
  const cases: Readonly<Record<string, readonly [raw: string, digits: number, id: string | undefined]>> = {
    "reads a vendor": ["0x10de\n", 4, "10de"],
    "reads a class code": ["0x030000\n", 6, "030000"],
    "reads upper case as lower case": ["0X10DE", 4, "10de"],
    "refuses fewer digits": ["0x10d", 4, undefined],
    "refuses more digits": ["0x010de", 4, undefined],
    "refuses a class code where a vendor is expected": ["0x030000", 4, undefined],
  };
  for (const [name, [raw, digits, id]] of Object.entries(cases)) {
    it(name, () => {
      if (id === undefined)
        assert.throws(() => parseHexId(raw, digits, "id"), { message: /expected 4 hexadecimal digits/ });
      else assert.equal(parseHexId(raw, digits, "id"), id);
    });
  }
});
