// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDescription, parseMebibytes } from "./description.ts";

describe("parseDescription()", () => {
  it("leads to the framebuffer of an NVIDIA type and to the memory of a GVT-g type", () => {
    const nvidia = parseDescription(
      "num_heads=4, frl_config=60, framebuffer=4096M, max_resolution=5120x2880, max_instance=4\n",
    );
    const gvt = parseDescription(
      "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\nresolution: 1920x1200\nweight: 4\n",
    );
    assert.equal(parseMebibytes(nvidia.get("framebuffer") ?? ""), 4096);
    assert.equal(parseMebibytes(gvt.get("high_gm_size") ?? ""), 512);
  });

  it("holds no key that the text does not name", () => {
    assert.equal(parseDescription("a=1").get("constructor"), undefined);
    assert.equal(parseDescription("__proto__=1").get("__proto__"), "1");
  });

  it("answers a whole page of spaces at once", () => {
    assert.equal(parseDescription(`a${" ".repeat(4095)}`).size, 0);
    assert.equal(parseDescription("a ".repeat(2048)).size, 0);
  });
});
