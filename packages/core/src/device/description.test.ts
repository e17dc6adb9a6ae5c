// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDescription, parseMebibytes } from "./description.ts";

describe("parseDescription() ...", () => {
  const CASES: Record<string, { raw: string; pairs: Record<string, string> }> = {
    "reads NVIDIA's one line": {
      raw: "num_heads=4, frl_config=60, framebuffer=2048M, max_resolution=5120x2880, max_instance=8",
      pairs: {
        num_heads: "4",
        frl_config: "60",
        framebuffer: "2048M",
        max_resolution: "5120x2880",
        max_instance: "8",
      },
    },
    "reads GVT's lines": {
      raw: "low_gm_size: 64MB\nhigh_gm_size: 384MB\nfence: 4\nresolution: 1024x768\nweight: 2\n",
      pairs: { low_gm_size: "64MB", high_gm_size: "384MB", fence: "4", resolution: "1024x768", weight: "2" },
    },
    "leaves prose out": { raw: "virtual display, 64 MB video memory", pairs: {} },
    "keeps a key that is repeated with the same value": { raw: "a=1, a=1", pairs: { a: "1" } },
    "drops a key that contradicts itself": { raw: "a=1, b=2, a=3", pairs: { b: "2" } },
    "drops a key that contradicts itself and then agrees with itself": { raw: "a=1, a=3, a=3", pairs: {} },
    "keeps an empty value": { raw: "a=", pairs: { a: "" } },
    "reads nothing from nothing": { raw: "", pairs: {} },
  };
  for (const [name, { raw, pairs }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(Object.fromEntries(parseDescription(raw)), pairs));
  }
  it("takes prototype keys for ordinary names", () => {
    const pairs = parseDescription("__proto__=1, constructor: 2");
    assert.equal(pairs.get("__proto__"), "1");
    assert.equal(pairs.get("constructor"), "2");
    assert.equal(pairs.get("toString"), undefined);
  });
});

describe("parseMebibytes() ...", () => {
  const VALID: Record<string, number> = {
    "2048M": 2048,
    "64MB": 64,
    "64 MB": 64,
    "512MiB": 512,
    "2G": 2048,
    "16GiB": 16384,
    "0M": 0,
  };
  for (const [text, amount] of Object.entries(VALID)) {
    it(`reads ${text}`, () => assert.equal(parseMebibytes(text), amount));
  }
  for (const text of ["", "2048", "M", "-1M", "1.5G", "2048K", "1e3M", "2048M ", "99999999999999999999M"]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseMebibytes(text), { name: "SyntaxError", message: /Cannot parse amount of memory/ });
    });
  }
  it("quotes a long text shortened", () => {
    assert.throws(
      () => parseMebibytes("x".repeat(5000)),
      (error: Error) => error.message.length < 200,
    );
  });
});
