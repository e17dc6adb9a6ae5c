// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Pool } from "../capacity/pool.ts";
import { take } from "../capacity/take.ts";
import type { LoadedPack } from "../compatibility/packs/pack.ts";
import { parsePciAddress } from "../device/address.ts";
import type { Fleet } from "../inventory/fleet.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import type { Judged } from "./answer.ts";
import { findCandidates } from "./find-candidates.ts";
import { findVmCandidates } from "./find-vm-candidates.ts";
import { judgePlace, refusalOf } from "./judge.ts";
import type { Need } from "./pair-devices.ts";
import { STRATEGIES, type Strategy } from "./request.ts";
import { testFleet, type TestHost, type TestParent } from "./test-fleet.ts";
import type { VmPlacementAnswer } from "./vm-answer.ts";
import { compareKeys, rankKeyOf, type Seat } from "./vm-key.ts";

const DEVICES = ["1", "2", "3"].map((last) => `00000000-0000-4000-8000-00000000000${last}`) as [string, string, string];
const GPU = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
const PLACEMENTS = { "drv-a": { length: 1, starts: [0, 1, 2, 3] }, "drv-b": { length: 2, starts: [0, 2] } };

/** Placement slots, which a pack cannot state by itself: where devices sit comes from a file of its own. */
const SLOTS = {
  owner: "physical-function-or-parent" as const,
  law: "slots" as const,
  totals: { slots: 4 },
  placements: PLACEMENTS,
};

/** What a pack says of the pools: nothing, one budget that both types draw on, or placement slots. */
const STATEMENTS: readonly LoadedPack["pack"]["pool"][] = [
  undefined,
  {
    owner: "physical-function-or-parent",
    law: "counters",
    totals: { unit: 4 },
    consumption: { "drv-a": { unit: 1 }, "drv-b": { unit: 2 } },
    perVirtualFunction: 1,
  },
  SLOTS,
  { ...SLOTS, perVirtualFunction: 1 },
];

function packOf(pool: LoadedPack["pack"]["pool"]): LoadedPack {
  return {
    digest: "sha256:test",
    pack: {
      pack: "berth.driver-pack/v1",
      name: "drv",
      version: "1.0.0",
      title: "the test driver",
      match: { driverPrefixes: ["drv"] },
      rules: [],
      ...(pool === undefined ? {} : { pool }),
    },
  };
}

const parent: fc.Arbitrary<Omit<TestParent, "id">> = fc
  .record({
    a: fc.constantFrom(0, 1, 2, 4, 4),
    b: fc.constantFrom(undefined, 0, 1, 2, 2),
    version: fc.constantFrom("1.5.0", "1.5.0", "1.6.0", "1.4.0"),
    isFunction: fc.boolean(),
    numaNode: fc.constantFrom(0, 1, undefined),
  })
  .map(({ a, b, version, isFunction, numaNode }) => ({
    types: [
      { id: "drv-a", available: a, version },
      ...(b === undefined ? [] : [{ id: "drv-b", available: b, version }]),
    ],
    ...(isFunction ? { owner: GPU } : {}),
    ...(numaNode === undefined ? {} : { numaNode }),
  }));

const question = fc.record({
  parents: fc.array(parent, { minLength: 1, maxLength: 4 }),
  held: fc.array(fc.record({ parent: fc.nat(3), type: fc.constantFrom("drv-a", "drv-b") }), { maxLength: 2 }),
  devices: fc.array(fc.constantFrom("drv-a", "drv-a", "drv-b"), { minLength: 1, maxLength: 3 }),
  pool: fc.constantFrom(...STATEMENTS),
  strategy: fc.constantFrom(...STRATEGIES),
});

type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

function fleetOfQuestion({ parents, held, devices, pool }: Question): Fleet {
  const source: TestHost = {
    host: "src",
    parents: [
      { id: "p", numaNode: 1, types: ["drv-a", "drv-b"].map((id) => ({ id, available: 1, version: "1.5.0" })) },
    ],
    devices: devices.map((type, index) => ({ id: DEVICES[index] ?? "", parent: "p", type })),
  };
  const destination: TestHost = {
    host: "dst",
    parents: parents.map((one, index) => ({ ...one, id: `p${index}` })),
    devices: held
      .filter((device) => device.parent < parents.length)
      .map((device, index) => ({
        id: `00000000-0000-4000-8000-0000000000f${index}`,
        parent: `p${device.parent}`,
        type: device.type,
      })),
  };
  return testFleet([source, destination], { packs: [packOf(pool)] });
}

function ask(fleet: Fleet, { devices, strategy }: Question): VmPlacementAnswer {
  const [first, ...others] = DEVICES.slice(0, devices.length);
  assert.ok(first !== undefined);
  return findVmCandidates(fleet, { host: "src", devices: [first, ...others], strategy });
}

/** Every free place of the destination for every device: what the search starts from, found by itself. */
function needsOf(fleet: Fleet, devices: readonly string[]): readonly Need[] {
  const [destination, source] = fleet.hosts;
  assert.ok(source !== undefined && destination !== undefined);
  return devices.map((_, index) => {
    const profile = profileOfDevice(source.snapshot, DEVICES[index] ?? "", fleet.policy);
    assert.ok(profile !== undefined);
    const several = devices.length > 1 ? { isOneOfSeveral: true as const } : {};
    const places = destination.places
      .map((place) => judgePlace({ source: profile, fleet, ...several }, place))
      .filter((judged) => refusalOf(judged) === undefined);
    return { source: profile, places, numaNode: 1 };
  });
}

/** Best key over all assignments, each device to each place and slot, nothing left out; undefined where there is none. */
function tryEverything(needs: readonly Need[], strategy: Strategy): readonly number[] | undefined {
  let best: readonly number[] | undefined;
  const seat = (seats: readonly Seat[], pools: ReadonlyMap<Pool, Pool>): void => {
    const need = needs[seats.length];
    if (need === undefined) {
      const { key } = rankKeyOf(seats, pools, strategy);
      if (best === undefined || compareKeys(key, best) < 0) best = key;
      return;
    }
    for (const judged of need.places) {
      for (const slot of [undefined, 0, 1, 2, 3]) {
        const after = takeAt(judged, pools, { id: String(seats.length), slot });
        if (after !== undefined) seat([...seats, { need, judged }], after);
      }
    }
  };
  seat([], new Map());
  return best;
}

function takeAt(
  { place }: Judged,
  pools: ReadonlyMap<Pool, Pool>,
  { id, slot }: { readonly id: string; readonly slot: number | undefined },
): ReadonlyMap<Pool, Pool> | undefined {
  if (place.pool === undefined || (slot !== undefined && place.pool.law.kind !== "slots")) return undefined;
  const { parent, type } = place;
  const wanted = { id, parent, type, count: 1, ...(slot === undefined ? {} : { slot }) };
  const taken = take(pools.get(place.pool) ?? place.pool, wanted);
  return taken.kind === "taken" ? new Map([...pools, [place.pool, taken.pool]]) : undefined;
}

/** The key of a candidate, computed again from its places and slots. */
function keyOf(answer: VmPlacementAnswer, needs: readonly Need[], strategy: Strategy): readonly number[] {
  const [candidate] = answer.candidates;
  assert.ok(candidate !== undefined);
  let pools: ReadonlyMap<Pool, Pool> = new Map();
  const seats = candidate.assignments.map(({ judged, slot }, index) => {
    const need = needs[index];
    const place = need?.places.find(
      (one) => one.place.parent === judged.place.parent && one.place.type === judged.place.type,
    );
    assert.ok(need !== undefined && place !== undefined, "a place is free for its device");
    const after = takeAt(place, pools, { id: String(index), slot });
    assert.ok(after !== undefined, "every device finds room after those before it");
    pools = after;
    return { need, judged: place };
  });
  return rankKeyOf(seats, pools, strategy).key;
}

describe("findVmCandidates(), over random hosts", () => {
  it("V1: agrees with trying every assignment: a host is a candidate if and only if one exists, and none is better", () => {
    let paired = 0;
    let refused = 0;
    fc.assert(
      fc.property(question, (given) => {
        const fleet = fleetOfQuestion(given);
        const answer = ask(fleet, given);
        const needs = needsOf(fleet, given.devices);
        const best = tryEverything(needs, given.strategy);
        assert.equal(answer.candidates.length, best === undefined ? 0 : 1);
        assert.equal(answer.elsewhere.length, best === undefined ? 1 : 0);
        if (best === undefined) refused += 1;
        else {
          paired += 1;
          assert.equal(answer.candidates[0]?.isBest, true);
          assert.deepEqual(keyOf(answer, needs, given.strategy), best);
        }
      }),
      { numRuns: 250 },
    );
    assert.ok(paired > 25 && refused > 25, `${paired} paired, ${refused} refused: both happen`);
  });

  it("V2: a VM of one device goes where the device goes, in the same order of hosts", () => {
    fc.assert(
      fc.property(fc.array(question, { minLength: 1, maxLength: 4 }), (given) => {
        const [first] = given;
        assert.ok(first !== undefined);
        const hosts = given.map(({ parents }, index) => ({
          host: `h${index}`,
          parents: parents.map((one, at) => ({ ...one, id: `p${at}` })),
        }));
        const source: TestHost = {
          host: "src",
          parents: [{ id: "p", numaNode: 1, types: [{ id: "drv-a", available: 1, version: "1.5.0" }] }],
          devices: [{ id: DEVICES[0], parent: "p", type: "drv-a" }],
        };
        const { strategy } = first;
        const fleet = testFleet([source, ...hosts], { packs: [packOf(first.pool)] });
        const one = findCandidates(fleet, { source: { host: "src", device: DEVICES[0] }, strategy });
        const vm = findVmCandidates(fleet, { host: "src", devices: [DEVICES[0]], strategy });
        const order = [...new Set(one.candidates.map(({ place }) => place.host))];
        assert.deepEqual(
          vm.candidates.map(({ host }) => host),
          order,
        );
      }),
      { numRuns: 150 },
    );
  });
});
