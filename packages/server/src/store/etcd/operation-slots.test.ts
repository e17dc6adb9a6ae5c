// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseRoot } from "./etcd-key.ts";
import { drawLeaseId, OperationSlots, SLOT_LEASE_SECONDS } from "./operation-slots.ts";

const SPACE = parseRoot("berth/1/");

function plant(): { readonly slots: OperationSlots; readonly granted: bigint[]; readonly clock: { ms: number } } {
  const granted: bigint[] = [];
  const clock = { ms: 0 };
  const grant = async (id: bigint): Promise<void> => void granted.push(id);
  return { slots: new OperationSlots(SPACE, grant, () => clock.ms), granted, clock };
}

describe("OperationSlots", () => {
  test("hands a slot to one at a time, and again with the revision it was given back with", async () => {
    const { slots, granted } = plant();
    const [first, second] = await Promise.all([slots.take(), slots.take()]);
    assert.notDeepEqual(first.key, second.key);
    slots.giveBack(first, 7n);
    assert.deepEqual(await slots.take(), { ...first, revision: 7n });
    assert.equal(granted.length, 1);
  });
  test("takes a new lease and new slots long before the old ones may end", async () => {
    const { slots, granted, clock } = plant();
    const first = await slots.take();
    slots.giveBack(first, 7n);
    clock.ms = (SLOT_LEASE_SECONDS * 1000) / 2;
    const later = await slots.take();
    assert.equal(granted.length, 2);
    assert.deepEqual([later.lease, later.revision], [granted[1], 0n]);
    assert.notDeepEqual(later.key, first.key);
  });
  test("forgets a lease that is gone, and not the one that took its place", async () => {
    const { slots, granted } = plant();
    const { lease } = await slots.take();
    await slots.forgetLease(lease);
    await slots.take();
    await slots.forgetLease(lease);
    await slots.take();
    assert.equal(granted.length, 2);
  });
  test("asks again for a lease that was not granted", async () => {
    let tries = 0;
    const grant = async (): Promise<void> => {
      tries += 1;
      if (tries === 1) throw new Error("no");
    };
    const slots = new OperationSlots(SPACE, grant, () => 0);
    await assert.rejects(slots.take(), /no/);
    assert.equal((await slots.take()).revision, 0n);
  });
});

describe("drawLeaseId()", () => {
  test("draws what etcd takes for an id: above zero, below 2^63", () => {
    for (let at = 0; at < 200; at += 1) {
      const id = drawLeaseId();
      assert.ok(id > 0n && id < 2n ** 63n);
    }
  });
});
