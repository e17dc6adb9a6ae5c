// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import type { ClaimBook } from "./claim-book.ts";
import { cardHost, openWorld, shows, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";
import type { TestReplica } from "./test-replica.ts";

const CALLER = { principal: "olga" };
const ORPHAN = "00000000-0000-4000-8000-0000000000aa";

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

async function scene(): Promise<{ world: TestWorld; book: ClaimBook; replica: TestReplica }> {
  const orphaned = cardHost("a", { devices: [{ id: ORPHAN, parent: "p0", type: "drv-b" }] });
  const world = await openWorld([sourceHost(), orphaned]);
  worlds.push(world);
  return { world, ...(await world.openBook()) };
}

async function entriesOf(world: TestWorld): Promise<LedgerDocument["entries"]> {
  const [found] = (await world.store.read({ key: "ledger/a" })).documents;
  return found === undefined ? [] : (JSON.parse(found.value) as LedgerDocument).entries;
}

describe("clearOrphans()", () => {
  it("lets a forgotten claim stand again as releasing, with the room of its devices, until nothing is left", async () => {
    const { world, book, replica } = await scene();
    const { document } = await book.clearOrphans({ host: "a", claim: "gone", devices: [ORPHAN] }, CALLER);
    assert.deepEqual([document.state, document.devices[0].identity], ["releasing", { kind: "mdev", uuid: ORPHAN }]);
    assert.equal(document.devices[0].vacated, undefined);
    assert.deepEqual(
      (await entriesOf(world)).map(({ claim, devices }) => [claim, devices[0]?.id]),
      [["gone", ORPHAN]],
    );
    assert.deepEqual(replica.findClaim("gone")?.document, document);
    await book.hear("a", [{ claim: "gone", event: "cleared", fence: document.fence }]);
    assert.deepEqual(await entriesOf(world), []);
    assert.equal(replica.findClaim("gone")?.document.state, "released");
  });

  it("gives a claim that has ended a new fence: what its agent said before counts no more", async () => {
    const { world, book, replica } = await scene();
    const answer = await book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a", make: true }, CALLER);
    assert.equal(answer.kind, "granted");
    const { id, fence } = answer.kind === "granted" ? answer.claim : { id: "", fence: 0 };
    await assert.rejects(book.clearOrphans({ host: "a", claim: id, devices: [ORPHAN] }, CALLER), {
      code: "claim_state",
    });
    await book.fence("a", CALLER);
    const { document } = await book.clearOrphans({ host: "a", claim: id, devices: [ORPHAN] }, CALLER);
    assert.ok(document.fence > fence);
    assert.equal(document.endedAtMs, undefined);
    const [late] = await book.hear("a", [{ claim: id, event: "cleared", fence }]);
    assert.equal(late?.code, "claim_fence_stale");
    assert.equal(replica.findClaim(id)?.document.state, "releasing");
    assert.equal((await entriesOf(world)).length, 1);
  });

  it("refuses devices that the host does not show", async () => {
    const { world, book } = await scene();
    const devices = ["00000000-0000-4000-8000-0000000000ab"];
    await assert.rejects(book.clearOrphans({ host: "a", claim: "gone", devices }, CALLER), { code: "unknown_device" });
    await assert.rejects(book.clearOrphans({ host: "a", claim: "gone", devices: [] }, CALLER), {
      code: "unknown_device",
    });
    assert.deepEqual(await entriesOf(world), []);
  });

  it("decides again where the host has shown something new", async () => {
    const { world, book, replica } = await scene();
    replica.pause();
    await world.put(shows(cardHost("a", { devices: [{ id: ORPHAN, parent: "p0", type: "drv-a" }] })));
    const clearing = book.clearOrphans({ host: "a", claim: "gone", devices: [ORPHAN] }, CALLER);
    setImmediate(() => replica.resume());
    assert.equal((await clearing).document.devices[0].type, "drv-a");
  });
});
