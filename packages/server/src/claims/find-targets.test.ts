// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { emptyLedger } from "@berth/core/claim/ledger-document";
import { openContext, type ClaimContext } from "./claim-context.ts";
import { openWish, type ClaimWish } from "./claim-wish.ts";
import { decideOnHost } from "./decide-on-host.ts";
import { findTargets } from "./find-targets.ts";
import { adopts, cardHost, openWorld, shows, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";

const HOSTS = ["a", "b", "c"];

/** A host whose cards sit on a NUMA node. */
function onNode(snapshot: HostSnapshot, node: number): HostSnapshot {
  const parents = snapshot.parents.map((parent) => ({ ...parent, numaNode: known(node, parent.numaNode.evidence) }));
  return { ...snapshot, parents };
}

async function openScene(): Promise<{ readonly world: TestWorld; readonly context: ClaimContext }> {
  const world = await openWorld([sourceHost(), ...HOSTS.map((host, at) => onNode(cardHost(host), at))]);
  const { replica } = await world.openBook();
  let drawn = 0;
  const newUuid = (): string => `00000000-0000-4000-9000-${String((drawn += 1)).padStart(12, "0")}`;
  const parts = { replica, now: () => 0, newId: () => `id-${(drawn += 1)}`, newUuid, isHeard: () => true };
  return { world, context: openContext(parts) };
}

function wishOf(context: ClaimContext, strategy: "spread" | "numa"): ClaimWish {
  const body = { for: { host: "src", device: SOURCES[0] }, strategy } as const;
  return openWish(context, body, { principal: "test" });
}

function listHosts(context: ClaimContext, wish: ClaimWish): readonly string[] {
  return [...findTargets(context, wish)].map(({ host }) => host);
}

describe("findTargets()", () => {
  it("puts idle hosts first among equals, on whatever node they are", async () => {
    const { world, context } = await openScene();
    const wish = wishOf(context, "spread");
    assert.deepEqual(listHosts(context, wish), ["a", "b", "c"]);
    const { promise, resolve } = Promise.withResolvers<void>();
    const busy = context.lanes.run("a", () => promise);
    assert.deepEqual(listHosts(context, wish), ["b", "c", "a"]);
    resolve();
    await busy;
    await world.close();
  });

  it("keeps to the nearest node where nodes count, however busy its host is", async () => {
    const { world, context } = await openScene();
    const wish = { ...wishOf(context, "numa"), numaNode: 1 };
    const { promise, resolve } = Promise.withResolvers<void>();
    const busy = context.lanes.run("b", () => promise);
    assert.equal(listHosts(context, wish)[0], "b");
    resolve();
    await busy;
    await world.close();
  });

  it("searches anew when the view has moved on between two tries, and still comes to every host once", async () => {
    const { world, context } = await openScene();
    const hosts: string[] = [];
    for (const { host } of findTargets(context, wishOf(context, "spread"))) {
      hosts.push(host);
      const revision = await world.put(shows(cardHost(`new${hosts.length}`, { version: "9.0.0" })));
      await context.replica.reached(revision);
      if (hosts.length > 9) break;
    }
    assert.deepEqual(hosts.toSorted(), HOSTS);
    await world.close();
  });
});

describe("decideOnHost()", () => {
  it("judges the places that were found by what the host shows now", async () => {
    const { world, context } = await openScene();
    const wish = wishOf(context, "spread");
    const [found] = findTargets(context, wish);
    assert.ok(found !== undefined);
    const asked = { wish, target: { ...found, isQuick: true }, ledger: emptyLedger(found.host) } as const;
    assert.equal(decideOnHost(context, asked).kind, "granted");
    const changed = onNode(cardHost(found.host, { version: "9.0.0" }), 0);
    await context.replica.reached(await world.put(shows(changed), adopts(found.host, changed.parents)));
    const decision = decideOnHost(context, asked);
    assert.equal(decision.kind, "refused");
    assert.ok(decision.kind === "refused" && decision.reasons.every(({ code }) => code === "claim_incompatible"));
    await world.close();
  });
});
