// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatChpids, formatPimPamPom, parseChpids } from "./subchannel.ts";

const CASES: Readonly<
  Record<string, { readonly raw: string; readonly pim?: number; readonly chpids: readonly string[] }>
> = {
  "leaves 00 out without a mask": { raw: "50 51 00 00 00 00 00 00 \n", chpids: ["50", "51"] },
  "keeps path 00 where the mask names it": { raw: "00 51 00 00 00 00 00 00 \n", pim: 0xc0, chpids: ["00", "51"] },
  "leaves 00 out where the mask does not name it": { raw: "00 51 00 00 00 00 00 00 \n", pim: 0x40, chpids: ["51"] },
  "takes the leftmost bit for the first path": { raw: "01 02 03 04 05 06 07 08 \n", pim: 0x81, chpids: ["01", "08"] },
  "leaves every path out that is masked off": { raw: "01 02 03 04 05 06 07 08 \n", pim: 0, chpids: [] },
};

describe("parseChpids()", () => {
  for (const [name, { raw, pim, chpids }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(parseChpids(raw, pim), chpids));
  }
});

describe("formatChpids()", () => {
  it("ends every field with a space", () => {
    assert.equal(formatChpids(["50", "51"]), "50 51 00 00 00 00 00 00 \n");
  });

  it("puts ids at the paths of the mask", () => {
    assert.equal(formatChpids(["50", "00"], 0x41), "00 50 00 00 00 00 00 00 \n");
    assert.equal(formatChpids(["50", "51"], 0x41), "00 50 00 00 00 00 00 51 \n");
  });

  it("refuses more or fewer ids than paths", () => {
    assert.throws(() => formatChpids(["50"], 0xc0), RangeError);
    assert.throws(() => formatChpids(Array.from({ length: 9 }, () => "50")), RangeError);
  });

  it("refuses what is no id", () => {
    for (const id of ["5", "500", "5G", "5A", ""]) assert.throws(() => formatChpids([id]), SyntaxError);
  });
});

describe("formatPimPamPom()", () => {
  it("refuses a mask beyond eight bits", () => {
    assert.throws(() => formatPimPamPom({ pim: 256, pam: 0, pom: 0 }), RangeError);
    assert.throws(() => formatPimPamPom({ pim: 0, pam: 0, pom: -1 }), RangeError);
  });
});
