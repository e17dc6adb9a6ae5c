// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBuildIdNote } from "./build-id.ts";

const ID = "0102030405060708090a0b0c0d0e0f1011121314";
const NOTE = Uint8Array.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, ...Buffer.from(ID, "hex")]);
const BIG = Uint8Array.from([0, 0, 0, 4, 0, 0, 0, 20, 0, 0, 0, 3, 0x47, 0x4e, 0x55, 0, ...Buffer.from(ID, "hex")]);

describe("parseBuildIdNote()", () => {
  it("finds the byte order of a machine by itself", () => {
    assert.equal(parseBuildIdNote(NOTE), ID);
    assert.equal(parseBuildIdNote(BIG), ID);
  });

  it("keeps to the byte order that it is told", () => {
    assert.equal(parseBuildIdNote(NOTE, "little"), ID);
    assert.equal(parseBuildIdNote(BIG, "big"), ID);
    assert.throws(() => parseBuildIdNote(NOTE, "big"), SyntaxError);
    assert.throws(() => parseBuildIdNote(BIG, "little"), SyntaxError);
  });

  it("reads a part of a longer buffer", () => {
    const buffer = Uint8Array.from([9, 9, 9, 9, 9, ...NOTE, 9, 9]);
    assert.equal(parseBuildIdNote(buffer.subarray(5, 5 + NOTE.length)), ID);
  });

  it("refuses a note that is cut off anywhere", () => {
    for (let length = 0; length < NOTE.length; length += 1) {
      assert.throws(() => parseBuildIdNote(NOTE.subarray(0, length)), {
        name: "SyntaxError",
        message: /^Cannot parse build-id/,
      });
    }
  });
});
