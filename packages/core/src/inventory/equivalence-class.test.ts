// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classKey, splitProfile } from "./equivalence-class.ts";
import { profileOf, type MadeUpProfile } from "./made-up-profile.ts";

const UNREADABLE = { not: "unreadable" } as const;
const ABSENT = { not: "absent" } as const;

const EQUAL: Readonly<Record<string, readonly [MadeUpProfile, MadeUpProfile]>> = {
  "is the same on another host": [{ host: "a" }, { host: "b" }],
  "is the same at another parent of the same bus": [{ parent: "0000:08:00.0" }, { parent: "0000:09:00.0" }],
  "does not look at facts that nothing reads": [{ facts: { serial: "1" } }, { facts: { serial: "2" } }],
};

const DIFFERENT: Readonly<Record<string, readonly [MadeUpProfile, MadeUpProfile]>> = {
  "tells a device from a type": [{ kind: "device" }, { kind: "type" }],
  "tells a parent on the PCI bus from one that is not": [{ parent: "0000:08:00.0" }, { parent: "mtty" }],
  "tells absent from unreadable": [{ version: ABSENT }, { version: UNREADABLE }],
  "tells an empty list from no list": [{ fields: { pci_ids: "" } }, { fields: { pci_ids: ABSENT } }],
  "tells versions apart, bugfix included": [{ version: "1.0.0" }, { version: "1.0.1" }],
  "tells items apart": [{ fields: { pci_ids: "1a" } }, { fields: { pci_ids: "2b" } }],
  "tells one item with a comma from two": [{ dynamicValues: { a: "1", b: "2" } }, { dynamicValues: { a: '1","b' } }],
  "tells a field called __proto__ from none": [{ fields: { ["__proto__"]: "1a" } }, {}],
  "tells a declared fact from a read one": [{ source: "declaration" }, { source: "sysfs" }],
  "tells builds apart": [{ build: "b1" }, { build: "b2" }],
  "looks at facts that something reads": [{ facts: { mode: "on" } }, { facts: { mode: "off" } }],
  "tells a fact called evidence from none": [{ facts: { evidence: "on" } }, {}],
};

const RULES = { factNames: new Set(["mode", "evidence"]) };

describe("classKey()", () => {
  for (const [name, [left, right]] of Object.entries(EQUAL)) {
    it(name, () => assert.equal(classKey(profileOf(left), RULES), classKey(profileOf(right), RULES)));
  }
  for (const [name, [left, right]] of Object.entries(DIFFERENT)) {
    it(name, () => assert.notEqual(classKey(profileOf(left), RULES), classKey(profileOf(right), RULES)));
  }
  it("tells a declared fact from a read one where all else is the same", () => {
    const profile = profileOf({ facts: { mode: "on" } });
    const evidence = { ...profile.type.evidence, source: "declaration" } as const;
    const declared = { ...profile, facts: { mode: { kind: "known", value: "on", evidence } } } as const;
    assert.notEqual(classKey(declared), classKey(profile));
  });
  it("looks at every fact where nothing says which are read", () => {
    const [left, right] = [profileOf({ facts: { serial: "1" } }), profileOf({ facts: { serial: "2" } })];
    assert.notEqual(classKey(left), classKey(right));
  });
  it("does not depend on the order in which names were written", () => {
    const [left, right] = [
      { a: "1", b: "2" },
      { b: "2", a: "1" },
    ].map((facts) => profileOf({ facts }));
    assert.equal(classKey(left ?? profileOf({})), classKey(right ?? profileOf({})));
  });
});

const KINDS: Readonly<Record<string, { readonly made: MadeUpProfile; readonly kind: "plain" | "whole" }>> = {
  "takes a known version out": { made: { version: "1.2.3" }, kind: "plain" },
  "leaves an absent version in": { made: { version: ABSENT }, kind: "plain" },
  "takes folded items out": { made: { version: "1.0.0", fields: { pci_ids: "1a,2b" } }, kind: "plain" },
  "judges items in upper case as a whole": { made: { fields: { pci_ids: "1A" } }, kind: "whole" },
  "judges items with 0x as a whole": { made: { fields: { pci_ids: "pci:0x1a" } }, kind: "whole" },
  "judges a number that has another spelling as a whole": { made: { fields: { chpid_type: "9" } }, kind: "whole" },
  "takes a number in its one spelling out": { made: { fields: { chpid_type: "09" } }, kind: "plain" },
  "takes items out that are compared byte by byte": { made: { fields: { modes: "A,0x1a" } }, kind: "plain" },
  "judges an opaque string as a whole": { made: { migrationVersion: "x" }, kind: "whole" },
  "judges an unreadable opaque string as a whole": { made: { migrationVersion: UNREADABLE }, kind: "whole" },
  "judges more than six fields as a whole": {
    made: { fields: Object.fromEntries(["a", "b", "c", "d", "e", "f", "g"].map((name) => [name, "1"])) },
    kind: "whole",
  },
};

describe("splitProfile()", () => {
  for (const [name, { made, kind }] of Object.entries(KINDS)) {
    it(name, () => assert.equal(splitProfile(profileOf(made)).kind, kind));
  }
  it("gives versions and items of one driver the same stem", () => {
    const parts = [
      splitProfile(profileOf({ version: "1.2.3", fields: { z: "9", a: "1,2" } })),
      splitProfile(profileOf({ version: "2.0.0", fields: { a: "", z: "8" } })),
    ];
    assert.deepEqual(parts[0], {
      kind: "plain",
      stem: parts[1]?.stem,
      version: { major: 1, minor: 2, bugfix: 3 },
      fields: [
        { name: "a", items: ["1", "2"] },
        { name: "z", items: ["9"] },
      ],
    });
  });
  it("judges a profile as a whole where something reads all of its version", () => {
    const rules = { readsWholeVersion: () => true };
    assert.equal(splitProfile(profileOf({ version: "1.0.0" }), rules).kind, "whole");
  });
  it("judges AP and CCW ends as a whole", () => {
    const plain = profileOf({});
    assert.equal(splitProfile({ ...plain, apTaken: [] }).kind, "whole");
  });
});
