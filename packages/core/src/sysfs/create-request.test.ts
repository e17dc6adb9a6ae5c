// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseUuid } from "../device/address.ts";
import { formatCreateRequest, parseCreateRequest } from "./create-request.ts";

const UUID = parseUuid("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

/** The rows of section 2.1 that the grammar decides; the others are the driver's. */
const REFUSED: Readonly<Record<string, { readonly raw: string; readonly says: RegExp; readonly name?: string }>> = {
  "fewer than 36 bytes": { raw: UUID.slice(1), says: /expected 36 characters/ },
  "more than 4095 bytes": { raw: `${UUID},aggregate=${"0".repeat(4049)}`, says: /expected at most 4095 bytes/ },
  "no comma and more than 37 bytes": { raw: `${UUID}xx`, says: /expected a UUID and ",aggregate=N"/ },
  "a comma not at offset 36": { raw: `${UUID.slice(1)},aggregate=2`, says: /expected 36 characters/ },
  "a bad UUID": { raw: `${UUID.slice(1)}g,aggregate=2`, says: /expected 36 characters/ },
  "a comma and nothing after it": { raw: `${UUID},`, says: /expected a UUID and ",aggregate=N"/ },
  "another parameter": { raw: `${UUID},instances=2`, says: /expected a UUID and ",aggregate=N"/ },
  "two parameters": { raw: `${UUID},aggregate=2,aggregate=2`, says: /expected a number/ },
  "no number": { raw: `${UUID},aggregate=two`, says: /Cannot parse aggregate: expected a number/ },
  "a number beyond 32 bits": {
    raw: `${UUID},aggregate=4294967296`,
    says: /expected at most 4294967295/,
    name: "RangeError",
  },
};

describe("parseCreateRequest()", () => {
  for (const [what, { raw, says, name = "SyntaxError" }] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseCreateRequest(raw, { dialect: "aggregate" }), { name, message: says });
    });
  }

  it("reads a count of 0 as an ordinary device", () => {
    assert.deepEqual(parseCreateRequest(`${UUID},aggregate=0\n`, { dialect: "aggregate" }), { uuid: UUID });
  });

  it("reads a count in the dialect of its parameter alone", () => {
    const raw = `${UUID},instances=10\n`;
    assert.deepEqual(parseCreateRequest(raw, { dialect: "instances" }), { uuid: UUID, aggregate: 10 });
    assert.throws(() => parseCreateRequest(raw, { dialect: "aggregate" }), SyntaxError);
    assert.throws(() => parseCreateRequest(raw, { dialect: "plain" }), { message: /expected a UUID and nothing else/ });
  });
});

describe("formatCreateRequest()", () => {
  it("writes the parameter of the dialect", () => {
    assert.equal(formatCreateRequest({ uuid: UUID, aggregate: 30 }, "aggregate"), `${UUID},aggregate=30\n`);
    assert.equal(formatCreateRequest({ uuid: UUID, aggregate: 30 }, "instances"), `${UUID},instances=30\n`);
  });

  it("writes an ordinary device without a parameter", () => {
    for (const dialect of ["plain", "aggregate", "instances"] as const) {
      assert.equal(formatCreateRequest({ uuid: UUID }, dialect), `${UUID}\n`);
    }
  });

  it("refuses a count in the plain dialect, even of 1", () => {
    assert.throws(() => formatCreateRequest({ uuid: UUID, aggregate: 1 }, "plain"), SyntaxError);
  });

  for (const aggregate of [0, -1, 1.5, Number.NaN, 2 ** 32]) {
    it(`refuses a count of ${aggregate}`, () => {
      assert.throws(() => formatCreateRequest({ uuid: UUID, aggregate }, "aggregate"), RangeError);
    });
  }
});
