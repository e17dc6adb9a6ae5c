// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { DriverPack, LoadedPack } from "../compatibility/packs/pack.ts";
import { NO_MEMORY } from "../compatibility/pair.ts";
import { STRICT_POLICY, type Policy } from "../compatibility/policy.ts";
import { checkMigration } from "../compatibility/check-migration.ts";
import type { Verdict } from "../compatibility/verdict.ts";
import type { MigrationProfile } from "../device/migration-profile.ts";
import { bitsetOf } from "./bitset.ts";
import { classKey } from "./equivalence-class.ts";
import { ELSEWHERE_KINDS, explainElsewhere } from "./explain-elsewhere.ts";
import { PLACE_ORDERS, type PlaceOrder } from "./bucket-search.ts";
import { findBest } from "./find-best.ts";
import { classRulesOf, judgeBy, judgementOf, type JudgeContext } from "./judgement.ts";
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
  type MigrationIndex,
} from "./migration-index.ts";
import type { PlaceId } from "./place-table.ts";

const not = fc.constantFrom({ not: "absent" } as const, { not: "unreadable" } as const);
/** The usual value six times out of seven. */
const often = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ arbitrary: usual, weight: 6 }, { arbitrary: rare, weight: 1 });
const items = fc.subarray(["1a", "2b", "3c"]).map((list) => list.join(","));
const oddItems = fc.constantFrom("1A", "0x1a,2b", "1A,1a");

const madeUp: fc.Arbitrary<MadeUpProfile> = fc.record(
  {
    kind: often(fc.constant("type"), fc.constant("device")),
    parent: fc.constantFrom("0000:08:00.0", "mtty"),
    framework: often(fc.constant("mdev"), fc.constant("vendor-vfio")),
    driver: often(fc.constantFrom("drv", "drv", "other"), not),
    api: often(fc.constant("vfio-pci" as const), fc.oneof(fc.constantFrom("vfio-ap", "vfio-ccw"), not)),
    type: often(fc.constantFrom("drv-t1", "drv-t1", "drv-t2"), not),
    version: often(fc.constantFrom("1.0.0", "1.1.0", "1.1.5", "1.2.0", "2.0.0", "2.1"), not),
    fields: fc.dictionary(fc.constantFrom("pci_ids", "__proto__", "modes"), often(items, fc.oneof(oddItems, not)), {
      maxKeys: 2,
    }),
    compatibleTypes: often(fc.constant({ not: "absent" }), fc.oneof(fc.constant("drv-t1,drv-t2"), not)),
    dynamicResources: often(fc.constant({ not: "absent" }), fc.constant("fps")),
    dynamicValues: often(fc.constant({}), fc.constant({ fps: "30" })),
    migrationVersion: often(fc.constant({ not: "absent" }), fc.oneof(fc.constant("v1"), not)),
    build: often(fc.constantFrom("b1", "b2"), not),
    units: often(fc.constant(1), fc.constant(2)),
    facts: fc.dictionary(fc.constantFrom("mode", "serial", "evidence"), often(fc.constantFrom("on", "off"), not), {
      maxKeys: 1,
    }),
    source: often(fc.constant("interface"), fc.constant("declaration")),
  },
  { requiredKeys: ["version"] },
);

const PARTS: readonly (keyof MadeUpProfile)[] = [
  "kind",
  "framework",
  "driver",
  "api",
  "type",
  "version",
  "fields",
  "build",
  "units",
  "facts",
  "migrationVersion",
  "compatibleTypes",
  "dynamicResources",
];

/** Profiles near one another: a fleet's are alike but for a part or two, or nothing would be compatible with anything. */
const family = fc
  .tuple(madeUp, fc.array(fc.tuple(madeUp, fc.subarray([...PARTS], { maxLength: 2 })), { minLength: 1, maxLength: 8 }))
  .map(([base, others]): readonly MadeUpProfile[] => [
    base,
    ...others.map(([other, parts]) => ({
      ...base,
      ...(other.version === undefined ? {} : { version: other.version }),
      ...Object.fromEntries(parts.flatMap((part) => (other[part] === undefined ? [] : [[part, other[part]]]))),
    })),
  ]);

const rule = { text: "made up", from: "nowhere", tried: "documentation-read" } as const;
const pack: DriverPack = {
  pack: "berth.driver-pack/v1",
  name: "made-up",
  version: "1.0.0",
  title: "Made up",
  match: { driverPrefixes: ["drv"] },
  rules: [{ ...rule, kind: "equal", code: "mode", fact: "mode", when: [{ side: "source", fact: "mode", in: ["on"] }] }],
};
const curious: DriverPack = {
  ...pack,
  name: "curious",
  exactMinor: true,
  rules: [
    {
      ...rule,
      kind: "pair-exception",
      code: "bad",
      fact: "software_version",
      source: ["1.1.5"],
      destination: ["1.1.0"],
    },
  ],
};
const loaded = (one: DriverPack): LoadedPack => ({ pack: one, digest: "sha256:0" });

const context: fc.Arbitrary<JudgeContext> = fc.record({
  policy: fc
    .record({ crossType: fc.boolean(), hybrid: fc.boolean() })
    .map((some): Policy => ({ ...STRICT_POLICY, ...some })),
  packs: fc.constantFrom([], [loaded(pack)], [loaded(curious)], [loaded({ ...pack, exactMinor: true })]),
  memory: fc.constant(NO_MEMORY),
});

/** A place as the exhaustive search sees it. */
interface Kept {
  readonly id: PlaceId;
  readonly host: string;
  readonly name: string;
  readonly profile: MigrationProfile;
  readonly numaNode: number | undefined;
  room: { atLeast: number; atMost: number };
  score: number;
}

const room = fc
  .tuple(fc.integer({ min: 0, max: 3 }), often(fc.constant(0), fc.constantFrom(1, Number.POSITIVE_INFINITY)))
  .map(([atLeast, more]) => ({ atLeast, atMost: atLeast + more }));
const step = fc.record({
  act: fc.constantFrom("add", "add", "add", "remove", "change"),
  host: fc.integer({ min: 0, max: 9 }),
  profile: fc.nat(),
  numaNode: often(fc.constant(undefined), fc.constantFrom(0, 1)),
  room,
  score: fc.constantFrom(0, 0, 1, 65535),
  which: fc.nat(),
});
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

const query = fc.record({
  source: fc.nat(),
  atLeastFree: fc.integer({ min: 0, max: 4 }),
  limit: fc.constantFrom(0, 1, 2, 3, 10, Number.POSITIVE_INFINITY),
  order: fc.constantFrom(...PLACE_ORDERS),
  nearNumaNode: fc.constantFrom(undefined, 0, 1),
  exceptHost: fc.constantFrom(undefined, "host-3", "host-10", "nobody"),
  exceptHosts: fc.constantFrom(undefined, ["host-5"], ["host-1", "host-8"]),
});
type Query = typeof query extends fc.Arbitrary<infer One> ? One : never;

function carryOut(
  index: MigrationIndex,
  kept: Kept[],
  { profiles, step, at }: { profiles: readonly MigrationProfile[]; step: Step; at: number },
): void {
  const which = kept.length === 0 ? undefined : kept[step.which % kept.length];
  if (step.act === "add") {
    const profile = profiles[step.profile % profiles.length]!;
    const numa = step.numaNode === undefined ? {} : { numaNode: step.numaNode };
    const place = {
      host: `host-${step.host}`,
      name: `${(at * 7) % 10}-${at}`,
      room: step.room,
      score: step.score,
    };
    const id = addPlace(index, { ...place, class: addClass(index, { profile, ...numa }) });
    kept.push({ ...place, id, profile, numaNode: step.numaNode });
  } else if (which !== undefined && step.act === "remove") {
    removePlace(index, which.id);
    kept.splice(kept.indexOf(which), 1);
  } else if (which !== undefined) {
    changePlace(index, which.id, { room: step.room, score: step.score });
    Object.assign(which, { room: step.room, score: step.score });
  }
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function orderOf(order: PlaceOrder, { room: { atLeast }, score }: Kept): readonly number[] {
  if (order === "pack") return [atLeast, score];
  return order === "spread" ? [-atLeast, score] : [score, atLeast];
}

function isLeftOut(query: Query, host: string): boolean {
  return host === query.exceptHost || (query.exceptHosts ?? []).some((one) => one === host);
}

/** Every place, one by one, by the real check: what the index must agree with. */
function searchExhaustively(
  kept: readonly Kept[],
  asked: { source: MigrationProfile; context: JudgeContext; query: Query },
): readonly PlaceId[] {
  const { source, query } = asked;
  return kept
    .flatMap((place) => {
      const judgement = judgementOf(checkMigration({ source, destination: place.profile, ...asked.context }));
      if (judgement.kind !== "compatible" || place.room.atLeast < query.atLeastFree) return [];
      if (isLeftOut(query, place.host)) return [];
      const near = query.nearNumaNode;
      const zone = near === undefined || near === place.numaNode ? 0 : place.numaNode === undefined ? 1 : 2;
      return [{ place, key: [judgement.grade, zone, ...orderOf(query.order, place)] }];
    })
    .toSorted((a, b) => {
      const at = a.key.findIndex((part, index) => part !== b.key[index]);
      if (at >= 0) return a.key[at]! - b.key[at]!;
      return text(a.place.host, b.place.host) || text(a.place.name, b.place.name) || a.place.id - b.place.id;
    })
    .slice(0, query.limit)
    .map(({ place }) => place.id);
}

function countExhaustively(
  kept: readonly Kept[],
  asked: { source: MigrationProfile; context: JudgeContext; query: Query },
): unknown {
  const { source, query } = asked;
  const rows = kept
    .filter((place) => !isLeftOut(query, place.host))
    .map((place) => {
      const judgement = judgementOf(checkMigration({ source, destination: place.profile, ...asked.context }));
      if (judgement.kind !== "compatible") return { place, ...judgement };
      if (place.room.atLeast >= query.atLeastFree) return { place, kind: "candidate" as const, rule: 0, code: "" };
      if (place.room.atMost < query.atLeastFree) return { place, kind: "not-now" as const, rule: 0, code: "no_room" };
      return { place, kind: "room-unknown" as const, rule: 0, code: "room_unknown" };
    })
    .toSorted(
      (a, b) =>
        ELSEWHERE_KINDS.indexOf(a.kind) - ELSEWHERE_KINDS.indexOf(b.kind) ||
        b.rule - a.rule ||
        text(a.code, b.code) ||
        text(a.place.host, b.place.host) ||
        text(a.place.name, b.place.name),
    );
  const sameOutcome = Object.groupBy(rows, ({ kind, rule, code }) => JSON.stringify([kind, rule, code]));
  const nearest = new Map<string, string>();
  for (const row of rows) {
    const key = JSON.stringify([row.kind, row.rule, row.code]);
    if (!nearest.has(row.place.host)) nearest.set(row.place.host, key);
  }
  return Object.entries(sameOutcome).map(([key, group]) => ({
    kind: group![0]!.kind,
    code: group![0]!.code,
    places: group!.length,
    hosts: [...nearest.values()].filter((one) => one === key).length,
    example: group![0]!.place.id,
  }));
}

describe("MigrationIndex", () => {
  it("P3: findBest and explainElsewhere = exhaustive search, after any adds, removes and changes", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.record({
          family,
          context,
          steps: fc.array(step, { minLength: 5, maxLength: 40 }),
          queries: fc.array(query, { minLength: 1, maxLength: 6 }),
        }),
        ({ family: made, context: judged, steps, queries }) => {
          const profiles = made.map((one, at) => profileOf({ ...one, host: `p${at}` }));
          const index = createMigrationIndex({ judge: judgeBy(judged), rules: classRulesOf(judged.packs) });
          const kept: Kept[] = [];
          for (const [at, one] of steps.entries()) {
            carryOut(index, kept, { profiles, step: one, at });
            const asked = queries[at % queries.length]!;
            if (at % 3 !== 2 && at < steps.length - queries.length) continue;
            const source = { ...profiles[asked.source % profiles.length]! };
            found += compare(index, kept, { source, context: judged, query: asked });
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(found > 100, `only ${found} places were found in all`);
  });

  it("P3a: two destinations with equal class keys get equal verdicts, evidence apart", () => {
    let equal = 0;
    fc.assert(
      fc.property(family, family, context, ([first, ...others], sources, judged) => {
        const rules = classRulesOf(judged.packs);
        const left = profileOf({ ...first, host: "left" });
        for (const other of [first, ...others]) {
          const moved = { ...other, host: "right", facts: { ...other?.facts, serial: "7" } };
          const right = profileOf(moved);
          if (classKey(left, rules) !== classKey(right, rules)) continue;
          equal += 1;
          for (const source of sources.map((one) => profileOf({ ...one, kind: "device" }))) {
            const ask = (destination: MigrationProfile): unknown =>
              withoutEvidence(checkMigration({ source, destination, ...judged }));
            assert.deepEqual(ask(right), ask(left));
          }
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(equal > 100, `only ${equal} pairs had equal keys`);
  });
});

function compare(
  index: MigrationIndex,
  kept: readonly Kept[],
  asked: { source: MigrationProfile; context: JudgeContext; query: Query },
): number {
  const {
    query: { source: _, exceptHosts, exceptHost, nearNumaNode, ...rest },
  } = asked;
  const numbers = (exceptHosts ?? []).flatMap((host) => hostNumber(index, host) ?? []);
  const query = {
    ...rest,
    source: compileSource(index, asked.source),
    ...(exceptHost === undefined ? {} : { exceptHost }),
    ...(nearNumaNode === undefined ? {} : { nearNumaNode }),
    ...(exceptHosts === undefined ? {} : { exceptHosts: bitsetOf(numbers) }),
  };
  const best = findBest(index, query);
  assert.deepEqual([...best], searchExhaustively(kept, asked));
  assert.deepEqual(explainElsewhere(index, query), countExhaustively(kept, asked));
  for (const place of kept) assert.equal(placeAt(index, place.id).host, place.host);
  return best.length;
}

function withoutEvidence(verdict: Verdict): unknown {
  return JSON.parse(JSON.stringify(verdict, (key, value: unknown) => (key === "evidence" ? undefined : value)));
}
