// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { parsePciAddress } from "@berth/core/device/address";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { PoolOwner } from "@berth/core/device/parent-device";
import { fleetOf } from "@berth/core/inventory/fleet";
import { profileOfDevice } from "@berth/core/inventory/profile";
import type { PlacementAnswer } from "@berth/core/placement/answer";
import { findCandidates } from "@berth/core/placement/find-candidates";
import { STRATEGIES } from "@berth/core/placement/request";
import { testSnapshot, type TestHost, type TestParent, type TestType } from "@berth/core/placement/test-fleet";
import { searchCandidates } from "./candidate-search.ts";
import { explainSearch, type OutcomeCount } from "./explain-search.ts";
import { FleetView } from "./fleet-view.ts";

const DEVICE = "00000000-0000-4000-8000-000000000001";
const SOURCE: TestHost = {
  host: "src",
  parents: [{ id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0", compatible: { x: "1" } }], numaNode: 1 }],
  devices: [{ id: DEVICE, parent: "p", type: "drv-a" }],
};

const OWNERS: readonly (PoolOwner | undefined)[] = [
  undefined,
  { kind: "physical-function", id: parsePciAddress("0000:08:00.0") },
  { kind: "unknown", why: "this test says so" },
];

const type: fc.Arbitrary<TestType> = fc.record(
  {
    id: fc.constantFrom("drv-a", "drv-a", "drv-a", "drv-b", "drv-c", "other-a"),
    available: fc.constantFrom(0, 1, 2, 4, 4, undefined),
    version: fc.constantFrom("1.5.0", "1.5.0", "1.4.0", "1.6.1", "2.0.0"),
    description: fc.constantFrom("framebuffer=1024M, max_instance=4", "framebuffer=2048M, max_instance=2", "prose"),
    compatible: fc.constantFrom({ x: "1" }, { x: "1" }, { x: "1" }, { x: "2" }, {}),
  },
  { requiredKeys: ["id", "available"] },
);

// Ids that sort otherwise before a separator than by themselves.
const PARENT_IDS = ["p", "p-1", "p.2", "p0"];

const parent: fc.Arbitrary<Omit<TestParent, "id">> = fc
  .record({
    types: fc.uniqueArray(type, { maxLength: 4, selector: ({ id }) => id }),
    owner: fc.constantFrom(...OWNERS),
    numaNode: fc.constantFrom(0, 1, undefined),
  })
  .map(({ types, owner, numaNode }) => ({
    types,
    ...(owner === undefined ? {} : { owner }),
    ...(numaNode === undefined ? {} : { numaNode }),
  }));

/** What a host's hypervisor says, and whether its devices show that they can migrate: what the platform verdict needs. */
const platform = fc.record({
  qemu: fc.constantFrom("10.0.0", "10.0.0", "7.2.0", undefined),
  features: fc.constantFrom(true, true, false, undefined),
});

const host = fc.record({
  parents: fc.array(parent, { maxLength: 4 }),
  held: fc.array(fc.record({ parent: fc.nat(3), type: fc.constantFrom("drv-a", "drv-b") }), { maxLength: 4 }),
  platform,
  /** All parents are virtual functions of one device, with the types of the first: they draw on one pool. */
  alike: fc.boolean(),
  /** A device may be made of several units. */
  aggregates: fc.boolean(),
});

type Made = typeof host extends fc.Arbitrary<infer T> ? T : never;

function snapshotOf({ parents, held, platform: shows, alike, aggregates }: Made, index: number): HostSnapshot {
  const name = `h${index}`;
  const owner: PoolOwner = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") };
  const named = parents.map((one, at) => {
    const id = PARENT_IDS[at] ?? "";
    return alike ? { ...one, types: parents[0]?.types ?? [], owner, id } : { ...one, id };
  });
  const devices = held
    .filter((device) => device.parent < parents.length)
    .map((device, at) => ({
      id: `00000000-0000-4000-8000-00000000${index}${at}ff`,
      parent: PARENT_IDS[device.parent] ?? "",
      type: device.type,
    }));
  const snapshot = withPlatform(testSnapshot({ host: name, parents: named, devices }), shows);
  return aggregates ? withAggregation(snapshot) : snapshot;
}

function withAggregation(snapshot: HostSnapshot): HostSnapshot {
  const evidence = { host: snapshot.host, source: "sysfs", path: "/sys" } as const;
  const maxAggregation = known(4, evidence);
  const dynamicResources = known(["aggregator"], evidence);
  const parents = snapshot.parents.map((one) => ({
    ...one,
    types: one.types.map((type) => ({
      ...type,
      maxAggregation,
      attributes: { ...type.attributes, dynamicResources },
    })),
  }));
  return { ...snapshot, parents };
}

function withPlatform(snapshot: HostSnapshot, shows: Made["platform"]): HostSnapshot {
  const evidence = { host: snapshot.host, source: "script", path: "test" } as const;
  const { qemu, features } = shows;
  const able = { stopCopy: features === true, p2p: true, preCopy: true, dirtyTracking: true };
  const versions = { qemu_version: known(qemu ?? "", evidence), libvirt_version: known("11.0.0", evidence) };
  const probed = { vfio_migration_probe: known("stop-copy p2p pre-copy dirty-tracking", evidence) };
  return {
    ...snapshot,
    facts: { ...(qemu === undefined ? {} : versions), ...(features === true ? probed : {}) },
    devices: snapshot.devices.map((device) =>
      features === undefined ? device : { ...device, features: known(able, { ...evidence, source: "debugfs" }) },
    ),
  };
}

const question = fc.record({
  hosts: fc.array(host, { minLength: 3, maxLength: 7 }).map((made) => made.map(snapshotOf)),
  removed: fc.array(host, { maxLength: 2 }).map((made) => made.map(snapshotOf)),
  strategy: fc.constantFrom(...STRATEGIES),
  except: fc.subarray(["h0", "h3"]),
  // Few of many: what is among the best depends on the index alone, their order among themselves does not.
  limit: fc.constantFrom(1, 1, 2, 3, 100),
  units: fc.constantFrom(1, 1, 1, 2),
  assumePlatform: fc.boolean(),
});

type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

function sourceSnapshot({ units }: Question): HostSnapshot {
  const snapshot = withPlatform(testSnapshot(SOURCE), { qemu: "10.0.0", features: true });
  const devices = snapshot.devices.map((device) => ({
    ...device,
    aggregation: known({ count: units, settable: false }, { host: "src", source: "sysfs", path: "/sys" } as const),
  }));
  return { ...snapshot, devices };
}

/** The same fleet as a view, with hosts that came, went and were seen again along the way. */
function viewOf(asked: Question): FleetView {
  const policy = { ...STRICT_POLICY, assumePlatform: asked.assumePlatform };
  const view = new FleetView({ policy, packs: [], epoch: "test" });
  for (const snapshot of asked.removed) view.putSnapshot({ ...snapshot, host: `${snapshot.host}x` });
  for (const [at, snapshot] of asked.removed.entries()) view.putSnapshot({ ...snapshot, host: `h${at}` });
  for (const snapshot of asked.removed) view.removeHost(`${snapshot.host}x`);
  for (const [at] of asked.removed.entries()) if (at >= asked.hosts.length) view.removeHost(`h${at}`);
  for (const snapshot of [...asked.hosts, sourceSnapshot(asked)]) view.putSnapshot(snapshot);
  return view;
}

interface Answers {
  readonly view: FleetView;
  readonly expected: PlacementAnswer;
  readonly found: ReturnType<typeof searchCandidates>;
  readonly counts: readonly OutcomeCount[];
}

function ask(asked: Question): Answers {
  const view = viewOf(asked);
  const source = { host: "src", device: DEVICE };
  const snapshots = [...asked.hosts, sourceSnapshot(asked)];
  const fleet = fleetOf({ snapshots, packs: view.packs, policy: view.policy });
  const profile = profileOfDevice(sourceSnapshot(asked), DEVICE, view.policy);
  assert.ok(profile);
  const { strategy, except, limit } = asked;
  const search = { source: profile, strategy, numaNode: 1, exceptHosts: ["src", ...except], limit };
  return {
    view,
    expected: findCandidates(fleet, { source, strategy, exceptHosts: except }),
    found: searchCandidates(view, search),
    counts: explainSearch(view, search),
  };
}

describe("searchCandidates()", () => {
  it("V1: finds the candidates that an exhaustive search finds, in its order, with its verdicts", () => {
    const paths = new Set<string>();
    fc.assert(
      fc.property(question, (asked) => {
        const { expected, found } = ask(asked);
        paths.add(found.by);
        assert.deepEqual(found.candidates, expected.candidates.slice(0, asked.limit));
      }),
      { numRuns: 300 },
    );
    assert.deepEqual([...paths].toSorted(), ["index", "places"]);
  });

  it("V2: a search limited to some hosts finds what it finds when all others are left out", () => {
    fc.assert(
      fc.property(question, fc.subarray(["h1", "h2", "h4"]), (asked, only) => {
        const view = viewOf(asked);
        const source = profileOfDevice(sourceSnapshot(asked), DEVICE, view.policy);
        assert.ok(source);
        const { strategy, limit } = asked;
        const others = view.hostNames.filter((name) => !only.includes(name));
        assert.deepEqual(
          searchCandidates(view, { source, strategy, limit, exceptHosts: ["src"], onlyHosts: only }).candidates,
          searchCandidates(view, { source, strategy, limit, exceptHosts: others }).candidates,
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe("explainSearch()", () => {
  it("V3: counts every place of every host searched once, under the outcome that it has by itself", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { expected, counts } = ask(asked);
        const sum = (...kinds: readonly string[]): number =>
          counts.filter(({ kind }) => kinds.includes(kind)).reduce((total, { places }) => total + places, 0);
        const refused = (outcome: string): number => expected.refused.filter((one) => one.outcome === outcome).length;
        assert.equal(sum("candidate"), expected.candidates.length);
        assert.equal(sum("not-now"), refused("not-now"));
        assert.equal(sum("unknown", "room-unknown"), refused("unknown"));
        assert.equal(sum("not-as-it-stands"), refused("not-as-it-stands"));
        assert.equal(sum("never"), refused("never"));
        for (const { kind, example, code, why } of counts) {
          const same = expected.refused.find(
            ({ place }) =>
              place.host === example.host && place.parent === example.parent && place.type === example.type,
          );
          if (kind === "candidate") assert.equal(same, undefined);
          else assert.equal(same?.why, why);
          if (kind !== "candidate") assert.ok(same?.codes.includes(code), `${code} not in ${same?.codes.join()}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("V4: counts each host that has a place once", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { expected, counts } = ask(asked);
        const hosts = new Set([...expected.candidates, ...expected.refused].map(({ place }) => place.host));
        assert.equal(
          counts.reduce((total, count) => total + count.hosts, 0),
          hosts.size,
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe("FleetView", () => {
  it("keeps the order of damages when new ones need room between old ones", () => {
    // Without a law a take leaves nothing of the sibling type: every host loses another number of devices.
    const hosts = Array.from({ length: 40 }, (_, at): TestHost => {
      const types = [
        { id: "drv-a", available: 1, version: "1.5.0", compatible: { x: "1" } },
        { id: "drv-b", available: at + 1, version: "1.5.0" },
      ];
      return { host: `h${String((at * 7) % 40).padStart(2, "0")}`, parents: [{ id: "p", types }] };
    });
    const policy = { ...STRICT_POLICY, assumePlatform: true };
    const snapshots = [...hosts, SOURCE].map(testSnapshot);
    const view = new FleetView({ policy, packs: [], epoch: "test" });
    for (const snapshot of snapshots) view.putSnapshot(snapshot);
    const source = { host: "src", device: DEVICE };
    const profile = profileOfDevice(testSnapshot(SOURCE), DEVICE, policy);
    assert.ok(profile);
    const search = { source: profile, strategy: "fragmentation", exceptHosts: ["src"] } as const;
    const expected = findCandidates(fleetOf({ snapshots, packs: [], policy }), { source, strategy: "fragmentation" });
    assert.equal(expected.candidates.length, 40);
    for (let limit = 1; limit <= 40; limit += 3) {
      const { candidates, by } = searchCandidates(view, { ...search, limit });
      assert.equal(by, "index");
      assert.deepEqual(candidates, expected.candidates.slice(0, limit));
    }
  });

  it("V5: an index that was changed answers as one that was made anew", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const changed = viewOf(asked);
        const fresh = viewOf({ ...asked, removed: [] });
        assert.deepEqual(changed.hostNames, fresh.hostNames);
        assert.equal(changed.isExact, fresh.isExact);
        const source = profileOfDevice(sourceSnapshot(asked), DEVICE, changed.policy);
        assert.ok(source);
        const search = { source, strategy: asked.strategy, numaNode: 1, exceptHosts: ["src"], limit: 5 };
        assert.deepEqual(searchCandidates(changed, search), searchCandidates(fresh, search));
        assert.deepEqual(explainSearch(changed, search), explainSearch(fresh, search));
      }),
      { numRuns: 100 },
    );
  });
});
