// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseTypeId } from "./mdev-type.ts";

const CASES: Readonly<Record<string, { readonly text: string; readonly error?: "SyntaxError" }>> = {
  "reads driver and type name": { text: "i915-GVTg_V5_4" },
  "reads a driver's name with an underscore": { text: "vfio_ap-passthrough" },
  "reads a name of 255 characters": { text: "a".repeat(255) },
  "takes a key of Object.prototype for a name": { text: "__proto__" },
  "takes three dots for a name": { text: "..." },
  "refuses an empty name": { text: "", error: "SyntaxError" },
  "refuses the folder itself": { text: ".", error: "SyntaxError" },
  "refuses the folder above": { text: "..", error: "SyntaxError" },
  "refuses a path": { text: "nvidia/105", error: "SyntaxError" },
  "refuses a space": { text: "nvidia 105", error: "SyntaxError" },
  "refuses a trailing LF": { text: "nvidia-105\n", error: "SyntaxError" },
  "refuses NUL": { text: "nvidia-105\0", error: "SyntaxError" },
  "refuses what is beyond ASCII": { text: "nvidia-１０５", error: "SyntaxError" },
  "refuses a name of 256 characters": { text: "a".repeat(256), error: "SyntaxError" },
};

describe("parseTypeId()", () => {
  for (const [name, { text, error }] of Object.entries(CASES)) {
    it(name, () => {
      if (error === undefined) assert.equal(parseTypeId(text), text);
      else
        assert.throws(() => parseTypeId(text), { name: error, message: /^Cannot parse mdev type id: [ -~]{1,200}$/ });
    });
  }
});
