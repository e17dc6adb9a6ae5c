// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { GroupQueue } from "./group-queue.ts";
import type { GroupItem, ItemOutcome } from "./worker-messages.ts";

function itemOf(key: string, characters = 1): GroupItem {
  return { kind: "transact", compares: [], writes: [{ kind: "put", key, value: "x".repeat(characters), lease: null }] };
}

/** Commits that answer each item with its place in everything that came before, and note the size of each group. */
function countingQueue(): { readonly queue: GroupQueue; readonly sizes: number[] } {
  const sizes: number[] = [];
  let revision = 0;
  const queue = new GroupQueue(async (items) => {
    sizes.push(items.length);
    const outcomes = items.map((): ItemOutcome => ({ kind: "written", revision: (revision += 1) }));
    return { outcomes, revision };
  });
  return { queue, sizes };
}

async function pushAll(queue: GroupQueue, items: readonly GroupItem[]): Promise<unknown[]> {
  const outcomes = await Promise.all(items.map((item) => queue.push(item)));
  return outcomes.map((outcome) => (outcome.kind === "written" ? outcome.revision : outcome.kind));
}

describe("GroupQueue", () => {
  test("lets all who wait share one commit, and answers each with its own outcome", async () => {
    const { queue, sizes } = countingQueue();
    assert.deepEqual(
      await pushAll(
        queue,
        ["a", "b", "c"].map((key) => itemOf(key)),
      ),
      [1, 2, 3],
    );
    assert.deepEqual(await pushAll(queue, [itemOf("d")]), [4]);
    assert.deepEqual(sizes, [3, 1]);
  });

  test("bounds a group by items and by characters, and keeps the order", async () => {
    const many = countingQueue();
    const expected = Array.from({ length: 600 }, (_, at) => at + 1);
    assert.deepEqual(
      await pushAll(
        many.queue,
        expected.map((at) => itemOf(String(at))),
      ),
      expected,
    );
    assert.deepEqual(many.sizes, [32, 512, 56]);
    const large = countingQueue();
    await pushAll(large.queue, [itemOf("a", 9_000_000), itemOf("b", 5_000_000), itemOf("c", 3_000_000), itemOf("d")]);
    assert.deepEqual(large.sizes, [1, 2, 1]);
  });

  test("does not wait for more when there are enough and nothing is under way", async () => {
    const { queue, sizes } = countingQueue();
    const asked = Array.from({ length: 33 }, (_, at) => queue.push(itemOf(String(at))));
    assert.deepEqual(sizes, [32]);
    await Promise.all(asked);
    assert.deepEqual(sizes, [32, 1]);
  });

  test("is drained when the last one that waits has its outcome", async () => {
    const { queue } = countingQueue();
    const outcomes: unknown[] = [];
    for (const key of ["a", "b"]) void queue.push(itemOf(key)).then((outcome) => outcomes.push(outcome));
    await queue.drain();
    assert.equal(outcomes.length, 2);
    await queue.drain();
  });

  test("fails a group as a whole, and goes on with the next", async () => {
    let isBroken = true;
    const queue = new GroupQueue(async (items) => {
      if (isBroken) throw new Error("no room");
      return { outcomes: items.map((): ItemOutcome => ({ kind: "lease-ended" })), revision: 1 };
    });
    const failed = await Promise.allSettled([queue.push(itemOf("a")), queue.push(itemOf("b"))]);
    assert.deepEqual(
      failed.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    isBroken = false;
    assert.deepEqual(await pushAll(queue, [itemOf("c")]), ["lease-ended"]);
    await queue.drain();
  });
});
