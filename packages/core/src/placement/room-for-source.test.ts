// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poolsOf } from "../capacity/build-pools.ts";
import { madeUpHost } from "../capacity/made-up-host.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import { roomForSource, roomInPool } from "./room-for-source.ts";

const AP = "vfio_ap-passthrough";
const queue = (domain: number, driver = "vfio_ap") => ({ adapter: 1, domain, driver });
const snapshot = madeUpHost({
  parents: [{ id: "matrix", types: { [AP]: { available: 5 } } }],
  devices: [{ id: "held", parent: "matrix", type: AP, queues: [queue(1), queue(2)] }],
  queues: [1, 2, 3, 4, 5].map((domain) => queue(domain)),
});

describe("roomForSource()", () => {
  const source = profileOfDevice(snapshot, "held", STRICT_POLICY);
  const { pools } = poolsOf({ snapshot, statementFor: () => ({ pack: "ap", owner: "parent", law: "units" }) });
  const place = { pool: pools[0], parent: "matrix", type: AP };

  it("has room for one device with named queues, however many other queues are free", () => {
    assert.ok(source !== undefined);
    assert.deepEqual(roomForSource(source, place), { atLeast: 1, atMost: 1 });
    assert.deepEqual(roomInPool(source, place), { atLeast: 1, atMost: 1 });
  });

  it("proves nothing about a parent without a pool", () => {
    assert.ok(source !== undefined);
    assert.deepEqual(roomForSource(source, { ...place, pool: undefined }), { atLeast: 0, atMost: Infinity });
  });
});
