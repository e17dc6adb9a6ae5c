// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parsePciAddress } from "../device/address.ts";
import type { PoolOwner } from "../device/parent-device.ts";
import { findCandidates } from "./find-candidates.ts";
import type { Judged, PlacementAnswer } from "./answer.ts";
import { STRATEGIES, type PlacementRequest } from "./request.ts";
import { testFleet, type TestHost, type TestParent, type TestType } from "./test-fleet.ts";

const DEVICE = "00000000-0000-4000-8000-000000000001";
const SOURCE: TestHost = {
  host: "src",
  parents: [
    { id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0", compatible: { x: "1" } }], numaNode: 1 },
    { id: "bare", types: [] },
  ],
  devices: [{ id: DEVICE, parent: "p", type: "drv-a" }],
};

const OWNERS: readonly (PoolOwner | undefined)[] = [
  undefined,
  { kind: "physical-function", id: parsePciAddress("0000:08:00.0") },
  { kind: "gpu-instance", id: parsePciAddress("0000:08:00.0"), instance: 1 },
  { kind: "unknown", why: "this test says so" },
];

const type: fc.Arbitrary<TestType> = fc.record(
  {
    id: fc.constantFrom("drv-a", "drv-a", "drv-b", "other-a"),
    available: fc.constantFrom(0, 1, 2, 4, undefined),
    version: fc.constantFrom("1.5.0", "1.4.0", "1.6.1", "2.0.0"),
    description: fc.constantFrom("framebuffer=1024M, max_instance=4", "framebuffer=2048M, max_instance=2", "prose"),
    compatible: fc.constantFrom({ x: "1" }, { x: "1" }, { x: "2" }, {}),
  },
  { requiredKeys: ["id", "available"] },
);

const parent: fc.Arbitrary<Omit<TestParent, "id">> = fc
  .record({
    types: fc.uniqueArray(type, { maxLength: 3, selector: ({ id }) => id }),
    owner: fc.constantFrom(...OWNERS),
    numaNode: fc.constantFrom(0, 1, undefined),
  })
  .map(({ types, owner, numaNode }) => ({
    types,
    ...(owner === undefined ? {} : { owner }),
    ...(numaNode === undefined ? {} : { numaNode }),
  }));

const host = fc.record({
  parents: fc.array(parent, { maxLength: 4 }),
  held: fc.array(fc.record({ parent: fc.nat(3), type: fc.constantFrom("drv-a", "drv-b") }), { maxLength: 4 }),
});

const hosts: fc.Arbitrary<readonly TestHost[]> = fc.array(host, { maxLength: 5 }).map((made) =>
  made.map(({ parents, held }, index) => ({
    host: `h${index}`,
    parents: parents.map((one, at) => ({ ...one, id: `p${at}` })),
    devices: held
      .filter((device) => device.parent < parents.length)
      .map((device, at) => ({
        id: `00000000-0000-4000-8000-0000000${index}${at}fff`.slice(0, 36),
        parent: `p${device.parent}`,
        type: device.type,
      })),
  })),
);

const question = fc.record({
  hosts,
  strategy: fc.constantFrom(...STRATEGIES),
  except: fc.subarray(["h0", "h3"]),
});

interface Asked {
  readonly answer: PlacementAnswer;
  readonly searched: readonly TestHost[];
  readonly request: PlacementRequest;
}

function ask({ hosts: given, strategy, except }: typeof question extends fc.Arbitrary<infer T> ? T : never): Asked {
  const request = { source: { host: "src", device: DEVICE }, strategy, exceptHosts: except };
  return {
    answer: findCandidates(testFleet([SOURCE, ...given]), request),
    searched: given.filter((one) => !except.includes(one.host)),
    request,
  };
}

function keyOf({ place }: Pick<Judged, "place">): string {
  return `${place.host} ${place.parent}`;
}

function placeOf({ place }: Pick<Judged, "place">): string {
  return `${place.host} ${place.parent} ${place.type}`;
}

describe("findCandidates(), over random fleets", () => {
  it("P1: every parent that was searched has a candidate, or is elsewhere once, or is named as empty", () => {
    fc.assert(
      fc.property(question, (given) => {
        const { answer, searched } = ask(given);
        const served = new Set(answer.candidates.map(keyOf));
        const empty = new Set(answer.emptyHosts.map((one) => one.host));
        const told = [
          ...served,
          ...answer.elsewhere.map(keyOf),
          ...answer.emptyParents.map((one) => `${one.host} ${one.parent}`),
          ...searched
            .filter((one) => empty.has(one.host))
            .flatMap((one) => one.parents.map(({ id }) => `${one.host} ${id}`)),
        ];
        const all = searched.flatMap((one) => one.parents.map(({ id }) => `${one.host} ${id}`));
        assert.deepEqual(told.toSorted(), all.toSorted());
        for (const one of searched) {
          assert.equal(
            empty.has(one.host),
            one.parents.every(({ types }) => types.length === 0),
            one.host,
          );
        }
        assert.deepEqual(answer.excludedHosts, ["src", ...given.except].toSorted());
      }),
    );
  });

  it("P2: every place is a candidate or refused, and never both", () => {
    fc.assert(
      fc.property(question, (given) => {
        const { answer, searched } = ask(given);
        const all = searched.flatMap((one) =>
          one.parents.flatMap(({ id, types }) => types.map((offered) => `${one.host} ${id} ${offered.id}`)),
        );
        const told = [...answer.candidates, ...answer.refused].map(placeOf);
        assert.deepEqual(told.toSorted(), all.toSorted());
      }),
    );
  });

  it("P3: the counts add up to what is elsewhere, parent by parent and host by host", () => {
    fc.assert(
      fc.property(question, (given) => {
        const { elsewhere, counts } = ask(given).answer;
        const told = counts.flatMap(({ outcome, code, parents, hosts: on }) => [
          `${outcome} ${code} ${parents} ${on.join()}`,
        ]);
        const groups = Map.groupBy(elsewhere, ({ outcome, codes }) => `${outcome} ${codes[0]}`);
        const wanted = [...groups].map(([key, group]) => {
          const on = [...new Set(group.map(({ place }) => place.host))].toSorted();
          return `${key} ${group.length} ${on.join()}`;
        });
        assert.deepEqual(told.toSorted(), wanted.toSorted());
      }),
    );
  });

  it("P4: the order of the hosts given changes nothing", () => {
    fc.assert(
      fc.property(question, (given) => {
        const reversed = ask({ ...given, hosts: given.hosts.toReversed() }).answer;
        assert.deepEqual(reversed, ask(given).answer);
      }),
      { numRuns: 50 },
    );
  });

  it("P5: candidates are compatible and have room, ranked from 1; refused places lack one of these and say why", () => {
    fc.assert(
      fc.property(question, (given) => {
        const { candidates, refused } = ask(given).answer;
        for (const [index, { rank, room, verdict, platform }] of candidates.entries()) {
          assert.equal(rank, index + 1);
          assert.ok(room.atLeast >= 1 && verdict.kind === "compatible" && platform.kind !== "incompatible");
        }
        for (const { room, verdict, platform, why, codes } of refused) {
          assert.ok(room.atLeast < 1 || verdict.kind !== "compatible" || platform.kind === "incompatible");
          assert.ok(why !== "" && codes.length > 0);
        }
      }),
    );
  });

  it("P6: an upgrade that is offered as a remedy makes as many places as it promises", () => {
    fc.assert(
      fc.property(question, (given) => {
        const { answer, request } = ask(given);
        for (const { refused, remedies, opens } of answer.nearMisses) {
          const [remedy] = remedies;
          if (remedies.length > 1 || remedy?.kind !== "upgrade-driver") continue;
          const { place } = refused;
          const mended = given.hosts.map((one) => (one.host === place.host ? upgrade(one, remedy.atLeast) : one));
          const after = findCandidates(testFleet([SOURCE, ...mended]), request);
          const before = new Set(answer.candidates.map(placeOf));
          const opened = after.candidates.filter((one) => one.place.host === place.host && !before.has(placeOf(one)));
          assert.ok(
            opened.some((one) => placeOf(one) === placeOf(refused)),
            placeOf(refused),
          );
          const rooms = opened.reduce((sum, { room }) => sum + room.atLeast, 0);
          assert.ok(rooms >= opens, `${rooms} < ${opens}`);
        }
      }),
      { numRuns: 200 },
    );
  });
});

function upgrade(old: TestHost, version: string): TestHost {
  const parents = old.parents.map((one) => ({
    ...one,
    types: one.types.map((offered) =>
      offered.version !== undefined && offered.version < version ? { ...offered, version } : offered,
    ),
  }));
  return { ...old, parents };
}
