// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatCreatableVgpuTypes, parseCreatableVgpuTypes } from "./vgpu-types.ts";

describe("parseCreatableVgpuTypes()", () => {
  it("answers an empty list for an empty text and for a header alone", () => {
    assert.deepEqual(parseCreatableVgpuTypes(""), []);
    assert.deepEqual(parseCreatableVgpuTypes("ID    : vGPU Name\n"), []);
  });

  it("names the line that is wrong", () => {
    const raw = "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\nNVIDIA L40S-2B\n";
    assert.throws(() => parseCreatableVgpuTypes(raw), { message: /expected "ID : name", got "NVIDIA L40S-2B"$/ });
  });
});

describe("formatCreatableVgpuTypes()", () => {
  it("pads ids as the driver does", () => {
    const text = formatCreatableVgpuTypes([
      { id: 1145, name: "NVIDIA L40S-1B" },
      { id: 7, name: "a" },
    ]);
    assert.equal(text, "ID    : vGPU Name\n1145  : NVIDIA L40S-1B\n7     : a\n");
  });

  const refused: Readonly<Record<string, { readonly id: number; readonly name: string }>> = {
    "an id of 0": { id: 0, name: "a" },
    "a negative id": { id: -1, name: "a" },
    "an id that is no integer": { id: 1.5, name: "a" },
    "an empty name": { id: 1, name: "" },
    "a name with a space at its end": { id: 1, name: "a " },
    "a name of two lines": { id: 1, name: "a\n2 : b" },
  };
  for (const [what, type] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.throws(() => formatCreatableVgpuTypes([type]), Error));
  }
});
