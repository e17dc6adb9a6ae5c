// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCompatibleBlock, parseMigrationCompatible, parseSelf } from "./compatible-block.ts";
import { matchBlocks, type BlocksAnswer } from "./match-blocks.ts";

function match(self: string, ...blocks: readonly string[]): BlocksAnswer {
  return matchBlocks(parseSelf(self), blocks.map(parseCompatibleBlock));
}

/** `accepted` with the block and its binding, or the reasons of each block. */
function tell(answer: BlocksAnswer): string {
  if (answer.kind === "accepted") {
    return [`accepted by ${answer.block}`, ...[...answer.binding].map(([name, text]) => `${name}=${text}`)].join(" ");
  }
  const why = answer.why.map(({ reasons }) => reasons.map(({ code, key }) => [code, key].join(" ").trim()).join(", "));
  return ["refused", ...why].join(": ");
}

/** Section 6.2: the files of the mail of 5 August. */
const SELF_P7 = "device_type=vfio_pci\ndevice_id=8086591d\nsoftware_version=1.0.0\n";
const COMPATIBLE_P7 =
  "device_type=vfio_pci\nmdev_type=i915-GVTg_V5_{val1:int:2,4,8}\ndevice_id=8086591d\naggregator={val1}/2\n" +
  "software_version=1.0.0\n";

const GVT: Readonly<Record<string, string>> = {
  "V5_4 x 2": "accepted by 0 val1=4",
  "V5_8 x 4": "accepted by 0 val1=8",
  "V5_2 x 1": "accepted by 0 val1=2",
  "V5_8 x 2": "refused: values_not_together",
  "V5_4 x 1": "refused: values_not_together",
  "V4_2 x 1": "refused: value_not_accepted mdev_type",
};

/** Section 6.2: the two devices of the mail of 29 July, with what its ellipses stand for. */
const COMMON = "device_type=pci device_id=8086591d";
const TYPES = "mdev_type=i915-GVTg_V5_{val1:int:1,2,4,8} aggregator={val1}/2";
const UUID1 = `
  SELF: ${COMMON} mdev_type=i915-GVTg_V5_2 aggregator=1 pv_mode="none+ppgtt+context" interface_version=3
  COMPATIBLE: ${COMMON} ${TYPES}
    pv_mode={val2:string:"none+ppgtt","none+context","none+ppgtt+context"} interface_version={val3:int:2,3}
  COMPATIBLE: ${COMMON} ${TYPES} pv_mode="" interface_version=1`;
const UUID2 = `
  SELF: ${COMMON} mdev_type=i915-GVTg_V5_4 aggregator=2 interface_version=1
  COMPATIBLE: ${COMMON} ${TYPES} interface_version=1`;

function moveBetween(source: string, destination: string): BlocksAnswer {
  return matchBlocks(parseMigrationCompatible(source).self, parseMigrationCompatible(destination).compatible);
}

/** Section 6.4: what a device shows, and what it accepts. */
const CHAIN: Readonly<Record<string, { readonly self: string; readonly accepts: string }>> = {
  device1: { self: "cap=A", accepts: "cap={c:string:A}" },
  device2: { self: "cap=A", accepts: "cap={c:string:A}" },
  device3: { self: "cap=A+B", accepts: "cap={c:string:A,A+B}" },
  device4: { self: "cap=A+B+C", accepts: "cap={c:string:A,A+B,A+B+C}" },
};
const CHAIN_ACCEPTED = ["1->2", "1->3", "1->4", "2->1", "2->3", "2->4", "3->4"];

describe("matchBlocks() on GVT (6.2)", () => {
  for (const [device, expected] of Object.entries(GVT)) {
    const [type, aggregator] = device.split(" x ");
    it(`tells of ${device}: ${expected}`, () => {
      const self = `${SELF_P7}mdev_type=i915-GVTg_${type}\naggregator=${aggregator}\n`;
      assert.equal(tell(match(self, COMPATIBLE_P7)), expected);
    });
  }

  it("accepts V5_2 x 1 by the list of 29 July and warns of its half", () => {
    const answer = match("mdev_type=i915-GVTg_V5_2 aggregator=1", TYPES);
    assert.equal(tell(answer), "accepted by 0 val1=2");
    assert.deepEqual(answer.kind === "accepted" && answer.warnings.map(({ text }) => text), [
      '"aggregator": 1/2 is no whole number; val1=1 is dropped',
    ]);
  });

  for (const aggregator of ["0", "1", "0.5", "1/2"]) {
    it(`refuses V5_1 x ${aggregator}: half a unit is nobody's aggregator`, () => {
      const answer = match(`mdev_type=i915-GVTg_V5_1 aggregator=${aggregator}`, TYPES);
      assert.match(tell(answer), /^refused: value_not_accepted mdev_type/);
      assert.equal(answer.kind === "refused" && answer.why[0]?.warnings.length, 1);
    });
  }

  it("accepts UUID2 at UUID1, by the block whose pv_mode may be absent", () => {
    assert.equal(tell(moveBetween(UUID2, UUID1)), "accepted by 1 val1=4");
  });

  it("refuses UUID1 at UUID2, which accepts interface 1 only and does not name pv_mode", () => {
    const expected = "refused: value_not_accepted interface_version, field_not_named pv_mode";
    assert.equal(tell(moveBetween(UUID1, UUID2)), expected);
  });

  it("accepts either at its own like", () => {
    assert.equal(tell(moveBetween(UUID1, UUID1)), "accepted by 0 val1=2 val2=none+ppgtt+context val3=3");
    assert.equal(tell(moveBetween(UUID2, UUID2)), "accepted by 0 val1=4");
  });
});

describe("matchBlocks() on DSA (6.3)", () => {
  it("cannot be told that dsa-1dwq x 30 and dsa-2dwq x 15 are one size", () => {
    const dividing = "mdev_type=dsa-{val:int:1,2}dwq aggregator=30/{val}";
    assert.match(tell(match("mdev_type=dsa-2dwq aggregator=15", dividing)), /^refused: value_not_accepted aggregator/);
    const ofCount = "aggregator={val:int:30} mdev_type=dsa-{val}/15dwq";
    assert.match(tell(match("mdev_type=dsa-1dwq aggregator=30", ofCount)), /^refused: value_not_accepted mdev_type/);
  });
});

describe("matchBlocks() on a chain of features (6.4)", () => {
  for (const [from, source] of Object.entries(CHAIN)) {
    for (const [to, destination] of Object.entries(CHAIN)) {
      const move = `${from}->${to}`.replaceAll("device", "");
      const isAccepted = from === to || CHAIN_ACCEPTED.includes(move);
      it(`${isAccepted ? "accepts" : "refuses"} ${move}`, () => {
        assert.equal(match(source.self, destination.accepts).kind, isAccepted ? "accepted" : "refused");
      });
    }
  }
});

/** The device -> blocks -> what is told. */
const CASES: Readonly<
  Record<string, { readonly self: string; readonly blocks: readonly string[]; readonly tells: string }>
> = {
  "accepts nothing where there is no block": { self: "a=1", blocks: [], tells: "refused" },
  "names the first of two blocks that accept": {
    self: "a=1",
    blocks: ["a=2", "a=1", "a={v:int:1}"],
    tells: "accepted by 1",
  },
  "needs every field of a block": { self: "a=1 b=2", blocks: ["a=1 b=3"], tells: "refused: value_not_accepted b" },
  "tells every field that fails": {
    self: "a=1 b=2 c=3 d=4",
    blocks: ["a=2 b=1 c=3"],
    tells: "refused: value_not_accepted a, value_not_accepted b, field_not_named d",
  },
  "tells the reasons of every block": {
    self: "a=1",
    blocks: ["a=2", "b=1"],
    tells: "refused: value_not_accepted a: value_not_accepted b, field_not_named a",
  },
  "refuses an absent field that has a value in the block": {
    self: "a=1",
    blocks: ["a=1 b=2"],
    tells: "refused: value_not_accepted b",
  },
  "accepts an absent field where the block has the empty value": {
    self: "a=1",
    blocks: ['a=1 b=""'],
    tells: "accepted by 0",
  },
  "accepts an empty field where the block has the empty value": {
    self: 'a=1 b=""',
    blocks: ["a=1 b="],
    tells: "accepted by 0",
  },
  "blames no absent field that may be absent": {
    self: "a=1",
    blocks: ['a=2 b=""'],
    tells: "refused: value_not_accepted a",
  },
  "refuses a value where the block has the empty one": {
    self: "a=1",
    blocks: ['a=""'],
    tells: "refused: value_not_accepted a",
  },
  "accepts an absent field by an empty item": {
    self: "a=1",
    blocks: ['a=1 b={v:string:"x",""}'],
    tells: "accepted by 0 v=",
  },
  "refuses a field that only the device has, even an empty one": {
    self: 'a=1 b=""',
    blocks: ["a=1"],
    tells: "refused: field_not_named b",
  },
  "compares text: 02 is not 2, and A is not a": {
    self: "a=02 b=a",
    blocks: ["a={v:int:2} b=A"],
    tells: "refused: value_not_accepted a, value_not_accepted b",
  },
  "holds a variable to one value in all fields": {
    self: "a=1 b=2",
    blocks: ["a={v:int:1,2} b={v}"],
    tells: "refused: values_not_together",
  },
  "accepts nothing by a block that lost every alternative": {
    self: "a=1 b=0",
    blocks: ["a={v:int:1,3} b={v}/2"],
    tells: "refused: no_alternative",
  },
  "finds no field in a prototype": {
    self: "a=1",
    blocks: ["a=1 constructor=x toString=y __proto__=z"],
    tells: "refused: value_not_accepted constructor, value_not_accepted toString, value_not_accepted __proto__",
  },
  "matches hostile keys as any other": {
    self: "__proto__=1 constructor=2",
    blocks: ["constructor={v:int:2} __proto__={v}/2"],
    tells: "accepted by 0 v=2",
  },
};

describe("matchBlocks()", () => {
  for (const [name, { self, blocks, tells }] of Object.entries(CASES)) {
    it(name, () => assert.equal(tell(match(self, ...blocks)), tells));
  }

  it("says in words what it found and what is accepted", () => {
    const textOf = (answer: BlocksAnswer): readonly string[] =>
      answer.kind === "refused" ? answer.why.flatMap(({ reasons }) => reasons.map(({ text }) => text)) : [];
    assert.deepEqual(textOf(match('a=3 c="x y"', "a={v:int:1,2} b=1")), [
      '"a" is "3"; accepted: "1", "2"',
      '"b" is absent; accepted: "1"',
      '"c" is "x y", and the block does not name it',
    ]);
    assert.deepEqual(textOf(match("a=0", "a={v:int:1,2,3,4,5,6,7,8,9,10}")), [
      '"a" is "0"; accepted: "1", "2", "3", "4", "5", "6", "7", "8" and 2 more',
    ]);
  });

  it("refuses to look into a block that stands for too much", () => {
    const pairs = Array.from({ length: 13 }, (_, index) => `k${index}={v${index}:int:0,1}`).join(" ");
    assert.throws(() => match("a=1", pairs), { name: "RangeError", code: "template_too_large" });
  });
});
