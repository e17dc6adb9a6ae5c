// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatRational, isEqualRational, multiplyRationals, rationalOf } from "../device/rational.ts";
import { baseTypeOf, checkBaseType, formatBaseType, parseBaseType, ratioOf } from "./base-type.ts";

/** The fixed types of GVT on gen9, by the number of instances that fill a GPU (section 1); sizes in MB. */
const GVT = {
  8: { low: 64, high: 384, fences: 4, resolution: "1024x768" },
  4: { low: 128, high: 512, fences: 4, resolution: "1920x1200" },
  2: { low: 256, high: 1024, fences: 4, resolution: "1920x1200" },
  1: { low: 512, high: 2048, fences: 4, resolution: "1920x1200" },
} as const;

interface Device {
  readonly base?: string;
  readonly instances: keyof typeof GVT;
  readonly aggregator: number;
}

function exportOf({ base = "i915-GVTg_V5", instances, aggregator }: Device): ReturnType<typeof baseTypeOf> {
  return baseTypeOf({ baseType: base, instances: BigInt(instances), aggregator: BigInt(aggregator) });
}

/** What the guest would get: memory scales with the aggregator, fences and resolution never do (section 6.2). */
function sizeOf({ instances, aggregator }: Device): string {
  const { low, high, fences, resolution } = GVT[instances];
  return `${low * aggregator}/${high * aggregator}, ${fences}, ${resolution}`;
}

const SOURCE: Device = { instances: 4, aggregator: 2 };

/** Section 6.2, against V5_4 x 2. */
const ROWS: Readonly<Record<string, { readonly device: Device; readonly gives: string; readonly size: string }>> = {
  "V5_4 x 2": { device: SOURCE, gives: "accepted", size: "256/1024, 4, 1920x1200" },
  "V5_8 x 4": { device: { instances: 8, aggregator: 4 }, gives: "accepted", size: "256/1536, 4, 1024x768" },
  "V5_2 x 1": { device: { instances: 2, aggregator: 1 }, gives: "accepted", size: "256/1024, 4, 1920x1200" },
  "V5_8 x 2": { device: { instances: 8, aggregator: 2 }, gives: "aggregation_ratio", size: "128/768, 4, 1024x768" },
  "V5_4 x 1": { device: { instances: 4, aggregator: 1 }, gives: "aggregation_ratio", size: "128/512, 4, 1920x1200" },
  "V4_2 x 1": {
    device: { base: "i915-GVTg_V4", instances: 2, aggregator: 1 },
    gives: "base_type",
    size: "256/1024, 4, 1920x1200",
  },
};

function tell(source: Device, destination: Device): string {
  const answer = checkBaseType(exportOf(source), exportOf(destination));
  return answer.kind === "accepted" ? "accepted" : answer.why.map(({ code }) => code).join(", ");
}

describe("checkBaseType() on GVT (6.2)", () => {
  for (const [name, { device, gives, size }] of Object.entries(ROWS)) {
    it(`tells of ${name}: ${gives}`, () => assert.equal(tell(SOURCE, device), gives));
    // The sizes of gen8 are not in the table: the row of V4 is what its number would mean on gen9.
    it(`gives ${name} the size ${size}`, () => assert.equal(sizeOf(device), size));
  }

  it("accepts devices of equal ratio and unequal size", () => {
    const [eighths, quarter] = [
      { instances: 8, aggregator: 2 },
      { instances: 4, aggregator: 1 },
    ] as const;
    assert.equal(tell(eighths, quarter), "accepted");
    assert.notEqual(sizeOf(eighths), sizeOf(quarter));
    assert.equal(tell(SOURCE, { instances: 8, aggregator: 4 }), "accepted");
    assert.notEqual(sizeOf(SOURCE), sizeOf({ instances: 8, aggregator: 4 }));
  });

  it("tells both values that differ", () => {
    const answer = checkBaseType(exportOf(SOURCE), exportOf({ base: "i915-GVTg_V4", instances: 8, aggregator: 1 }));
    assert.deepEqual(answer, {
      kind: "refused",
      why: [
        { code: "base_type", text: '"i915-GVTg_V5" is not "i915-GVTg_V4"' },
        { code: "aggregation_ratio", text: "2 is not 8" },
      ],
    });
  });
});

describe("baseTypeOf() on DSA (6.3)", () => {
  /** The number in a DSA name multiplies: the draft's N:agg is taken from the names as the mail wrote them. */
  const ONE = { baseType: "dsa", instances: 1n, aggregator: 30n };
  const TWO = { baseType: "dsa", instances: 2n, aggregator: 15n };

  it("refuses 1:30 and 2:15, which are no integers", () => {
    assert.throws(() => baseTypeOf(ONE), {
      name: "RangeError",
      message: "An aggregation_ratio is an integer, not 1/30",
    });
    assert.throws(() => baseTypeOf(TWO), {
      name: "RangeError",
      message: "An aggregation_ratio is an integer, not 2/15",
    });
  });

  it("would not call them equal as fractions either, though both are 30 work queues", () => {
    assert.deepEqual(
      [ONE, TWO].map((of) => formatRational(ratioOf(of))),
      ["1/30", "2/15"],
    );
    assert.equal(isEqualRational(ratioOf(ONE), ratioOf(TWO)), false);
    const total = (of: typeof ONE): unknown => multiplyRationals(rationalOf(of.instances), rationalOf(of.aggregator));
    assert.deepEqual(total(ONE), rationalOf(30n));
    assert.deepEqual(total(TWO), rationalOf(30n));
  });
});

describe("baseTypeOf()", () => {
  for (const [instances, aggregator] of [
    [0n, 1n],
    [1n, 0n],
    [-4n, -2n],
    [4n, -2n],
  ] as const) {
    it(`refuses ${instances} instances and ${aggregator} units`, () => {
      assert.throws(() => baseTypeOf({ baseType: "a", instances, aggregator }), {
        name: "RangeError",
        message: /^Expected positive/,
      });
    });
  }
});

describe("parseBaseType()", () => {
  it("reads both values", () => {
    const expected = { baseType: "i915-GVTg_V5", aggregationRatio: 2n };
    assert.deepEqual(parseBaseType("base_type=i915-GVTg_V5\naggregation_ratio=2\n"), expected);
    assert.deepEqual(parseBaseType('aggregation_ratio=2 base_type="i915-GVTg_V5"'), expected);
  });

  for (const ratio of ["1/30", "4/2"]) {
    it(`refuses the fraction ${ratio}`, () => {
      const message = `An aggregation_ratio is an integer, not ${ratio}`;
      assert.throws(() => parseBaseType(`base_type=dsa\naggregation_ratio=${ratio}`), { name: "RangeError", message });
    });
  }

  const MALFORMED = [
    "",
    "base_type=a",
    "aggregation_ratio=2",
    "base_type= aggregation_ratio=2",
    "base_type=a aggregation_ratio=",
    "base_type=a aggregation_ratio=0",
    "base_type=a aggregation_ratio=-2",
    "base_type=a aggregation_ratio=x",
    "base_type=a aggregation_ratio=1/0",
    "base_type=a aggregation_ratio=2 b=1",
    "base_type={v:string:a} aggregation_ratio=2",
    "__proto__=a aggregation_ratio=2",
  ];
  for (const text of MALFORMED) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseBaseType(text), { name: "SyntaxError" }));
  }
});

describe("formatBaseType()", () => {
  it("writes both values, and quotes where a blank needs it", () => {
    const [plain, quoted] = ["a", "a b"].map((baseType) => ({ baseType, aggregationRatio: 2n }));
    assert.equal(plain && formatBaseType(plain), "base_type=a\naggregation_ratio=2\n");
    assert.equal(quoted && formatBaseType(quoted), 'base_type="a b"\naggregation_ratio=2\n');
  });
});
