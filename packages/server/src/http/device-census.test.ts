// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { claimOf } from "@berth/core/claim/test-claim";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import { searchCandidates } from "../inventory/candidate-search.ts";
import { FleetView } from "../inventory/fleet-view.ts";
import { DeviceCensus, type DeviceCounts } from "./device-census.ts";
import { testAgent, testControl, testProbe } from "./test-control.ts";
import { testServer, testView } from "./test-server.ts";

async function count(view: FleetView): Promise<DeviceCounts | undefined> {
  const census = new DeviceCensus(view, () => 0);
  assert.equal(census.read(), undefined);
  await census.settled();
  return census.read();
}

/** What the census counts, device by device. */
function countSlowly(view: FleetView): DeviceCounts {
  const counts = { movable: 0, stuck: 0, unknown: 0 };
  for (const { host } of view.listHosts()) {
    for (const { id } of host.snapshot.devices) {
      const source = profileOfDevice(host.snapshot, id, view.policy);
      if (source === undefined) {
        counts.unknown += 1;
        continue;
      }
      const exceptHosts = [host.snapshot.host, ...view.cordons];
      const found = searchCandidates(view, { source, strategy: "fragmentation", exceptHosts, limit: 1 }).candidates;
      counts[found.length > 0 ? "movable" : "stuck"] += 1;
    }
  }
  return counts;
}

describe("DeviceCensus", () => {
  it("C1: counts as a search for each single device does, cordons included", async () => {
    const host = fc.record({
      available: fc.integer({ min: 0, max: 1 }),
      minor: fc.integer({ min: 4, max: 5 }),
      devices: fc.integer({ min: 0, max: 3 }),
      isCordoned: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(host, { maxLength: 5 }), async (hosts) => {
        const view = new FleetView({ policy: { ...STRICT_POLICY, assumePlatform: true }, packs: [], epoch: "test" });
        for (const [at, { available, minor, devices, isCordoned }] of hosts.entries()) {
          const type = { id: "drv-a", available, version: `1.${minor}.0`, compatible: { x: "1" } };
          const made: TestHost = {
            host: `h${at}`,
            parents: [{ id: "p0", types: [type] }],
            devices: Array.from({ length: devices }, (_, number) => {
              return { id: `00000000-0000-4000-8000-0000000000${at}${number}`, parent: "p0", type: "drv-a" };
            }),
          };
          view.putSnapshot(testSnapshot(made));
          if (isCordoned) view.cordonHost(`h${at}`);
        }
        const slow = countSlowly(view);
        if (hosts.length > 0) assert.deepEqual(await count(view), slow);
      }),
      { numRuns: 60 },
    );
  });

  it("counts anew a minute after the last count, where something has changed", async () => {
    const view = testView();
    let nowMs = 0;
    const census = new DeviceCensus(view, () => nowMs);
    census.read();
    await census.settled();
    assert.deepEqual(census.read(), { movable: 2, stuck: 0, unknown: 0 });
    view.cordonHost("b");
    view.cordonHost("a");
    const later = async (ms: number): Promise<number | undefined> => {
      nowMs = ms;
      census.read();
      await census.settled();
      return census.read()?.stuck;
    };
    assert.equal(await later(59_999), 0);
    assert.equal(await later(60_000), 2);
    view.uncordonHost("b");
    assert.equal(await later(120_000), 0);
  });
});

describe("/metrics of a control plane", () => {
  it("counts claims, agents and probes by what they are, and devices once they were counted", async () => {
    const view = testView();
    const control = testControl(view);
    control.claimsShown.push({ document: claimOf(), revision: 1 });
    control.claimsShown.push({ document: claimOf({ id: "c2", state: "failed" }), revision: 1 });
    control.agentsShown.push(testAgent("a"), testAgent("b", { life: "silent" }), testAgent("c", { life: "silent" }));
    control.probesShown.push(testProbe("p1"), testProbe("p2", { reply: { id: "p2", outcome: { kind: "accepted" } } }));
    const server = testServer(view, { control });
    const first = (await server.inject({ url: "/metrics" })).body;
    for (const line of [
      'berth_claims{state="held"} 1',
      'berth_claims{state="failed"} 1',
      'berth_claims{state="bound"} 0',
      'berth_agents{life="silent"} 2',
      'berth_agents{life="revoked"} 0',
      "berth_stale_hosts 2",
      'berth_probes{outcome="open"} 1',
      'berth_probes{outcome="accepted"} 1',
      "berth_store_revision 7",
      "berth_desired_waits 0",
    ]) {
      assert.ok(first.split("\n").includes(line), line);
    }
    assert.doesNotMatch(first, /^berth_devices\{/m);
    await new Promise((resolve) => setImmediate(resolve));
    const second = (await server.inject({ url: "/metrics" })).body;
    assert.match(second, /^berth_devices\{mobility="movable"\} 2$/m);
  });
});
