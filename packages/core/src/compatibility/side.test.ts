// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unreadable } from "../device/evidence.ts";
import { describeGaps, factOf, ownReading, sideOf } from "./side.ts";
import { nothing, profile, reading } from "./test-profile.ts";

const TORN = unreadable("EIO", nothing().evidence);

describe("describeGaps()", () => {
  it("names each end that lacks it, and why", () => {
    assert.equal(describeGaps("x", nothing(), reading(1)), "x is not shown at the source");
    assert.equal(describeGaps("x", reading(1), TORN), "x cannot be read at the destination (EIO)");
    assert.equal(
      describeGaps("x", TORN, nothing()),
      "x cannot be read at the source (EIO) and is not shown at the destination",
    );
  });
});

describe("factOf()", () => {
  it("takes names of every object's members for ordinary ones", () => {
    for (const name of ["__proto__", "constructor", "toString"]) assert.equal(factOf(profile(), name).kind, "absent");
    assert.equal(factOf(profile({ facts: { constructor: "x" } }), "constructor").kind, "known");
  });

  it("says which fact is absent and on which host", () => {
    assert.deepEqual(factOf(profile({ host: "h" }), "qemu_version").evidence, {
      host: "h",
      source: "inferred",
      path: "fact qemu_version",
    });
  });
});

describe("ownReading()", () => {
  it("finds what the record holds itself, only", () => {
    const record = JSON.parse('{"__proto__": {"kind": "absent"}}') as Record<string, ReturnType<typeof nothing>>;
    assert.equal(ownReading(record, "__proto__")?.kind, "absent");
    assert.equal(ownReading({}, "__proto__"), undefined);
  });
});

describe("sideOf()", () => {
  it("has a value only where one is known", () => {
    assert.deepEqual(
      sideOf(reading(3), (value) => `${value} units`),
      { value: "3 units", evidence: reading(3).evidence },
    );
    assert.deepEqual(sideOf(nothing()), { evidence: nothing().evidence });
    assert.equal("value" in sideOf(TORN), false);
  });
});
