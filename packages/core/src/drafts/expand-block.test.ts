// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCompatibleBlock } from "./compatible-block.ts";
import { expandBlock, type Expansion } from "./expand-block.ts";

function expand(text: string): Expansion {
  return expandBlock(parseCompatibleBlock(text));
}

/** The alternatives as `value value`, in the order of the fields. */
function valuesOf({ alternatives }: Expansion): readonly string[] {
  return alternatives.map(({ fields }) => [...fields.values()].join(" "));
}

const CASES: Readonly<Record<string, { readonly block: string; readonly values: readonly string[] }>> = {
  "writes out the list of 5 August": {
    block: "mdev_type=i915-GVTg_V5_{val1:int:2,4,8}\naggregator={val1}/2",
    values: ["i915-GVTg_V5_2 1", "i915-GVTg_V5_4 2", "i915-GVTg_V5_8 4"],
  },
  "drops the half of the list of 29 July": {
    block: "mdev_type=i915-GVTg_V5_{val1:int:1,2,4,8} aggregator={val1}/2",
    values: ["i915-GVTg_V5_2 1", "i915-GVTg_V5_4 2", "i915-GVTg_V5_8 4"],
  },
  "has one alternative without variables": { block: "a=1 b=2", values: ["1 2"] },
  "combines every value with every other": {
    block: "a={v:int:1,2} b={w:string:x,y}",
    values: ["1 x", "1 y", "2 x", "2 y"],
  },
  "divides 0": { block: "a={v:int:0} b={v}/2", values: ["0 0"] },
  "divides beyond what a float holds": {
    block: "a={v:int:999999999999999998} b={v}/2",
    values: ["999999999999999998 499999999999999999"],
  },
  "drops a value that one of two divisions breaks": {
    block: "a={v:int:2,3,4,6,12} b={v}/2 c={v}/3",
    values: ["6 3 2", "12 6 4"],
  },
  "has no alternative where every division breaks": { block: "a={v:int:1,3} b={v}/2 c={w:string:x,y}", values: [] },
  "takes 30/{v} for text, not for a division (6.3)": {
    block: "mdev_type=dsa-{v:int:1,2}dwq aggregator=30/{v}",
    values: ["dsa-1dwq 30/1", "dsa-2dwq 30/2"],
  },
};

describe("expandBlock()", () => {
  for (const [name, { block, values }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(valuesOf(expand(block)), values));
  }

  it("says what each variable stands for", () => {
    const { alternatives } = expand("a=x{__proto__:int:2,4} b={__proto__}/2");
    assert.deepEqual(
      alternatives.map(({ binding }) => [...binding]),
      [[["__proto__", "2"]], [["__proto__", "4"]]],
    );
  });

  it("warns of each value that a division drops, and of no other", () => {
    assert.deepEqual(expand("t={v:int:1,2} a={v}/2").warnings, [
      {
        code: "division_not_exact",
        key: "a",
        variable: "v",
        value: 1n,
        divisor: 2n,
        text: '"a": 1/2 is no whole number; v=1 is dropped',
      },
    ]);
    assert.deepEqual(expand("t={v:int:2,4} a={v}/2").warnings, []);
    assert.equal(expand("t={v:int:1,2,1} a={v}/2").warnings.length, 1);
    assert.deepEqual(
      expand("t={v:int:1,3} a={v}/2 b={v}/3").warnings.map(({ key, value }) => `${key} ${value}`),
      ["a 1", "a 3", "b 1"],
    );
  });

  it("writes out 4096 combinations and refuses more", () => {
    const pairs = Array.from({ length: 12 }, (_, index) => `k${index}={v${index}:int:0,1}`).join(" ");
    assert.equal(expand(pairs).alternatives.length, 4096);
    const fields = new Set(valuesOf(expand(pairs)));
    assert.equal(fields.size, 4096);
    const message =
      "Cannot expand a template: expected at most 4096 combinations and 1048576 characters, got 8192 combinations";
    assert.throws(() => expand(`${pairs} k={v:int:0,1}`), { name: "RangeError", code: "template_too_large", message });
  });

  it("counts dropped combinations too", () => {
    const items = Array.from({ length: 65 }, (_, index) => index * 2 + 1).join(",");
    assert.throws(() => expand(`a={v:int:${items}} b={w:int:${items}} c={v}/2`), { code: "template_too_large" });
  });

  it("refuses few combinations that grow out of proportion", () => {
    const long = "x".repeat(1500);
    const uses = "{v}".repeat(700);
    assert.throws(() => expand(`a={v:string:${long},y} b=${uses}`), { name: "RangeError", code: "template_too_large" });
    assert.equal(expand(`a={v:string:${long},y} b={v}`).alternatives.length, 2);
  });
});
