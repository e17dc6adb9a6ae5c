// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Caller } from "./claim-book.ts";
import { cardHost, openWorld, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";

const CALLER: Caller = { principal: "olga" };
const DAYS_MS = 24 * 60 * 60 * 1000;

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

async function claimsIn({ store }: TestWorld): Promise<readonly string[]> {
  return (await store.read({ key: "claim/", prefix: true })).documents.map(({ key }) => key);
}

describe("expire()", () => {
  it("forgets claims that ended 30 days ago, whatever their number, and none that holds room", async () => {
    const world = await openWorld([sourceHost(), cardHost("a")]);
    worlds.push(world);
    const { book, replica } = await world.openBook();
    const claim = async (make: boolean): Promise<string> => {
      const answer = await book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a", make }, CALLER);
      return "claim" in answer ? answer.claim.id : "";
    };
    const open = await claim(true);
    for (let count = 0; count < 40; count += 1) await book.release(await claim(false), CALLER);
    assert.equal((await claimsIn(world)).length, 41);
    const run = async (): Promise<number> => {
      await book.expire(undefined);
      await replica.reached((await world.store.read({ key: "claim/", prefix: true })).cursor.revision);
      return (await claimsIn(world)).length;
    };
    world.nowMs += 30 * DAYS_MS - 1;
    assert.equal(await run(), 41);
    world.nowMs += 1;
    const stale = { key: "singleton/expiry", revision: 1 };
    await book.expire(stale);
    assert.equal((await claimsIn(world)).length, 41);
    assert.deepEqual([await run(), await run()], [11, 1]);
    assert.deepEqual(await claimsIn(world), [`claim/${open}`]);
    assert.equal(await run(), 1);
  });
});
