// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetOf } from "@berth/core/inventory/fleet";
import { findVmCandidates } from "@berth/core/placement/find-vm-candidates";
import { STRATEGIES } from "@berth/core/placement/request";
import { testSnapshot, type TestParent, type TestType } from "@berth/core/placement/test-fleet";
import { FleetView } from "./fleet-view.ts";
import { searchVmCandidates } from "./vm-search.ts";

const DEVICES = ["1", "2", "3"].map((last) => `00000000-0000-4000-8000-00000000000${last}`);

const type: fc.Arbitrary<TestType> = fc.record(
  {
    id: fc.constantFrom("drv-a", "drv-a", "drv-b", "other-a"),
    available: fc.constantFrom(0, 1, 2, 4, undefined),
    version: fc.constantFrom("1.5.0", "1.5.0", "1.4.0", "1.6.1"),
    description: fc.constantFrom("framebuffer=1024M, max_instance=4", "prose"),
  },
  { requiredKeys: ["id", "available"] },
);

const parent: fc.Arbitrary<Omit<TestParent, "id">> = fc
  .record({
    types: fc.uniqueArray(type, { maxLength: 3, selector: ({ id }) => id }),
    numaNode: fc.constantFrom(0, 1, undefined),
  })
  .map(({ types, numaNode }) => ({ types, ...(numaNode === undefined ? {} : { numaNode }) }));

const hosts = fc.array(fc.array(parent, { maxLength: 3 }), { minLength: 1, maxLength: 6 });

function sourceOf(types: readonly string[]): HostSnapshot {
  const evidence = { host: "src", source: "sysfs", path: "/proc" } as const;
  const offered = ["drv-a", "drv-b"].map((id) => ({ id, available: 4, version: "1.5.0" }));
  const devices = types.map((id, index) => ({ id: DEVICES[index] ?? "", parent: "p", type: id }));
  const snapshot = testSnapshot({ host: "src", parents: [{ id: "p", types: offered, numaNode: 1 }], devices });
  const vm = {
    id: "vm",
    name: "vm",
    state: "running",
    owner: { kind: "berth", evidence },
    devices: devices.map(({ id }) => ({ device: id, known: [{ how: "open-file", evidence }] as const })),
    memoryKib: known(1, evidence),
    hugepageKib: known(1, evidence),
  } as const;
  return { ...snapshot, virtualMachines: [vm] };
}

describe("searchVmCandidates()", () => {
  it("P50: its candidates are the first ones of a search over the whole fleet", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.record({
          hosts,
          types: fc.array(fc.constantFrom("drv-a", "drv-a", "drv-b"), { minLength: 1, maxLength: 3 }),
          strategy: fc.constantFrom(...STRATEGIES),
          assumePlatform: fc.boolean(),
          limit: fc.constantFrom(1, 2, 100),
          except: fc.nat(6),
          numaNode: fc.constantFrom(0, 1, undefined),
        }),
        ({ hosts: made, types, strategy, assumePlatform, limit, except, numaNode }) => {
          const policy = { ...STRICT_POLICY, assumePlatform };
          const snapshots = made.map((parents, index) =>
            testSnapshot({ host: `h${index}`, parents: parents.map((one, at) => ({ ...one, id: `p${at}` })) }),
          );
          const all = [sourceOf(types), ...snapshots];
          const view = new FleetView({ policy, packs: [], epoch: "test" });
          for (const snapshot of all) view.putSnapshot(snapshot);
          const request = {
            host: "src",
            vm: "vm",
            strategy,
            exceptHosts: [`h${except}`],
            ...(numaNode === undefined ? {} : { numaNode }),
          };
          const expected = findVmCandidates(fleetOf({ snapshots: all, policy, packs: [] }), request);
          const answer = searchVmCandidates(view, { ...request, limit });
          assert.deepEqual(answer.candidates, expected.candidates.slice(0, limit));
          assert.deepEqual(answer.sources, expected.sources);
          const whole = expected.elsewhere.filter(({ obstacles }) => obstacles.length === 0);
          assert.deepEqual(
            answer.elsewhere.filter(({ obstacles }) => obstacles.length === 0),
            whole,
          );
          const only = searchVmCandidates(view, { ...request, limit, onlyHosts: ["h0"] });
          assert.deepEqual(
            only.candidates.map(({ host }) => host),
            expected.candidates.flatMap(({ host }) => (host === "h0" ? [host] : [])),
          );
          found += expected.candidates.length;
        },
      ),
      { numRuns: 200 },
    );
    assert.ok(found > 50, String(found));
  });

  it("throws for a host or a VM that is not there, and a VM without devices", () => {
    const view = new FleetView({ policy: STRICT_POLICY, packs: [], epoch: "test" });
    view.putSnapshot(sourceOf([]));
    const search = { strategy: "pack", exceptHosts: [], limit: 1 } as const;
    assert.throws(() => searchVmCandidates(view, { ...search, host: "none", vm: "vm" }), RangeError);
    assert.throws(() => searchVmCandidates(view, { ...search, host: "src", vm: "none" }), RangeError);
    assert.throws(() => searchVmCandidates(view, { ...search, host: "src", vm: "vm" }), RangeError);
  });
});
