// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPciAddress, isUuid, parsePciAddress, parseSubchannelId, parseUuid } from "./address.ts";

const UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

const PCI: Readonly<Record<string, { readonly text: string; readonly address?: string }>> = {
  "reads domain, bus, device and function": { text: "0000:3b:00.4", address: "0000:3b:00.4" },
  "answers in lower case": { text: "0000:AF:1F.7", address: "0000:af:1f.7" },
  "reads the five-digit domain of a VMD bridge": { text: "10000:e1:00.0", address: "10000:e1:00.0" },
  "refuses an address without its domain": { text: "3b:00.4" },
  "refuses a domain of three digits": { text: "000:3b:00.4" },
  "refuses a domain of nine digits": { text: "000000000:3b:00.4" },
  "refuses device 0x20": { text: "0000:3b:20.0" },
  "refuses function 8": { text: "0000:3b:00.8" },
  "refuses a trailing LF": { text: "0000:3b:00.4\n" },
  "refuses a path": { text: "../0000:3b:00.4" },
  "refuses digits that are not ASCII": { text: "0000:3b:00.４" },
};

const UUIDS: Readonly<Record<string, { readonly text: string; readonly uuid?: string }>> = {
  "reads 36 characters": { text: UUID, uuid: UUID },
  "answers in lower case": { text: UUID.toUpperCase(), uuid: UUID },
  "reads a UUID of no version": {
    text: "00000000-0000-0000-0000-000000000000",
    uuid: "00000000-0000-0000-0000-000000000000",
  },
  "refuses 35 characters": { text: UUID.slice(1) },
  "refuses 37 characters": { text: `${UUID}0` },
  "refuses braces": { text: `{${UUID}}` },
  "refuses hyphens elsewhere": { text: "83b8f4f25-09f-382f-3c1e-e6bfe0fa1001" },
  "refuses a trailing LF": { text: `${UUID}\n` },
  "refuses a key of Object.prototype": { text: "__proto__" },
};

const SUBCHANNELS: Readonly<Record<string, { readonly text: string; readonly id?: string }>> = {
  "reads channel subsystem, set and number": { text: "0.0.0313", id: "0.0.0313" },
  "answers in lower case": { text: "FE.3.ABCD", id: "fe.3.abcd" },
  "refuses set 4": { text: "0.4.0313" },
  "refuses a number of three digits": { text: "0.0.313" },
  "refuses a number of five digits": { text: "0.0.00313" },
  "refuses a trailing LF": { text: "0.0.0313\n" },
};

describe("parsePciAddress()", () => {
  for (const [name, { text, address }] of Object.entries(PCI)) {
    it(name, () => {
      assert.equal(isPciAddress(text), address !== undefined);
      if (address === undefined) assert.throws(() => parsePciAddress(text), SyntaxError);
      else assert.equal(parsePciAddress(text), address);
    });
  }
});

describe("parseUuid()", () => {
  for (const [name, { text, uuid }] of Object.entries(UUIDS)) {
    it(name, () => {
      assert.equal(isUuid(text), uuid !== undefined);
      if (uuid === undefined) assert.throws(() => parseUuid(text), SyntaxError);
      else assert.equal(parseUuid(text), uuid);
    });
  }

  it("says what was expected and quotes a part of what it got", () => {
    const message = `Cannot parse UUID: expected 36 characters 8-4-4-4-12, got "${"a".repeat(80)}..."`;
    assert.throws(() => parseUuid("a".repeat(1_000_000)), { name: "SyntaxError", message });
  });
});

describe("parseSubchannelId()", () => {
  for (const [name, { text, id }] of Object.entries(SUBCHANNELS)) {
    it(name, () => {
      if (id === undefined) assert.throws(() => parseSubchannelId(text), SyntaxError);
      else assert.equal(parseSubchannelId(text), id);
    });
  }
});
