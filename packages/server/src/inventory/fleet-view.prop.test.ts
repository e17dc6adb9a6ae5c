// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { applyLedger } from "@berth/core/capacity/ledger";
import type { Occupant } from "@berth/core/capacity/pool";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { parsePciAddress } from "@berth/core/device/address";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { fleetHostOf } from "@berth/core/inventory/fleet";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import { FleetView, type FleetEdit } from "./fleet-view.ts";
import { describeView } from "./test-view.ts";

const HOSTS = ["a", "b", "__proto__"];
const OWNER = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
const SIZES = [1, 2];

/** Two parents of one pool and one beside them; the law is proved, or it is unknown. */
function snapshotOf(host: string, { free, prose }: { readonly free: number; readonly prose: boolean }): HostSnapshot {
  const types = SIZES.map((size) => ({
    id: `drv-${size}`,
    available: Math.floor(free / size),
    version: "1.5.0",
    description: prose ? "prose" : `framebuffer=${size * 1024}M, max_instance=${4 / size}`,
  }));
  return testSnapshot({
    host,
    parents: [
      { id: "p", types, owner: OWNER },
      { id: "p.1", types, owner: OWNER },
      { id: "q", types },
    ],
    devices: free === 4 ? [] : [{ id: "shown", parent: "q", type: "drv-1" }],
  });
}

const host = fc.constantFrom(...HOSTS);
/** Plain objects: of two ledgers that are alike a view keeps the one that it has. */
const occupant: fc.Arbitrary<Occupant> = fc.record(
  {
    id: fc.constantFrom("1", "2", "3", "shown"),
    type: fc.constantFrom("drv-1", "drv-2"),
    count: fc.constant(1),
    parent: fc.constantFrom("p", "p.1", "q", "elsewhere"),
  },
  { noNullPrototype: true },
);
const ledger = fc.oneof(
  fc.uniqueArray(occupant, { maxLength: 3, selector: ({ id }) => id }),
  fc.constant({ unknown: "made up" } as const),
);
const problem = { code: "document_unreadable", host: "a", path: "/", message: "made up" } as const;

const step: fc.Arbitrary<(edit: FleetEdit) => void> = fc.oneof(
  fc.record({ host, free: fc.constantFrom(4, 3, 0), prose: fc.boolean() }).map((shown) => (edit: FleetEdit) => {
    edit.putSnapshot(snapshotOf(shown.host, shown));
  }),
  fc.record({ host, ledger }).map((holds) => (edit: FleetEdit) => edit.putLedger(holds.host, holds.ledger)),
  host.map((name) => (edit: FleetEdit) => edit.removeHost(name)),
  host.map((name) => (edit: FleetEdit) => edit.cordonHost(name)),
  host.map((name) => (edit: FleetEdit) => edit.uncordonHost(name)),
  host.map((name) => (edit: FleetEdit) => edit.putProblems(name, [problem])),
  host.map((name) => (edit: FleetEdit) => edit.putProblems(name, [])),
);
const edits = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 12 });

function newView(): FleetView {
  return new FleetView({ policy: STRICT_POLICY, packs: [], epoch: "e" });
}

describe("edit()", () => {
  it("V1: what a view says does not depend on the edits that steps come in", () => {
    const law = (parts: readonly (readonly ((edit: FleetEdit) => void)[])[]): void => {
      const [one, other] = [newView(), newView()];
      for (const part of parts) {
        one.edit(undefined, (edit) => {
          for (const make of part) make(edit);
        });
      }
      for (const make of parts.flat()) other.edit(undefined, make);
      assert.deepEqual(describeView(one), describeView(other));
    };
    fc.assert(fc.property(edits, law), { numRuns: 150 });
  });

  it("V2: a host has the pools of its snapshot with its ledger applied, whatever was there before", () => {
    const law = (parts: readonly (readonly ((edit: FleetEdit) => void)[])[]): void => {
      const view = newView();
      for (const make of parts.flat()) view.edit(undefined, make);
      for (const viewed of view.listHosts()) {
        const { pools } = fleetHostOf(viewed.host.snapshot, [], STRICT_POLICY);
        if (viewed.host.pools.some(({ law: { kind } }, at) => kind !== pools[at]?.law.kind)) continue;
        const holders = new Set(viewed.ledger.map(({ parent }) => parent));
        const expected = pools.map((pool) =>
          pool.parents.some((parent) => holders.has(parent)) ? applyLedger(pool, viewed.ledger) : pool,
        );
        const occupants = (all: typeof pools): unknown =>
          all.map((pool) => [pool.parents, pool.occupants, pool.changed]);
        if (viewed.ledger.length > 0) assert.deepEqual(occupants(viewed.host.pools), occupants(expected));
      }
    };
    fc.assert(fc.property(edits, law), { numRuns: 100 });
  });

  it("V3: revisions of messages grow, and a view that hears of no change says the same as before", () => {
    const law = (parts: readonly (readonly ((edit: FleetEdit) => void)[])[], gaps: readonly number[]): void => {
      const view = newView();
      const heard: ChangeMessage[] = [];
      view.feed.subscribe((message) => heard.push(message));
      let revision = 0;
      for (const [at, part] of parts.entries()) {
        revision += gaps[at % gaps.length] ?? 1;
        const [before, told] = [describeView(view), heard.length];
        view.edit({ epoch: "e", revision }, (edit) => {
          for (const make of part) make(edit);
        });
        assert.equal(view.generation.revision, revision);
        if (heard.length === told) assert.deepEqual(describeView(view), before);
        else assert.deepEqual([heard.length, heard.at(-1)?.generation.revision], [told + 1, revision]);
      }
    };
    fc.assert(fc.property(edits, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), law), { numRuns: 100 });
  });
});
