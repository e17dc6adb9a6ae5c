// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatSoftwareVersion, parseSoftwareVersion } from "./software-version.ts";

/** The malformed ones of section 6.1 among them. */
const CASES: Readonly<Record<string, { readonly text: string; readonly version?: readonly [number, number, number] }>> =
  {
    "reads major, minor and bugfix": { text: "2.0.1", version: [2, 0, 1] },
    "reads numbers, not characters": { text: "1.10.0", version: [1, 10, 0] },
    "takes a missing bugfix for 0": { text: "1.0", version: [1, 0, 0] },
    "reads nine digits": { text: "999999999.0.0", version: [999_999_999, 0, 0] },
    "reads a leading zero as decimal": { text: "010.08.0", version: [10, 8, 0] },
    "refuses 1.x": { text: "1.x" },
    "refuses an empty text": { text: "" },
    "refuses four parts": { text: "1.0.0.0" },
    "refuses one part": { text: "1" },
    "refuses an empty part": { text: "1..0" },
    "refuses a sign": { text: "1.-0.0" },
    "refuses a space": { text: "1. 0.0" },
    "refuses a suffix": { text: "1.0.0-rc1" },
    "refuses a prefix": { text: "v1.0.0" },
    "refuses an exponent": { text: "1e3.0.0" },
    "refuses ten digits": { text: "9999999999.0.0" },
    "refuses a trailing LF": { text: "1.0.0\n" },
    "refuses digits that are not ASCII": { text: "１.0.0" },
  };

describe("parseSoftwareVersion()", () => {
  for (const [name, { text, version }] of Object.entries(CASES)) {
    it(name, () => {
      if (version === undefined) {
        assert.throws(() => parseSoftwareVersion(text), {
          name: "SyntaxError",
          message: /expected major\.minor\.bugfix/,
        });
        return;
      }
      const [major, minor, bugfix] = version;
      assert.deepEqual(parseSoftwareVersion(text), { major, minor, bugfix });
    });
  }

  it("quotes the offending text", () => {
    const message = 'Cannot parse software_version: expected major.minor.bugfix, got "1.x"';
    assert.throws(() => parseSoftwareVersion("1.x"), { message });
  });
});

describe("formatSoftwareVersion()", () => {
  it("writes all three parts", () => assert.equal(formatSoftwareVersion({ major: 1, minor: 10, bugfix: 0 }), "1.10.0"));
});
