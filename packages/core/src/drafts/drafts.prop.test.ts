// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { formatBaseType, parseBaseType } from "./base-type.ts";
import {
  formatCompatibleBlock,
  parseCompatibleBlock,
  parseMigrationCompatible,
  parseSelf,
  type Block,
} from "./compatible-block.ts";
import { COMBINATIONS_MAX, expandBlock } from "./expand-block.ts";
import { matchBlocks } from "./match-blocks.ts";

const NAMES = ["__proto__", "constructor", "toString", "a", "v", "w"];
const name = fc.constantFrom(...NAMES);
const literal = fc.string({ unit: fc.constantFrom("x", "1", "/", ":", ",", "=", "#"), minLength: 1, maxLength: 3 });
const number = fc.nat({ max: 12 }).map(String);
const item = fc.constantFrom('""', '"x y"', '"1"', "1", "none+ppgtt");
const piece = fc.oneof(
  literal,
  fc
    .tuple(name, fc.array(number, { minLength: 1, maxLength: 4 }))
    .map(([of, items]) => `{${of}:int:${items.join(",")}}`),
  fc
    .tuple(name, fc.array(item, { minLength: 1, maxLength: 4 }))
    .map(([of, items]) => `{${of}:string:${items.join(",")}}`),
  name.map((of) => `{${of}}`),
  fc.tuple(name, number).map(([of, divisor]) => `{${of}}/${divisor}`),
);
const value = fc.oneof(
  fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join("")),
  fc.constant('"p q"'),
);
/** Texts that are blocks about as often as not. */
const blockText = fc
  .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 4 })
  .map((fields) => fields.map(([key, text]) => `${key}=${text}`).join("\n"));
const blocks: fc.Arbitrary<Block> = blockText
  .map((text) => readOrRefuse(() => parseCompatibleBlock(text)))
  .filter((block) => block !== undefined);

/** The value, or undefined where it was refused as bad text is; anything else that is thrown fails the law. */
function readOrRefuse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

describe("drafts", () => {
  it("F1: a block that was written reads back the same", () => {
    fc.assert(
      fc.property(blocks, (block) => assert.deepEqual(parseCompatibleBlock(formatCompatibleBlock(block)), block)),
      { numRuns: 300 },
    );
  });

  it("F2: a block accepts each of its own alternatives, and with the same fields", () => {
    fc.assert(
      fc.property(blocks, (block) => {
        for (const { fields } of expandBlock(block).alternatives) {
          const answer = matchBlocks(fields, [block]);
          assert.equal(answer.kind, "accepted");
          const again = expandBlock(block).alternatives.find(
            ({ binding }) =>
              answer.kind === "accepted" && [...binding].every(([of, text]) => answer.binding.get(of) === text),
          );
          assert.deepEqual(again?.fields, fields);
        }
      }),
    );
  });

  it("F3: what a block accepts is one of its alternatives, empty fields aside", () => {
    const self = fc.array(fc.tuple(name, fc.constantFrom("", "1", "2", "x", "x1", "none+ppgtt")), { maxLength: 4 });
    fc.assert(
      fc.property(self, blocks, (entries, block) => {
        const device = new Map(entries);
        const full = (fields: ReadonlyMap<string, string>): string =>
          JSON.stringify([...fields].filter(([, text]) => text !== "").toSorted(([a], [b]) => (a < b ? -1 : 1)));
        const isNamed = [...device.keys()].every((key) => block.fields.has(key));
        const isOne = expandBlock(block).alternatives.some(({ fields }) => full(fields) === full(device));
        assert.equal(matchBlocks(device, [block]).kind === "accepted", isNamed && isOne);
      }),
      { numRuns: 500 },
    );
  });

  it("F4: a refusal gives reasons for every block", () => {
    fc.assert(
      fc.property(fc.array(blocks, { maxLength: 3 }), (list) => {
        const answer = matchBlocks(new Map([["none", "of them"]]), list);
        assert.equal(answer.kind, "refused");
        assert.equal(answer.kind === "refused" && answer.why.length, list.length);
      }),
    );
  });

  it("F5: more blocks never refuse what fewer accepted", () => {
    fc.assert(
      fc.property(blocks, blocks, (first, second) => {
        for (const { fields } of expandBlock(first).alternatives.slice(0, 8)) {
          assert.equal(matchBlocks(fields, [second, first]).kind, "accepted");
        }
      }),
    );
  });

  it("F6: any text is read or refused with a SyntaxError or a RangeError", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      blockText,
      fc.string({
        unit: fc.constantFrom("{", "}", '"', "a", "=", ":int:", "1", ",", "/", " ", "\n", "SELF:", "COMPATIBLE:"),
      }),
    );
    fc.assert(
      fc.property(text, text, (one, other) => {
        readOrRefuse(() => matchBlocks(parseSelf(one), [parseCompatibleBlock(other)]));
        readOrRefuse(() => parseMigrationCompatible(`SELF: ${one} COMPATIBLE: ${other}`));
        readOrRefuse(() => parseMigrationCompatible(one));
        readOrRefuse(() => parseBaseType(one));
        const block = readOrRefuse(() => parseCompatibleBlock(other));
        if (block !== undefined) readOrRefuse(() => matchBlocks(new Map([["a", one]]), [block]));
      }),
      { numRuns: 1000 },
    );
  });

  it("F7: the cap holds: a block has as many alternatives as its lists multiply to, or is refused", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, (lists) => {
        const fields = lists.map((size, index) => {
          return `k${index}={v${index}:int:${Array.from({ length: size }, (_, value) => value).join(",")}}`;
        });
        const block = parseCompatibleBlock(fields.join("\n"));
        const count = lists.reduce((product, size) => product * size, 1);
        const expansion = readOrRefuse(() => expandBlock(block));
        assert.equal(expansion?.alternatives.length, count <= COMBINATIONS_MAX ? count : undefined);
      }),
    );
  });

  it("F8: a base type that was written reads back the same", () => {
    const ratio = fc.bigInt({ min: 1n, max: 10n ** 18n - 1n });
    fc.assert(
      fc.property(fc.constantFrom("dsa", "a b", "__proto__", "x=y"), ratio, (baseType, aggregationRatio) => {
        assert.deepEqual(parseBaseType(formatBaseType({ baseType, aggregationRatio })), { baseType, aggregationRatio });
      }),
    );
  });
});
