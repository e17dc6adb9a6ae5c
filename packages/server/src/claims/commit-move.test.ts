// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Claim } from "@berth/core/claim/claim";
import { applyEvent } from "@berth/core/claim/apply-event";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import type { AgentClaimEvent } from "@berth/core/provision/desired-state";
import type { Caller, ClaimBook } from "./claim-book.ts";
import { adopts, cardHost, openWorld, shows, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";
import type { TestReplica } from "./test-replica.ts";

const CALLER: Caller = { principal: "olga" };

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

interface Scene {
  readonly world: TestWorld;
  readonly book: ClaimBook;
  readonly replica: TestReplica;
}

async function scene(): Promise<Scene> {
  const world = await openWorld([sourceHost(), cardHost("a"), cardHost("b")]);
  worlds.push(world);
  return { world, ...(await world.openBook()) };
}

/** A claim for the first device of the source's host whose devices were made and are used. */
async function attach(
  { book, replica }: Scene,
  wanted: { readonly host: string; readonly device: string; readonly to: string },
): Promise<Claim> {
  const { host, device, to } = wanted;
  const answer = await book.claim({ for: { host, device }, to, make: true }, CALLER);
  assert.equal(answer.kind, "granted");
  const { id, fence } = (answer as Extract<typeof answer, { readonly kind: "granted" }>).claim;
  const events = (["provisioned", "attached"] as const satisfies readonly AgentClaimEvent[]).map((event) => {
    return { claim: id, event, fence };
  });
  assert.deepEqual(
    (await book.hear(to, events)).map(({ kind }) => kind),
    ["applied", "applied"],
  );
  await replica.reached(replica.cursor.revision);
  return replica.findClaim(id)?.document as Claim;
}

async function ledgerOf({ world }: Scene, host: string): Promise<readonly string[]> {
  const [found] = (await world.store.read({ key: `ledger/${host}` })).documents;
  return found === undefined ? [] : (JSON.parse(found.value) as LedgerDocument).entries.map(({ claim }) => claim);
}

describe("commit()", () => {
  it("makes the place the VM's own, and takes nothing where the rest is kept", async () => {
    const one = await scene();
    const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    const { document } = await one.book.commit(claim.id, { source: "keep" }, CALLER);
    const own = claim.devices[0].occupant.id;
    assert.deepEqual(document.claimant, { kind: "device", host: "a", device: own });
    assert.deepEqual([document.state, document.devices[0].source], ["attached", undefined]);
    assert.ok(document.fence > claim.fence);
    assert.deepEqual(await ledgerOf(one, "src"), []);
    assert.deepEqual(one.replica.findClaim(claim.id)?.document, document);
  });

  it("gives the claim back that held what was left, in the same revision", async () => {
    const one = await scene();
    const first = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    await one.book.commit(first.id, { source: "keep" }, CALLER);
    const there = first.devices[0].occupant.id;
    const snapshot = cardHost("a", { devices: [{ id: there, parent: "p0", type: "drv-a" }] });
    await one.world.put(shows(snapshot));
    await one.replica.reached(one.world.journal.revision);
    const second = await attach(one, { host: "a", device: there, to: "b" });
    const held = await one.book.commit(second.id, {}, CALLER);
    const left = one.replica.findClaim(first.id);
    assert.deepEqual([left?.document.state, left?.revision], ["releasing", held.revision]);
    assert.deepEqual(await ledgerOf(one, "a"), [first.id]);
    assert.deepEqual(await ledgerOf(one, "b"), [second.id]);
    const cleared = await one.book.hear("a", [
      { claim: first.id, event: "cleared", fence: first.fence },
      { claim: first.id, event: "cleared", fence: left?.document.fence ?? 0 },
    ]);
    assert.deepEqual(
      cleared.map(({ kind, code }) => code ?? kind),
      ["claim_fence_stale", "applied"],
    );
    assert.deepEqual(await ledgerOf(one, "a"), []);
  });

  it("holds the room of devices that Berth did not make until they are gone, where it may take them away", async () => {
    const one = await scene();
    const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    await assert.rejects(one.book.commit(claim.id, {}, CALLER), { code: "swap_mismatch" });
    await one.book.commit(claim.id, { source: "vacate" }, CALLER);
    const [vacated] = await ledgerOf(one, "src");
    const held = one.replica.findClaim(vacated ?? "")?.document;
    assert.deepEqual(
      [held?.state, held?.devices[0].occupant.id, held?.devices[0].vacated],
      ["releasing", SOURCES[0], true],
    );
    assert.deepEqual(held?.devices[0].identity, { kind: "mdev", uuid: SOURCES[0] });
  });

  it("leaves devices of parents alone that were not handed over", async () => {
    const one = await scene();
    const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    await one.world.put(adopts("src", []));
    await one.replica.reached(one.world.journal.revision);
    await assert.rejects(one.book.commit(claim.id, { source: "vacate" }, CALLER), { code: "swap_mismatch" });
    assert.deepEqual(await ledgerOf(one, "src"), []);
    assert.equal(one.replica.findClaim(claim.id)?.document.claimant.kind, "device");
  });

  it("refuses a move whose devices do not exist yet, one that was committed, and one that nobody knows", async () => {
    const one = await scene();
    const answer = await one.book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a" }, CALLER);
    const id = answer.kind === "granted" ? answer.claim.id : "";
    await assert.rejects(one.book.commit(id, { source: "keep" }, CALLER), { code: "swap_state" });
    const claim = await attach(one, { host: "src", device: SOURCES[1], to: "b" });
    await one.book.commit(claim.id, { source: "keep" }, CALLER);
    await assert.rejects(one.book.commit(claim.id, { source: "keep" }, CALLER), { code: "swap_state" });
    await assert.rejects(one.book.commit("none", {}, CALLER), { code: "unknown_claim" });
  });

  it("is decided anew where another server wrote in between", async () => {
    const one = await scene();
    const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    one.replica.pause();
    const other = await one.world.openBook();
    await other.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER);
    const committing = one.book.commit(claim.id, { source: "keep" }, CALLER);
    setImmediate(() => one.replica.resume());
    const { document } = await committing;
    assert.equal(document.claimant.kind === "device" && document.claimant.host, "a");
    assert.equal((await ledgerOf(one, "a")).length, 2);
  });

  it("loses nothing that another server writes, at whatever moment of it", async () => {
    let moments = 0;
    for (let moment = 1; moment <= 8; moment += 1) {
      const world = await openWorld([sourceHost(), cardHost("a"), cardHost("b")]);
      worlds.push(world);
      const other = await world.openBook();
      let left = Number.POSITIVE_INFINITY;
      const turn = async (): Promise<void> => {
        left -= 1;
        if (left === 0) await other.book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER);
      };
      const one = { world, ...(await world.openBook(turn)) };
      const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
      await other.replica.reached(world.journal.revision);
      left = moment;
      await one.book.commit(claim.id, { source: "keep" }, CALLER);
      // The commit takes no more moments than this.
      if (left > 0) break;
      moments += 1;
      assert.equal((await ledgerOf(one, "a")).length, 2, `at moment ${moment}`);
    }
    assert.ok(moments >= 4, `a commit reads twice and writes: ${moments} moments`);
  });

  it("leaves claims behind that events still move as the table says", async () => {
    const one = await scene();
    const claim = await attach(one, { host: "src", device: SOURCES[0], to: "a" });
    const { document } = await one.book.commit(claim.id, { source: "keep" }, CALLER);
    const moved = applyEvent(document, "detached", { nowMs: 1, fence: document.fence });
    assert.equal(moved.kind === "moved" && moved.claim.state, "bound");
  });
});
