// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { BUILT_IN_PACKS } from "../compatibility/packs/built-in.ts";
import { BerthError } from "./berth-error.ts";
import { parseJsonText } from "./json-text.ts";
import { parsePackDocument, parsePackVectors } from "./pack-schema.ts";

const PACKS = new URL("../compatibility/packs/", import.meta.url);
const SAID = { code: "c", text: "t", from: "x", tried: "source-read" };
const PACK = {
  pack: "berth.driver-pack/v1",
  name: "mine",
  version: "1.0.0",
  title: "Mine",
  match: { driverPrefixes: ["mine"] },
  rules: [{ kind: "equal", fact: "mode", ...SAID }],
};

function refusal(value: unknown): BerthError {
  try {
    parsePackDocument(value, "mine.json");
  } catch (error) {
    if (error instanceof BerthError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("parsePackDocument()", () => {
  it("takes every built-in pack, and hands it on as it is", () => {
    for (const pack of BUILT_IN_PACKS) assert.deepEqual(parsePackDocument(pack, pack.name), pack);
  });

  it("takes the very texts of the built-in packs and of their vectors", () => {
    const files = readdirSync(PACKS).filter((file) => file.endsWith(".json"));
    assert.equal(files.length, 2 * BUILT_IN_PACKS.length);
    for (const file of files) {
      const value = parseJsonText(readFileSync(new URL(file, PACKS), "utf8"), file);
      if (file.endsWith(".vectors.json")) parsePackVectors(value, file);
      else parsePackDocument(value, file);
    }
  });

  it("takes a $schema key for the editor's sake and leaves it out", () =>
    assert.deepEqual(parsePackDocument({ $schema: "x.json", ...PACK }, "mine.json"), PACK));

  it("takes the smallest pack", () => assert.deepEqual(parsePackDocument(PACK, "mine.json"), PACK));

  const CASES: Readonly<Record<string, readonly [unknown, readonly string[]]>> = {
    "refuses what is no object": [[], ["the document: expected an object, got an array of 0"]],
    "refuses null": [null, ["the document: expected an object, got null"]],
    "refuses an unknown primitive": [
      { ...PACK, rules: [{ ...PACK.rules[0], kind: "equals" }] },
      [
        '/rules/0/kind: expected one of "equal", "semver", "at-least", "superset", "in-range", "pair-exception", "refused", got "equals"',
      ],
    ],
    "refuses a rule without a kind": [
      { ...PACK, rules: [{ fact: "mode", ...SAID }] },
      [
        '/rules/0/kind: expected one of "equal", "semver", "at-least", "superset", "in-range", "pair-exception", "refused", got nothing',
      ],
    ],
    "names what a rule of its kind lacks": [
      { ...PACK, rules: [{ kind: "in-range", fact: "mode", ...SAID }] },
      ["/rules/0/range: expected a fact name: lower case, digits, _ . -, at most 64 characters, got nothing"],
    ],
    "refuses a key of another primitive": [
      { ...PACK, rules: [{ ...PACK.rules[0], exact: true }] },
      [
        '/rules/0/exact: expected one of the keys code, doubtful, fact, failing, from, kind, remedy, text, tried, when, got the unknown key "exact"',
      ],
    ],
    "proposes the nearest key": [
      { ...PACK, migrations: [] },
      ['/migrations: expected the key migration, got the unknown key "migrations" (did you mean migration?)'],
    ],
    "refuses a wrong type": [{ ...PACK, title: 5 }, ["/title: expected a title, 1 to 200 characters, got 5"]],
    "refuses a malformed vendor": [
      { ...PACK, match: { pciVendors: ["0x10de"] } },
      ['/match/pciVendors/0: expected four hexadecimal digits, lower case, got "0x10de"'],
    ],
    "refuses a match that matches nothing": [
      { ...PACK, match: {} },
      ["/match: expected at least one key, got an object"],
    ],
    "refuses a code twice": [
      { ...PACK, rules: [PACK.rules[0], PACK.rules[0]] },
      ['/rules/1/code: expected a code that no other rule has, got "c"'],
    ],
    "refuses a condition that tests nothing": [
      { ...PACK, rules: [{ ...PACK.rules[0], when: [{ side: "both", fact: "os" }] }] },
      ["/rules/0/when/0: expected a condition with in, notIn, atLeast or below, got none of them"],
    ],
    "refuses an empty kernel range": [
      {
        ...PACK,
        migration: [
          { supported: true, text: "t", from: "x", tried: "source-read", kernelAtLeast: "6.7", kernelBelow: "6.7.0" },
        ],
      },
      ["/migration/0: expected kernelAtLeast lower than kernelBelow, got 6.7 and 6.7.0"],
    ],
    "refuses a kernel bound in words": [
      { ...PACK, migration: [{ supported: true, text: "t", from: "x", tried: "source-read", kernelAtLeast: "six" }] },
      ['/migration/0/kernelAtLeast: expected a dotted numeric version, got "six"'],
    ],
    "refuses a constructor for a key": [
      JSON.parse(JSON.stringify(PACK).replace('"title"', '"constructor":{},"title"')),
      [
        '/constructor: expected one of the keys $schema, aliases, exactMinor, match, migration, name, notes, pack, pool, rules, streamVersions, title, version, got the unknown key "constructor"',
      ],
    ],
    "lists all that is wrong": [
      { ...PACK, name: "Mine", version: "1", rules: [{ ...PACK.rules[0], tried: "once" }] },
      [
        '/name: expected a pack name: lower case, digits, _ -, at most 64 characters, got "Mine"',
        '/version: expected a version major.minor.bugfix, got "1"',
        '/rules/0/tried: expected one of "real-kernel", "captured-tree", "source-read", "documentation-read", got "once"',
      ],
    ],
  };
  for (const [name, [value, details]] of Object.entries(CASES)) {
    it(name, () => {
      const error = refusal(value);
      assert.deepEqual([...error.details].sort(), [...details].sort());
      assert.equal(error.code, "pack_malformed");
      assert.equal(error.place, "mine.json");
      const count = details.length === 1 ? "1 problem" : `${details.length} problems`;
      assert.equal(error.message, `mine.json is not a driver pack: ${count}`);
    });
  }

  it("lists no more than 20 problems, and says how many there are", () => {
    const error = refusal({ ...PACK, match: { driverPrefixes: Array.from({ length: 50 }, () => 1) } });
    assert.equal(error.details.length, 21);
    assert.equal(error.details.at(-1), "and 30 more");
  });

  it("bears a hostile document", () => {
    const rules = Array.from({ length: 4000 }, () => ({
      kind: "equal",
      ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`k${at}`, at])),
    }));
    assert.equal(refusal({ ...PACK, rules }).code, "pack_malformed");
  });

  it("tells another version of the format from a wrong document", () => {
    assert.equal(refusal({ ...PACK, pack: "berth.driver-pack/v2" }).code, "pack_unsupported_version");
    assert.equal(refusal({ ...PACK, pack: "berth.policy/v1" }).code, "pack_malformed");
  });
});

describe("parsePackVectors()", () => {
  it("refuses a case without facts", () => {
    const value = { vectors: "berth.pack-vectors/v1", pack: "mine", cases: [{ name: "x", source: {} }] };
    assert.throws(() => parsePackVectors(value, "v.json"), { code: "pack_vectors_malformed" });
  });
});
