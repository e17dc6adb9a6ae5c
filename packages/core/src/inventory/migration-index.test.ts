// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_MEMORY } from "../compatibility/pair.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { bitsetOf } from "./bitset.ts";
import { explainElsewhere } from "./explain-elsewhere.ts";
import { findBest, type BestQuery } from "./find-best.ts";
import { classRulesOf, judgeBy, type Judge } from "./judgement.ts";
import { profileOf, type MadeUpProfile } from "./made-up-profile.ts";
import {
  addClass,
  addPlace,
  changePlace,
  compileSource,
  createMigrationIndex,
  hostNumber,
  placeAt,
  removePlace,
  replaceJudge,
  type MigrationIndex,
} from "./migration-index.ts";

const realJudge = judgeBy({ policy: STRICT_POLICY, packs: [], memory: NO_MEMORY });
const PLAIN = { version: "1.1.0", fields: { pci_ids: "1a,2b" } } as const;

interface Row {
  readonly at: string;
  readonly free?: number;
  readonly made?: MadeUpProfile;
  readonly score?: number;
  readonly numaNode?: number;
}

/** An index of places written `host/name`; room 1 and the plain profile where nothing else is said. */
function indexOf(rows: readonly Row[], judge: Judge = realJudge): MigrationIndex {
  const index = createMigrationIndex({ judge, rules: classRulesOf([]) });
  for (const row of rows) addRow(index, row);
  return index;
}

function addRow(index: MigrationIndex, { at, free = 1, made = PLAIN, score = 0, numaNode }: Row): number {
  const [host = "", name = ""] = at.split("/");
  const member = { profile: profileOf({ ...made, host }), ...(numaNode === undefined ? {} : { numaNode }) };
  return addPlace(index, { host, name, class: addClass(index, member), room: { atLeast: free, atMost: free }, score });
}

function ask(index: MigrationIndex, query: Partial<BestQuery> = {}, made: MadeUpProfile = PLAIN): readonly string[] {
  const source = compileSource(index, profileOf({ ...made, kind: "device" }));
  const best = findBest(index, { source, atLeastFree: 1, limit: 10, order: "pack", ...query });
  return best.map((id) => `${placeAt(index, id).host}/${placeAt(index, id).name}`);
}

const ROWS: readonly Row[] = [
  { at: "b/1", free: 2 },
  { at: "a/2", free: 2, score: 5 },
  { at: "c/1", free: 1, score: 9 },
  { at: "a/1", free: 2 },
  { at: "d/1", free: 0 },
  { at: "e/1", free: Number.POSITIVE_INFINITY, numaNode: 1 },
];

const QUERIES: Readonly<Record<string, { readonly query: Partial<BestQuery>; readonly best: readonly string[] }>> = {
  "puts the fullest first, then the lowest score, then host and name": {
    query: { order: "pack" },
    best: ["c/1", "a/1", "b/1", "a/2", "e/1"],
  },
  "puts the emptiest first": { query: { order: "spread" }, best: ["e/1", "a/1", "b/1", "a/2", "c/1"] },
  "puts the lowest score first, then the fullest": {
    query: { order: "score" },
    best: ["a/1", "b/1", "e/1", "a/2", "c/1"],
  },
  "puts the wanted NUMA node first, then unknown ones": {
    query: { nearNumaNode: 1 },
    best: ["e/1", "c/1", "a/1", "b/1", "a/2"],
  },
  "puts other NUMA nodes after unknown ones": {
    query: { nearNumaNode: 0, order: "spread" },
    best: ["a/1", "b/1", "a/2", "c/1", "e/1"],
  },
  "takes no more than the limit": { query: { limit: 2 }, best: ["c/1", "a/1"] },
  "answers nothing for a limit of 0": { query: { limit: 0 }, best: [] },
  "leaves a host out": { query: { exceptHost: "c" }, best: ["a/1", "b/1", "a/2", "e/1"] },
  "knows no host of another name": { query: { exceptHost: "__proto__", limit: 1 }, best: ["c/1"] },
  "asks for room": { query: { atLeastFree: 2 }, best: ["a/1", "b/1", "a/2", "e/1"] },
  "finds unlimited room for any request": { query: { atLeastFree: 1e12 }, best: ["e/1"] },
  "finds places without room where none is asked for": { query: { atLeastFree: 0, limit: 1 }, best: ["d/1"] },
};

describe("findBest()", () => {
  for (const [name, { query, best }] of Object.entries(QUERIES)) {
    it(name, () => assert.deepEqual(ask(indexOf(ROWS), query), best));
  }

  it("gives the same answer whatever order the places came in", () => {
    const expected = ask(indexOf(ROWS), { limit: 100 });
    for (let turn = 1; turn < ROWS.length; turn += 1) {
      const turned = [...ROWS.slice(turn), ...ROWS.slice(0, turn)].toReversed();
      assert.deepEqual(ask(indexOf(turned), { limit: 100 }), expected);
    }
  });

  it("leaves out sets of hosts, and classes that are not asked for", () => {
    const index = indexOf([...ROWS, { at: "f/1", made: { ...PLAIN, version: "1.2.0" } }]);
    const exceptHosts = bitsetOf([hostNumber(index, "a") ?? -1, hostNumber(index, "c") ?? -1]);
    assert.deepEqual(ask(index, { exceptHosts }), ["f/1", "b/1", "e/1"]);
    const newer = addClass(index, { profile: profileOf({ ...PLAIN, version: "1.2.0" }) });
    assert.deepEqual(ask(index, { onlyClasses: bitsetOf([newer]) }), ["f/1"]);
  });

  it("puts a surer yes before every other order", () => {
    const judge: Judge = (_, { attributes: { softwareVersion: version } }) => ({
      kind: "compatible",
      grade: version.kind === "known" && version.value.minor === 1 ? 1 : 0,
    });
    const rows = [{ at: "a/1" }, { at: "b/1", free: 9, made: { ...PLAIN, version: "1.2.0" } }];
    assert.deepEqual(ask(indexOf(rows, judge)), ["b/1", "a/1"]);
  });

  it("puts a surer yes on another NUMA node before a less sure one on the wanted node", () => {
    const judge: Judge = (_, { attributes: { softwareVersion: version } }) => ({
      kind: "compatible",
      grade: version.kind === "known" && version.value.minor === 1 ? 1 : 0,
    });
    const rows = [
      { at: "a/1", numaNode: 0 },
      { at: "b/1", numaNode: 1, made: { ...PLAIN, version: "1.2.0" } },
    ];
    assert.deepEqual(ask(indexOf(rows, judge), { nearNumaNode: 0 }), ["b/1", "a/1"]);
  });

  it("sees classes and places that arrive after a question", () => {
    const index = indexOf([{ at: "b/1", free: 3 }]);
    assert.deepEqual(ask(index), ["b/1"]);
    addRow(index, { at: "a/1", free: 2, made: { ...PLAIN, version: "1.9.0", fields: { pci_ids: "1a,2b,3c" } } });
    addRow(index, { at: "a/2", free: 2, made: { ...PLAIN, build: "b2" } });
    addRow(index, { at: "0/1", free: 1, made: { ...PLAIN, version: "2.0.0" } });
    addRow(index, { at: "a/3", free: 2, made: { ...PLAIN, fields: { pci_ids: "1A,2b" } } });
    assert.deepEqual(ask(index), ["a/1", "a/2", "a/3", "b/1"]);
  });

  it("finds the same when a type has more distinct items than bits", () => {
    const ids = Array.from({ length: 100 }, (_, at) => `id${at}`);
    const rows = ids.map((id, at): Row => ({ at: `h${at}/1`, made: { ...PLAIN, fields: { pci_ids: id } } }));
    const index = indexOf([...rows, { at: "all/1", made: { ...PLAIN, fields: { pci_ids: ids.join(",") } } }]);
    for (const at of [0, 63, 64, 99]) {
      assert.deepEqual(ask(index, {}, { ...PLAIN, fields: { pci_ids: `id${at}` } }), ["all/1", `h${at}/1`]);
      const source = compileSource(index, profileOf({ ...PLAIN, kind: "device", fields: { pci_ids: `id${at}` } }));
      const counts = explainElsewhere(index, { source, atLeastFree: 1 }).map(({ code, places }) => [code, places]);
      assert.deepEqual(counts, [
        ["", 2],
        ["compatible_field", 99],
      ]);
    }
  });

  for (const [name, query] of Object.entries({
    "refuses a negative room": { atLeastFree: -1 },
    "refuses a room that is no number": { atLeastFree: Number.NaN },
    "refuses a negative limit": { limit: -1 },
    "refuses a broken NUMA node": { nearNumaNode: 0.5 },
  })) {
    it(name, () => assert.throws(() => ask(indexOf(ROWS), query), RangeError));
  }
});

describe("explainElsewhere()", () => {
  const rows: readonly Row[] = [
    ...ROWS,
    { at: "d/2", made: { ...PLAIN, version: "1.0.0" } },
    { at: "e/2", made: { ...PLAIN, version: "2.0.0" } },
    { at: "z/2", made: { ...PLAIN, version: "2.0.0" } },
    { at: "z/1", made: { ...PLAIN, driver: "other" } },
    { at: "y/1", made: { ...PLAIN, version: { not: "absent" } } },
  ];

  function explain(
    index: MigrationIndex,
    query: { atLeastFree?: number; exceptHost?: string } = {},
  ): readonly string[] {
    const source = compileSource(index, profileOf({ ...PLAIN, kind: "device" }));
    return explainElsewhere(index, { source, atLeastFree: 1, ...query }).map(
      ({ kind, code, places, hosts, example }) =>
        `${kind} ${code} ${places} on ${hosts}, ${placeAt(index, example).host}/${placeAt(index, example).name}`,
    );
  }

  it("counts every place, and every host once at its nearest, with the first example", () => {
    assert.deepEqual(explain(indexOf(rows)), [
      "candidate  5 on 4, a/1",
      "not-now no_room 1 on 1, d/1",
      "unknown software_version_one_side 1 on 1, y/1",
      "not-as-it-stands software_version_major 2 on 1, e/2",
      "not-as-it-stands software_version_minor 1 on 0, d/2",
      "never vendor_driver 1 on 0, z/1",
    ]);
  });

  const APART: Readonly<Record<string, readonly [MadeUpProfile, MadeUpProfile]>> = {
    "two devices of another type, of which one could be made anew": [
      { ...PLAIN, kind: "device", type: "drv-t2" },
      { ...PLAIN, kind: "device", type: "drv-t2", fields: { pci_ids: "1a" } },
    ],
    "two places of unknown driver, of which one takes other counts": [
      { ...PLAIN, driver: { not: "absent" } },
      { ...PLAIN, driver: { not: "absent" }, units: 2 },
    ],
    "two places of unknown API, of which one is another version": [
      { ...PLAIN, api: { not: "unreadable" } },
      { ...PLAIN, api: { not: "unreadable" }, version: "2.0.0" },
    ],
  };
  for (const [name, [nearer, farther]] of Object.entries(APART)) {
    it(`tells apart ${name}`, () => {
      const rowsOf = [nearer, farther].map((made, at): Row => ({ at: `h${at}/1`, made }));
      for (const index of [indexOf(rowsOf), indexOf(rowsOf.toReversed())]) {
        const lines = explain(index);
        assert.equal(lines.length, 2);
        assert.match(lines[0] ?? "", /h0\/1$/);
      }
    });
  }

  it("tells apart places that hide whose state they take, where the policy would let them take it", () => {
    const policy = { ...STRICT_POLICY, crossType: true };
    const hiding = { ...PLAIN, type: "drv-t2", compatibleTypes: { not: "unreadable" } } as const;
    const rowsOf = [
      { at: "h0/1", made: hiding },
      { at: "h1/1", made: { ...hiding, version: "2.0.0" } },
    ];
    for (const some of [rowsOf, rowsOf.toReversed()]) {
      const lines = explain(indexOf(some, judgeBy({ policy, packs: [], memory: NO_MEMORY })));
      assert.deepEqual(lines, [
        "unknown compatible_type_unreadable 1 on 1, h0/1",
        "not-as-it-stands software_version_major 1 on 1, h1/1",
      ]);
    }
  });

  it("does not count a host that is left out", () => {
    assert.ok(!explain(indexOf(rows), { exceptHost: "y" }).some((line) => line.startsWith("unknown")));
  });

  it("tells room that is not known from no room", () => {
    const index = indexOf([{ at: "a/1", free: 0 }, { at: "b/1" }]);
    changePlace(index, 1, { room: { atLeast: 0, atMost: 3 } });
    assert.deepEqual(explain(index), ["not-now no_room 1 on 1, a/1", "room-unknown room_unknown 1 on 1, b/1"]);
    assert.deepEqual(explain(index, { atLeastFree: 4 }), ["not-now no_room 2 on 2, a/1"]);
  });

  it("answers nothing for a fleet without places", () => {
    const index = indexOf([{ at: "a/1" }]);
    removePlace(index, 0);
    assert.deepEqual(explain(index), []);
  });
});

describe("MigrationIndex", () => {
  it("gives the number of a removed place to the next one", () => {
    const index = indexOf(ROWS);
    removePlace(index, 2);
    assert.throws(() => placeAt(index, 2), /No place 2/);
    assert.throws(() => removePlace(index, 2), RangeError);
    assert.throws(() => changePlace(index, 2, { room: { atLeast: 1, atMost: 1 } }), RangeError);
    assert.equal(addRow(index, { at: "n/1" }), 2);
    assert.deepEqual(placeAt(index, 2), {
      id: 2,
      class: 0,
      host: "n",
      name: "1",
      room: { atLeast: 1, atMost: 1 },
      score: 0,
    });
  });

  it("keeps a place as it was when a change is refused", () => {
    const index = indexOf([{ at: "a/1", free: 2 }]);
    const wrong = [
      { atLeast: 2, atMost: 1 },
      { atLeast: -1, atMost: 1 },
      { atLeast: 0.5, atMost: 1 },
    ];
    for (const room of wrong) assert.throws(() => changePlace(index, 0, { room }), RangeError);
    assert.throws(() => changePlace(index, 0, { room: { atLeast: 1, atMost: 1 }, score: 65_536 }), RangeError);
    assert.deepEqual(placeAt(index, 0).room, { atLeast: 2, atMost: 2 });
    assert.deepEqual(ask(index), ["a/1"]);
  });

  it("refuses a place of a class that it does not have, and stays as it was", () => {
    const index = indexOf([{ at: "a/1" }]);
    const room = { atLeast: 1, atMost: 1 };
    for (const wrong of [1, -1, 0.5]) {
      assert.throws(() => addPlace(index, { host: "b", name: "1", class: wrong, room }), RangeError);
    }
    assert.throws(() => addPlace(index, { host: "b", name: "1", class: 0, room, score: -1 }), RangeError);
    assert.equal(hostNumber(index, "b"), undefined);
    assert.deepEqual(ask(index), ["a/1"]);
  });

  it("keeps a score that a change does not name", () => {
    const index = indexOf([{ at: "a/1", score: 7 }]);
    changePlace(index, 0, { room: { atLeast: 4, atMost: Number.POSITIVE_INFINITY } });
    assert.deepEqual(placeAt(index, 0), {
      ...placeAt(index, 0),
      room: { atLeast: 4, atMost: Number.POSITIVE_INFINITY },
      score: 7,
    });
  });

  it("puts equal destinations in one class, and another NUMA node in another", () => {
    const index = createMigrationIndex({ judge: realJudge, rules: classRulesOf([]) });
    const classOf = (made: MadeUpProfile, numaNode?: number): number =>
      addClass(index, { profile: profileOf(made), ...(numaNode === undefined ? {} : { numaNode }) });
    const first = classOf({ ...PLAIN, host: "a" });
    assert.equal(classOf({ ...PLAIN, host: "b", fields: { pci_ids: "2b,1a" }, version: "1.1.9" }), first);
    assert.notEqual(classOf(PLAIN, 0), first);
    assert.notEqual(classOf(PLAIN, 0), classOf(PLAIN, 1));
  });

  it("asks a new judge about everything anew", () => {
    const whole = { at: "w/1", made: { ...PLAIN, fields: { pci_ids: "1A,2b" } } };
    const index = indexOf([...ROWS, whole, { at: "z/1", made: { ...PLAIN, driver: "other" } }]);
    const source = compileSource(index, profileOf({ ...PLAIN, kind: "device" }));
    const codes = (): readonly string[] => explainElsewhere(index, { source, atLeastFree: 1 }).map(({ code }) => code);
    assert.equal(ask(index).length, 6);
    assert.deepEqual(codes(), ["", "no_room", "vendor_driver"]);
    replaceJudge(index, () => ({ kind: "never", rule: 1, code: "no" }));
    assert.deepEqual(ask(index), []);
    assert.deepEqual(codes(), ["no"]);
  });

  it("asks its judge once for one pattern, not for every class", () => {
    let asked = 0;
    const counting: Judge = (source, destination) => {
      asked += 1;
      return realJudge(source, destination);
    };
    const rows = Array.from({ length: 50 }, (_, at): Row => ({
      at: `h${at}/1`,
      made: { ...PLAIN, version: `1.${at}.0` },
    }));
    const index = indexOf(rows, counting);
    for (let minor = 0; minor < 50; minor += 1) {
      assert.equal(ask(index, { limit: 99 }, { ...PLAIN, version: `1.${minor}.0` }).length, 50 - minor);
    }
    assert.equal(asked, 2);
  });
});
