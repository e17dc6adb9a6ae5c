// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compareDotted } from "./kernel.ts";

const CASES: Readonly<Record<string, readonly [a: string, b: string, order: -1 | 0 | 1 | undefined]>> = {
  "orders numbers, not characters": ["1.9", "1.10", -1],
  "orders NVIDIA's branches": ["570.133.20", "570.86.10", 1],
  "does not count leading zeros": ["535.161.05", "535.161.5", 0],
  "takes a missing part for 0": ["6.12", "6.12.0", 0],
  "finds a longer version newer": ["6.12", "6.12.1", -1],
  "does not compare what follows a plus": ["6.12.107+deb13-amd64", "6.12.107", 0],
  "does not compare what follows a hyphen": ["5.14.0-570.el9", "5.14.0-162.el9", 0],
  "orders numbers of any length": ["99999999999999999999.1", "99999999999999999998.2", 1],
  "does not order an empty text": ["", "1", undefined],
  "does not order a word": ["1", "none", undefined],
  "does not order a letter within a number": ["1.2rc1", "1.2", undefined],
  "does not order a wildcard": ["4.x", "4.1", undefined],
  "does not order a leading v": ["v1.2", "1.2", undefined],
  "does not order a negative number": ["-1", "1", undefined],
  "does not order an empty part": ["1..2", "1.2", undefined],
};

describe("compareDotted()", () => {
  for (const [name, [a, b, order]] of Object.entries(CASES)) {
    it(name, () => {
      assert.equal(compareDotted(a, b), order);
      assert.equal(compareDotted(b, a), order === undefined ? undefined : 0 - order);
    });
  }
});
