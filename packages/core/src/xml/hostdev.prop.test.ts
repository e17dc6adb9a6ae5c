// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findHostdevs } from "./hostdev.ts";

const PIECES = [
  "<domain>",
  "</domain>",
  "<devices>",
  "</devices>",
  "<hostdev type='mdev'>",
  "</hostdev>",
  "<source>",
  "</source>",
  "<address uuid='aaaaaaaa-0000-4000-8000-000000000001'/>",
  "<__proto__ constructor='x'/>",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<!DOCTYPE",
  "&amp;",
  "&#0;",
  "&",
  "<",
  ">",
  "'",
  "\0",
  " ",
];

describe("findHostdevs()", () => {
  it("X1: answers whatever the text is, and finds nothing in what holds no domain", () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (xml) => {
        const found = findHostdevs(xml);
        if (!xml.includes("<domain>")) assert.deepEqual(found.devices, []);
        if (found.devices.length === 0 && !xml.includes("</domain>")) assert.notDeepEqual(found.problems, []);
      }),
      { numRuns: 500 },
    );
  });

  it("X2: a device is found wherever unknown elements stand around it", () => {
    const noise = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 5 });
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const fill = (names: readonly string[]): string =>
          names.map((name) => `<x${name} a="&lt;"><y/></x${name}>`).join("");
        const xml = `<domain>${fill(before)}<devices>${fill(after)}<hostdev type='mdev'>${fill(before)}<source><address uuid='aaaaaaaa-0000-4000-8000-000000000001'/></source></hostdev></devices></domain>`;
        assert.deepEqual(findHostdevs(xml).devices, [{ kind: "mdev", id: "aaaaaaaa-0000-4000-8000-000000000001" }]);
      }),
    );
  });
});
