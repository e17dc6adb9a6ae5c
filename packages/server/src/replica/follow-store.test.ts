// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BerthError } from "@berth/core/protocol/berth-error";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import type { Store, WatchMessage, WatchRequest } from "../store/store.ts";
import { PRESENCE_LEASE_MS } from "../agents/presence.ts";
import { PULSE_MS } from "./pulse.ts";
import type { Replica } from "./replica.ts";
import type { ReplicaParts } from "./start-replica.ts";
import { describeReplica, startTestReplica, storeWith } from "./test-replica.ts";
import { deleteDocument, openTestStore, putAgent, putCordon, putHost, type TestStore } from "./test-store.ts";

const FAILURE = new BerthError("store_unavailable", "Made up");

/** Lets everything that is due run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

function hostOf(host: string): ReturnType<typeof testSnapshot> {
  return testSnapshot({ host, parents: [{ id: "p", types: [{ id: "drv-a", available: 1 }] }] });
}

/** A store whose watches do first what the test says. */
function watchedBy(test: TestStore, before: (request: WatchRequest) => Promise<WatchMessage | undefined>): Store {
  return storeWith(test.store, {
    watch: async function* (request) {
      const first = await before(request);
      if (first === undefined) yield* test.store.watch(request);
      else yield first;
    },
  });
}

async function assertSameAsFresh(replica: Replica, test: TestStore): Promise<void> {
  const fresh = await startTestReplica(test);
  assert.deepEqual(describeReplica(replica, ["a", "b", "c"]), describeReplica(fresh, ["a", "b", "c"]));
  await fresh.close();
}

describe("a watch that is reset", () => {
  it("is begun anew with a listing, which is one message of what changed", async () => {
    const test = openTestStore();
    await test.write(putHost(hostOf("a")), putHost(hostOf("b")), putAgent("a"));
    let watches = 0;
    const store = watchedBy(test, async () => {
      watches += 1;
      return undefined;
    });
    const replica = await startTestReplica(test, { store });
    const heard: ChangeMessage[] = [];
    replica.view.feed.subscribe((message) => heard.push(message));
    // Several revisions and a compaction before the watch wakes: it falls behind.
    for (const writes of [[deleteDocument("inventory", "b")], [putCordon("a")], putHost(hostOf("c"))]) {
      test.journal.transact({ compares: [], writes });
    }
    test.journal.compact(test.journal.revision);
    await replica.reached(test.journal.revision);
    const changes = [
      { kind: "host-cordoned", host: "a" },
      { kind: "host-put", host: "c" },
      { kind: "host-removed", host: "b" },
    ];
    const [message] = heard;
    const sorted = message?.changes.toSorted((x, y) => (x.kind < y.kind ? -1 : 1));
    assert.deepEqual([heard.length, message?.generation.revision, sorted], [1, 4, changes]);
    await assertSameAsFresh(replica, test);
    await replica.reached(await test.write(putCordon("c")));
    assert.deepEqual(replica.view.cordons, ["a", "c"]);
    assert.equal(watches, 2);
    await replica.close();
  });

  it("is over where the store is another one", async () => {
    const test = openTestStore();
    const failures: unknown[] = [];
    let resets = 1;
    const store = watchedBy(test, async () => {
      resets -= 1;
      return resets < 0 ? undefined : { kind: "reset", cursor: { epoch: "restored", revision: 0 } };
    });
    const replica = await startTestReplica(test, { store, onFailure: (error, what) => failures.push([error, what]) });
    await settle();
    const [[error, what] = []] = failures as [unknown, unknown][];
    assert.match(String(error), /restored/);
    assert.deepEqual([what, failures.length], ["is-over", 1]);
    await assert.rejects(replica.reached(test.journal.revision + 1), { code: "store_unavailable" });
    for (let pulse = 0; pulse < 5; pulse += 1) {
      test.alarm.advance(PULSE_MS);
      await settle();
    }
    assert.equal(test.journal.revision, 0);
    await replica.close();
  });
});

describe("a watch that fails", () => {
  /** A replica whose watch fails as often as the test says, and the pauses after which it was tried. */
  async function startFailing(
    test: TestStore,
    parts: Partial<ReplicaParts> & { failures: number },
  ): Promise<{ readonly replica: Replica; readonly told: unknown[] }> {
    let left = parts.failures;
    const told: unknown[] = [];
    const store = watchedBy(test, async () => {
      left -= 1;
      if (left >= 0) throw FAILURE;
      return undefined;
    });
    const onFailure = (error: unknown, what: string): void => void told.push(error === FAILURE ? what : error);
    const replica = await startTestReplica(test, { store, onFailure, ...parts });
    return { replica, told };
  }

  it("is tried again after growing pauses, from where it stood", async () => {
    const test = openTestStore();
    const { replica, told } = await startFailing(test, { failures: 3 });
    await test.write(putHost(hostOf("a")));
    await settle();
    const counts: number[] = [];
    for (const ms of [99, 1, 199, 1, 399, 1]) {
      counts.push(told.length);
      test.alarm.advance(ms);
      await settle();
    }
    assert.deepEqual(counts, [1, 1, 2, 2, 3, 3]);
    assert.deepEqual(told, ["tried-again", "tried-again", "tried-again"]);
    assert.deepEqual(replica.view.hostNames, ["a"]);
    await replica.close();
  });

  it("shows in the lag until it stands again", async () => {
    const test = openTestStore();
    let nowMs = 0;
    const { replica } = await startFailing(test, { failures: 8, now: () => nowMs });
    await test.write(putHost(hostOf("a")));
    const pass = async (ms: number): Promise<number | undefined> => {
      for (let left = ms; left > 0; left -= 100) {
        nowMs += 100;
        test.alarm.advance(100);
        await settle();
      }
      return replica.lagSeconds();
    };
    assert.equal(await pass(5000), 5);
    assert.equal(await pass(10_000), 15);
    // While the watch fails there is nothing to be proved by a document of its own.
    assert.equal(test.journal.revision, 1);
    assert.equal(await pass(20_000), 0);
    assert.deepEqual(replica.view.hostNames, ["a"]);
    await replica.close();
  });
});

describe("lagSeconds()", () => {
  /** A replica over a store that answers, and whose watch says nothing, as the test says. */
  async function startQuiet(is: { reads: boolean; watches: boolean }): Promise<{
    readonly test: TestStore;
    readonly replica: Replica;
    readonly pass: (ms: number) => Promise<number | undefined>;
  }> {
    const test = openTestStore();
    await test.write(putHost(hostOf("a")));
    let nowMs = 0;
    const store = storeWith(test.store, {
      read: (request) => (is.reads ? test.store.read(request) : Promise.reject(FAILURE)),
      watch: async function* (request) {
        for await (const message of test.store.watch(request)) {
          if (is.watches) yield message;
        }
      },
    });
    const replica = await startTestReplica(test, { store, now: () => nowMs });
    const pass = async (ms: number): Promise<number | undefined> => {
      for (let left = ms; left > 0; left -= PULSE_MS) {
        nowMs += PULSE_MS;
        test.alarm.advance(PULSE_MS);
        await settle();
      }
      return replica.lagSeconds();
    };
    return { test, replica, pass };
  }

  it("is nothing while a quiet store answers that nothing is newer", async () => {
    const { test, replica, pass } = await startQuiet({ reads: true, watches: true });
    assert.equal(replica.lagSeconds(), 0);
    assert.equal(await pass(60_000), 0);
    assert.equal(test.journal.revision, 1);
    await replica.close();
  });

  it("grows while the store does not answer", async () => {
    const is = { reads: true, watches: true };
    const { replica, pass } = await startQuiet(is);
    await pass(4000);
    is.reads = false;
    assert.equal(await pass(4000), 0);
    assert.equal(await pass(6000), 10);
    is.reads = true;
    assert.equal(await pass(2000), 0);
    await replica.close();
  });

  it("grows while the watch is dead and something is newer", async () => {
    const is = { reads: true, watches: true };
    const { test, replica, pass } = await startQuiet(is);
    await settle();
    is.watches = false;
    await test.write(putCordon("a"));
    assert.equal(await pass(20_000), 20);
    await replica.close();
  });

  it("is nothing where the newer revisions are of others who write to the same cluster", async () => {
    const test = openTestStore();
    let nowMs = 0;
    let foreign = 0;
    const store = storeWith(test.store, {
      read: async (request) => {
        const answer = await test.store.read(request);
        return { ...answer, cursor: { epoch: "test", revision: answer.cursor.revision + foreign } };
      },
    });
    const replica = await startTestReplica(test, { store, now: () => nowMs });
    foreign = 1_000;
    for (let pulse = 0; pulse < 10; pulse += 1) {
      nowMs += PULSE_MS;
      test.alarm.advance(PULSE_MS);
      await settle();
    }
    assert.equal(replica.lagSeconds(), 0);
    assert.deepEqual((await test.store.read({ key: "presence/", prefix: true })).documents, []);
    await replica.close();
  });

  it("is asked for by a document that ends by itself where its server dies before it is gone", async () => {
    const test = openTestStore();
    let foreign = 0;
    const store = storeWith(test.store, {
      read: async (request) => {
        const answer = await test.store.read(request);
        return { ...answer, cursor: { epoch: "test", revision: answer.cursor.revision + foreign } };
      },
      transact: async (transaction) => {
        await test.store.transact(transaction);
        // Nobody is left to hear the answer.
        return await new Promise(() => undefined);
      },
    });
    await startTestReplica(test, { store });
    foreign = 1_000;
    const present = async () => (await test.store.read({ key: "presence/", prefix: true })).documents.length;
    for (let pulse = 0; pulse < 3; pulse += 1) {
      test.alarm.advance(PULSE_MS);
      await settle();
    }
    assert.equal(await present(), 1);
    test.alarm.advance(PRESENCE_LEASE_MS);
    assert.equal(await present(), 0);
  });
});

describe("a listing in pages", () => {
  it("leaves to the watch what is written meanwhile", async () => {
    const test = openTestStore();
    const agents = Array.from({ length: 600 }, (_, at) => putAgent(`n${String(at).padStart(4, "0")}`));
    for (let at = 0; at < agents.length; at += 60) await test.write(agents.slice(at, at + 60));
    await test.write(putHost(hostOf("a")), putHost(hostOf("b")));
    let pages = 0;
    const store = storeWith(test.store, {
      read: async (request) => {
        const answer = await test.store.read(request);
        if (request.prefix === true) pages += 1;
        if (request.prefix === true && pages === 3) {
          const writes = [
            deleteDocument("agent", "n0000"),
            putCordon("a"),
            deleteDocument("inventory", "b"),
            putAgent("n0599"),
          ];
          for (const write of writes) await test.write(write);
        }
        return answer;
      },
    });
    const replica = await startTestReplica(test, { store });
    assert.ok(pages > 10);
    // What the pages met of it is there at the start already.
    assert.ok(replica.findHost("n0599")?.agent);
    await replica.reached(test.journal.revision);
    await assertSameAsFresh(replica, test);
    assert.equal(replica.listAgents().length, 599);
    await replica.close();
  });

  it("rejects where it cannot be read", async () => {
    const test = openTestStore();
    const store = storeWith(test.store, { read: () => Promise.reject(FAILURE) });
    await assert.rejects(startTestReplica(test, { store }), { code: "store_unavailable" });
  });
});
