// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatApConfig, formatApMask, formatApMatrix, formatApqn, parseApConfig, parseApMatrix } from "./ap-matrix.ts";

/** Guest 1 of Documentation/arch/s390/vfio-ap.rst: adapters 1 and 2, domains 5 and 6. */
const GUEST1 = `0x60${"0".repeat(62)},0x06${"0".repeat(62)},0x${"0".repeat(64)}\n`;

describe("parseApConfig()", () => {
  it("takes the leftmost bit for number 0", () => {
    assert.deepEqual(parseApConfig(GUEST1), { adapters: [1, 2], domains: [5, 6], controlDomains: [] });
  });
});

describe("formatApConfig()", () => {
  it("writes the leftmost bit for number 0", () => {
    assert.equal(formatApConfig({ adapters: [2, 1], domains: [5, 6], controlDomains: [] }), GUEST1);
  });
});

describe("formatApMask()", () => {
  for (const number of [-1, 256, 0.5, Number.NaN]) {
    it(`refuses ${number}`, () => assert.throws(() => formatApMask([number]), RangeError));
  }
});

describe("formatApqn()", () => {
  it("pads as the kernel does", () => assert.equal(formatApqn({ adapter: 1, domain: 0xab }), "01.00ab"));
  it("refuses a number above 255", () => assert.throws(() => formatApqn({ adapter: 256, domain: 0 }), RangeError));
});

describe("parseApMatrix()", () => {
  it("refuses a text of a whole page, which may lack queues", () => {
    const whole = formatApMatrix({ adapters: [0, 1], domains: Array.from({ length: 255 }, (_, domain) => domain) });
    assert.equal(parseApMatrix(whole).apqns.length, 510);
    const page = formatApMatrix({ adapters: [0, 1], domains: Array.from({ length: 256 }, (_, domain) => domain) });
    assert.throws(() => parseApMatrix(page), { message: /may be cut off/ });
  });
});
