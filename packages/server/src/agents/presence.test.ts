// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { PresenceDocument } from "../documents/documents.ts";
import { makeSingleton } from "../singletons/singleton.ts";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { HEARD_MS, PRESENCE_LEASE_MS } from "./presence.ts";
import {
  enrolHost,
  helloOf,
  openFleet,
  openServer,
  reportWhole,
  splitOf,
  type TestFleet,
  type TestServer,
} from "./test-desk.ts";

let fleet: TestFleet;
let server: TestServer;
let other: TestServer;

beforeEach(async () => {
  fleet = openFleet();
  server = openServer(fleet);
  other = openServer(fleet, { name: "r2" });
  await enrolHost(server, "a");
  await server.desk.hello("a", helloOf("a", "s1"));
});
afterEach(async () => {
  await server.close();
  await other.close();
});

/** Lets time pass, a second at a time, with everything that happens meanwhile. */
async function pass(ms: number, alarm: ManualAlarm = fleet.alarm): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    alarm.advance(Math.min(left, 1_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function published(): Promise<readonly string[]> {
  const { documents } = await other.store.read({ key: "presence/", prefix: true });
  return documents.flatMap(({ value }) => (JSON.parse(value) as PresenceDocument).hosts).toSorted();
}

function lifeOf(on: TestServer): string | undefined {
  return on.desk.listAgents()[0]?.life;
}

describe("isHeard()", () => {
  it("knows at once whom its own server hears, and soon whom another one does", async () => {
    assert.deepEqual([server.desk.isHeard("a"), other.desk.isHeard("a")], [true, false]);
    await pass(1_000);
    assert.deepEqual([await published(), other.desk.isHeard("a")], [["a"], true]);
    assert.deepEqual([server.desk.isHeard("nobody"), server.desk.isHeard("__proto__")], [false, false]);
  });

  it("forgets a host that has been silent for long, and not one that waits for an answer", async () => {
    await pass(HEARD_MS - 5_000);
    assert.equal(other.desk.isHeard("a"), true);
    await pass(10_000);
    assert.deepEqual([server.desk.isHeard("a"), other.desk.isHeard("a"), await published()], [false, false, []]);
    const { signal } = new AbortController();
    const seen = server.replica.cursor;
    await server.desk.desired("a", { session: "s1", waitMs: 0 }, signal);
    const waiting = server.desk.desired("a", { session: "s1", seen, waitMs: 30_000 }, signal);
    await new Promise((resolve) => setImmediate(resolve));
    await pass(29_000);
    assert.equal(server.desk.isHeard("a"), true);
    await pass(1_000);
    await waiting;
    await pass(HEARD_MS - 5_000);
    assert.equal(server.desk.isHeard("a"), true);
    await pass(10_000);
    assert.equal(server.desk.isHeard("a"), false);
  });

  it("is published by a server that hears nobody, too: its duties stay with it, and go when it closes", async () => {
    await pass(1_000);
    const duty = makeSingleton("expiry", { store: other.store, replica: "r2" });
    const contender = makeSingleton("expiry", { store: server.store, replica: "r1" });
    const guard = await duty.hold();
    assert.ok(guard !== undefined);
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(await contender.hold(), undefined);
      assert.deepEqual(await duty.hold(), guard);
    }
    await other.desk.close();
    assert.ok((await contender.hold()) !== undefined);
  });

  it("keeps a host that says something now and then for good", async () => {
    for (let round = 0; round < 4; round++) {
      await pass(60_000);
      await server.desk.hear("a", { session: "s1", events: [], notices: [], probes: [] });
      assert.equal(other.desk.isHeard("a"), true);
    }
    await pass(60_000);
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    await pass(60_000);
    assert.equal(other.desk.isHeard("a"), true);
  });

  it("publishes at most once a second, and only what changed", async () => {
    await pass(1_000);
    const { revision } = fleet.journal;
    await server.desk.hear("a", { session: "s1", events: [], notices: [], probes: [] });
    await pass(3_000);
    assert.equal(fleet.journal.revision, revision);
    const names = Array.from({ length: 200 }, (_, at) => `host-${at}`);
    for (const name of names) {
      await enrolHost(server, name);
      await server.desk.hello(name, helloOf(name, "s"));
    }
    const before = fleet.journal.revision;
    await pass(1_000);
    assert.equal(fleet.journal.revision, before + 1);
    assert.deepEqual(await published(), ["a", ...names].toSorted());
    assert.ok(other.desk.isHeard("host-199"));
  });

  it("makes a dead server's hosts silent when its lease ends", async () => {
    const dying = new ManualAlarm();
    const third = openServer(fleet, { name: "r3", alarm: dying.set });
    await enrolHost(server, "b");
    await third.desk.hello("b", helloOf("b", "s1"));
    await pass(1_000, dying);
    assert.equal(other.desk.isHeard("b"), true);
    await pass(PRESENCE_LEASE_MS - 1_000);
    assert.equal(other.desk.isHeard("b"), true);
    await pass(1_000);
    assert.equal(other.desk.isHeard("b"), false);
    // It was slow and not dead: it finds its lease ended, and publishes again.
    await pass(6_000, dying);
    assert.equal(other.desk.isHeard("b"), true);
    await third.close();
    await other.replica.reached(fleet.journal.revision);
    assert.equal(other.desk.isHeard("b"), false);
  });

  it("publishes when the store takes it, though it did not at first", async () => {
    let isDown = false;
    const alarm = new ManualAlarm();
    const turn = async (): Promise<void> => {
      if (isDown) throw new Error("down");
    };
    const third = openServer(fleet, { name: "r3", alarm: alarm.set, turn });
    await enrolHost(third, "b");
    await third.desk.hello("b", helloOf("b", "s1"));
    isDown = true;
    await pass(20_000, alarm);
    assert.deepEqual(await published(), []);
    isDown = false;
    await pass(2_000, alarm);
    assert.deepEqual(await published(), ["b"]);
    await third.close();
  });
});

describe("listAgents()", () => {
  it("says how each host's agent is", async () => {
    assert.deepEqual([lifeOf(server), server.desk.listAgents()[0]?.reportedAtMs], ["never", null]);
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    await pass(1_000);
    assert.deepEqual([lifeOf(server), lifeOf(other)], ["connected", "connected"]);
    const [item] = other.desk.listAgents();
    assert.deepEqual(item, {
      host: "a",
      life: "connected",
      version: "0.1.0",
      generation: 1,
      enrolledAtMs: fleet.clock.nowMs,
      enrolledBy: "op",
      reportedAtMs: fleet.clock.nowMs,
      notices: [],
    });
    await pass(HEARD_MS + 5_000);
    assert.equal(lifeOf(server), "silent");
    await server.desk.revoke("a", { principal: "op" });
    assert.equal(lifeOf(server), "revoked");
  });

  it("does not hear an agent whose credential was taken back", async () => {
    await server.desk.revoke("a", { principal: "op" });
    assert.equal(server.desk.isHeard("a"), false);
  });
});
