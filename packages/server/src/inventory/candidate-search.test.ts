// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { parsePciAddress } from "@berth/core/device/address";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetOf } from "@berth/core/inventory/fleet";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { findCandidates } from "@berth/core/placement/find-candidates";
import type { Strategy } from "@berth/core/placement/request";
import { testSnapshot, type TestParent } from "@berth/core/placement/test-fleet";
import { searchCandidates } from "./candidate-search.ts";
import { explainSearch } from "./explain-search.ts";
import { FleetView } from "./fleet-view.ts";

const DEVICE = "00000000-0000-4000-8000-000000000001";
const SHARED = { id: "drv-a", version: "1.5.0" };

function parent(id: string, available: number, rest: Partial<TestParent> = {}): TestParent {
  return { id, types: [{ ...SHARED, available }], ...rest };
}

/** Says what makes the platform of a host known to work. */
function able(snapshot: HostSnapshot): HostSnapshot {
  const fact = (value: string) => known(value, { host: snapshot.host, source: "script", path: "test" } as const);
  const probe = fact("stop-copy p2p pre-copy dirty-tracking");
  const facts = { vfio_migration_probe: probe, qemu_version: fact("10.0.0"), libvirt_version: fact("11.0.0") };
  return { ...snapshot, facts };
}

const SOURCE = able(
  testSnapshot({ host: "src", parents: [parent("p", 1)], devices: [{ id: DEVICE, parent: "p", type: "drv-a" }] }),
);

/** The host of the very best place, by the index; an exhaustive search must say the same. */
function findFirst(hosts: readonly HostSnapshot[], strategy: Strategy, assumePlatform = true): string | undefined {
  const policy = { ...STRICT_POLICY, assumePlatform };
  const view = new FleetView({ policy, packs: [], epoch: "test" });
  for (const snapshot of [...hosts, SOURCE]) view.putSnapshot(snapshot);
  const source = profileOfDevice(SOURCE, DEVICE, policy);
  assert.ok(source);
  const { candidates, by } = searchCandidates(view, { source, strategy, numaNode: 1, exceptHosts: ["src"], limit: 1 });
  const fleet = fleetOf({ snapshots: [...hosts, SOURCE], packs: [], policy });
  const expected = findCandidates(fleet, { source: { host: "src", device: DEVICE }, strategy, numaNode: 1 });
  assert.equal(by, "index");
  assert.deepEqual(candidates, expected.candidates.slice(0, 1));
  return candidates[0]?.place.host;
}

describe("searchCandidates()", () => {
  it("puts a platform that is known to work before one that is not, however full", () => {
    const unknown = testSnapshot({ host: "a", parents: [parent("p", 1)] });
    const works = able(testSnapshot({ host: "b", parents: [parent("p", 9)] }));
    assert.equal(findFirst([unknown, works], "fragmentation", false), "b");
  });

  it("compares how full pools are, not virtual functions that have room for one each", () => {
    const owner = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
    const description = "framebuffer=1024M, max_instance=4";
    const gpu = (host: string, held: number): HostSnapshot => {
      const vfs = ["v0", "v1", "v2", "v3"].map((id, at): TestParent => {
        return { id, owner, types: [{ ...SHARED, description, available: at < held ? 0 : 1 }] };
      });
      const devices = vfs.slice(0, held).map(({ id }, at) => {
        return { id: `00000000-0000-4000-8000-00000000000${at + 2}`, parent: id, type: "drv-a" };
      });
      return testSnapshot({ host, parents: vfs, devices });
    };
    assert.equal(findFirst([gpu("a", 2), gpu("b", 0), gpu("c", 1)], "spread"), "b");
    assert.equal(findFirst([gpu("a", 0), gpu("b", 2), gpu("c", 1)], "pack"), "b");
  });

  it("prefers the wanted NUMA node, then what costs other types least", () => {
    const costly = (host: string): HostSnapshot => {
      const types = [
        { ...SHARED, available: 1 },
        { id: "drv-b", available: 3, version: "1.5.0" },
      ];
      return testSnapshot({ host, parents: [{ id: "p", types, numaNode: 1 }] });
    };
    const roomy = testSnapshot({ host: "c", parents: [parent("p", 5, { numaNode: 1 })] });
    const far = testSnapshot({ host: "a", parents: [parent("p", 1, { numaNode: 0 })] });
    assert.equal(findFirst([costly("b"), roomy, far], "numa"), "c");
  });

  it("finds the room of each place for a device of several units by itself, and counts it so", () => {
    const evidence = { host: "x", source: "sysfs", path: "/sys" } as const;
    const host = (name: string, available: number): HostSnapshot => {
      const snapshot = testSnapshot({ host: name, parents: [parent("p", available)] });
      const parents = snapshot.parents.map((one) => ({
        ...one,
        types: one.types.map((type) => {
          const attributes = { ...type.attributes, dynamicResources: known(["aggregator"], evidence) };
          return { ...type, maxAggregation: known(8, evidence), attributes };
        }),
      }));
      return { ...snapshot, parents };
    };
    const devices = SOURCE.devices.map((device) => ({
      ...device,
      aggregation: known({ count: 2, settable: false }, evidence),
    }));
    const snapshots = [host("a", 0), host("b", 4), host("c", 0), { ...SOURCE, devices }];
    const policy = { ...STRICT_POLICY, assumePlatform: true };
    const view = new FleetView({ policy, packs: [], epoch: "test" });
    for (const snapshot of snapshots) view.putSnapshot(snapshot);
    const source = profileOfDevice({ ...SOURCE, devices }, DEVICE, policy);
    assert.ok(source);
    const search = { source, strategy: "pack", exceptHosts: ["src"], limit: 10 } as const;
    const { candidates, by } = searchCandidates(view, search);
    const asked = { source: { host: "src", device: DEVICE }, strategy: "pack" } as const;
    const expected = findCandidates(fleetOf({ snapshots, packs: [], policy }), asked);
    assert.equal(by, "places");
    assert.deepEqual(candidates, expected.candidates);
    const counts = explainSearch(view, search).map(({ kind, places, hosts }) => [kind, places, hosts]);
    const free = expected.candidates.length;
    assert.deepEqual(
      counts.find(([kind]) => kind === "not-now"),
      ["not-now", 2, 2],
    );
    assert.equal(counts.filter(([kind]) => kind === "candidate").length, Math.min(free, 1));
    assert.equal(expected.refused.filter(({ outcome }) => outcome === "not-now").length, 2);
  });
});
