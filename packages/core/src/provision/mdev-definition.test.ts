// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseTypeId } from "../device/mdev-type.ts";
import { formatMdevDefinition, parseMdevDefinition, type MdevDefinition } from "./mdev-definition.ts";

/** What mdevctl 1.2.0 stores for each of these, byte for byte. */
const STORED: readonly (readonly [MdevDefinition, string])[] = [
  [
    { type: parseTypeId("i915-GVTg_V5_8"), start: "auto", attributes: [] },
    '{\n  "mdev_type": "i915-GVTg_V5_8",\n  "start": "auto",\n  "attrs": []\n}',
  ],
  [
    {
      type: parseTypeId("vfio_ap-passthrough"),
      start: "manual",
      attributes: [
        { name: "assign_domain", value: "0x0005" },
        { name: "assign_adapter", value: "4" },
        { name: "assign_domain", value: "6" },
      ],
    },
    `{
  "mdev_type": "vfio_ap-passthrough",
  "start": "manual",
  "attrs": [
    {
      "assign_domain": "0x0005"
    },
    {
      "assign_adapter": "4"
    },
    {
      "assign_domain": "6"
    }
  ]
}`,
  ],
  [
    { type: parseTypeId('t-"\\x'), start: "auto", attributes: [{ name: "", value: 'é\u0001\u007f"\\/\t1\n' }] },
    '{\n  "mdev_type": "t-\\"\\\\x",\n  "start": "auto",\n  "attrs": [\n    {\n      "": "é\\u0001\u007f\\"\\\\/\\t1\\n"\n    }\n  ]\n}',
  ],
];

describe("formatMdevDefinition()", () => {
  for (const [definition, text] of STORED) {
    it(`writes ${definition.type} as mdevctl stores it`, () => {
      assert.equal(formatMdevDefinition(definition), text);
      assert.deepEqual(parseMdevDefinition(text), definition);
    });
  }

  it("keeps an attribute that has the name of an object's own", () => {
    const definition: MdevDefinition = {
      type: parseTypeId("t"),
      start: "auto",
      attributes: [{ name: "__proto__", value: "1" }],
    };
    assert.match(formatMdevDefinition(definition), /"__proto__": "1"/);
    assert.deepEqual(parseMdevDefinition(formatMdevDefinition(definition)), definition);
  });

  it("P20: what is written is read back, order and doubles included", () => {
    const lists = fc.array(fc.tuple(fc.string(), fc.string()));
    fc.assert(
      fc.property(lists, fc.constantFrom("auto" as const, "manual" as const), (list, start) => {
        const pairs = list.map(([name, value]) => ({ name, value }));
        const definition: MdevDefinition = { type: parseTypeId("mtty-2"), start, attributes: pairs };
        assert.deepEqual(parseMdevDefinition(formatMdevDefinition(definition)), definition);
      }),
    );
  });
});

/** A text, and what mdevctl makes of it: the definition in short, or nothing. */
const READ: Readonly<Record<string, readonly [string, string | undefined]>> = {
  "takes any order and other members": ['{"attrs":[{"a":"1"}],"x":1,"start":"auto","mdev_type":"t"}', "t auto a=1"],
  "takes a start that is not auto for manual": ['{"mdev_type":"t","start":7}', "t manual "],
  "takes attrs that are null for none": ['{"mdev_type":"t","start":"manual","attrs":null}', "t manual "],
  "takes the last of two members of one name": ['{"mdev_type":"a","mdev_type":"b","start":"auto"}', "b auto "],
  "refuses a definition without start": ['{"mdev_type":"t"}', undefined],
  "refuses a start of null": ['{"mdev_type":"t","start":null}', undefined],
  "refuses a definition without type": ['{"start":"auto"}', undefined],
  "refuses a type that is no text": ['{"mdev_type":5,"start":"auto"}', undefined],
  "refuses a type that leads elsewhere": ['{"mdev_type":"../x","start":"auto"}', undefined],
  "refuses attrs that are no list": ['{"mdev_type":"t","start":"auto","attrs":{}}', undefined],
  "refuses an attribute of two names": ['{"mdev_type":"t","start":"auto","attrs":[{"a":"1","b":"2"}]}', undefined],
  "refuses an attribute of no name": ['{"mdev_type":"t","start":"auto","attrs":[{}]}', undefined],
  "refuses an attribute that is a list": ['{"mdev_type":"t","start":"auto","attrs":[["a"]]}', undefined],
  "refuses a value that is no text": ['{"mdev_type":"t","start":"auto","attrs":[{"a":1}]}', undefined],
  "refuses a type that only a prototype has": ['{"__proto__":{"mdev_type":"t","start":"auto"}}', undefined],
  "refuses a list": ["[]", undefined],
  "refuses null": ["null", undefined],
  "refuses what is no JSON": ["{", undefined],
};

describe("parseMdevDefinition()", () => {
  for (const [name, [text, expected]] of Object.entries(READ)) {
    it(name, () => {
      if (expected === undefined) {
        assert.throws(() => parseMdevDefinition(text), SyntaxError);
        return;
      }
      const { type, start, attributes } = parseMdevDefinition(text);
      assert.equal(`${type} ${start} ${attributes.map(({ name: key, value }) => `${key}=${value}`).join()}`, expected);
    });
  }
});
