// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Interceptor } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Cursor, Store, WatchMessage } from "../store.ts";
import type { EtcdStore } from "./etcd-store.ts";
import { openEtcdStore } from "./etcd-store.ts";
import type { StartedEtcd, StartOptions } from "./started-etcd.ts";
import { findEtcd, startEtcd } from "./started-etcd.ts";

const program = await findEtcd();

/** One test with a cluster of its own, which is gone at its end whatever became of it. */
function testCluster(
  sentence: string,
  options: Omit<StartOptions, "path">,
  body: (etcd: StartedEtcd, open: (extra?: object) => Promise<EtcdStore>) => Promise<void>,
): void {
  if (program.kind === "missing") {
    test(sentence, { skip: program.reason }, () => {});
    return;
  }
  test(sentence, { timeout: 120_000 }, async () => {
    const etcd = await startEtcd({ path: program.path, ...options });
    const stores: EtcdStore[] = [];
    try {
      await waitForLeader(etcd.endpoints);
      await body(etcd, async (extra = {}) => {
        const store = await openEtcdStore({
          endpoints: etcd.endpoints,
          attemptMs: 1000,
          deadlineMs: 20_000,
          ...extra,
        });
        stores.push(store);
        return store;
      });
    } finally {
      await Promise.all(stores.map(async (store) => await store.close()));
      await etcd.stop();
    }
  });
}

/** So that the first call of a test goes to the first endpoint, and stays there. */
async function waitForLeader(endpoints: readonly string[]): Promise<void> {
  const store = await openEtcdStore({ endpoints });
  try {
    for (let tries = 0; tries < 100; tries += 1) {
      const status = await store.readStatus();
      if (status.every((one) => one.kind === "answering" && one.hasLeader)) return;
      await sleep(100);
    }
  } finally {
    await store.close();
  }
  throw new Error("The members find no leader in 10 s");
}

/** Revision -> key, as acknowledged or as watched. */
type Seen = Map<number, string>;

/** Writes new keys one after the other in several lanes until it is ended, and keeps what was acknowledged. */
function writeLoad(store: Store, lanes: number): { readonly acknowledged: Seen; readonly end: () => Promise<void> } {
  const acknowledged: Seen = new Map();
  let ended = false;
  const lane = async (name: number): Promise<void> => {
    for (let at = 0; !ended; at += 1) {
      const key = `load/${name}/${at}`;
      const answer = await store.transact({
        compares: [{ kind: "absent", key }],
        writes: [{ kind: "put", key, value: "1" }],
      });
      // Nobody else writes these keys: a conflict would be with its own success.
      assert.equal(answer.kind, "written", key);
      assert.equal(acknowledged.has(answer.revision), false, "one revision, one transaction");
      acknowledged.set(answer.revision, key);
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, async (_, at) => await lane(at)));
  // A failed lane is told when it is ended.
  running.catch(() => undefined);
  return {
    acknowledged,
    end: async () => {
      ended = true;
      await running;
    },
  };
}

/** Watches the load until it is ended; a revision that is told twice or out of order fails. */
function watchLoad(store: Store, from: Cursor): { readonly seen: Seen; readonly end: () => Promise<void> } {
  const seen: Seen = new Map();
  const ending = new AbortController();
  let last = from.revision;
  const running = (async () => {
    for await (const message of store.watch({ prefix: "load/", from, signal: ending.signal })) {
      assert.equal(message.kind, "changes");
      assert.ok(message.cursor.revision > last, "in order, and once");
      last = message.cursor.revision;
      for (const change of message.kind === "changes" ? message.changes : []) {
        seen.set(last, change.kind === "put" ? change.document.key : "");
      }
    }
  })();
  running.catch(() => undefined);
  return {
    seen,
    end: async () => {
      ending.abort();
      await running;
    },
  };
}

/** Waits until the watcher saw all, and says what it missed. */
async function findMissed(acknowledged: Seen, seen: Seen): Promise<readonly string[]> {
  const missed = (): string[] => [...acknowledged].filter(([at, key]) => seen.get(at) !== key).map(([, key]) => key);
  for (let tries = 0; tries < 100 && missed().length > 0; tries += 1) await sleep(100);
  return missed();
}

async function cursorOf(store: Store): Promise<Cursor> {
  return (await store.read({ key: "cursor" })).cursor;
}

async function assertAllThere(store: Store, acknowledged: Seen): Promise<void> {
  const { documents } = await store.read({ key: "load/", prefix: true });
  const revisions = new Map(documents.map(({ key, revision }) => [key, revision]));
  for (const [revision, key] of acknowledged) assert.equal(revisions.get(key), revision, `${key} is lost`);
}

async function nextMessage(watch: AsyncIterable<WatchMessage>): Promise<WatchMessage | undefined> {
  for await (const message of watch) return message;
  return undefined;
}

testCluster("kill -9 of the only member under load loses no acknowledged write", { count: 1 }, async (etcd, open) => {
  const store = await open();
  const watcher = await open();
  const watching = watchLoad(watcher, await cursorOf(watcher));
  const load = writeLoad(store, 8);
  for (let round = 0; round < 4; round += 1) {
    await sleep(500 + 130 * round);
    const before = load.acknowledged.size;
    await etcd.members[0]?.kill();
    await sleep(200);
    await etcd.members[0]?.start();
    for (let tries = 0; tries < 100 && load.acknowledged.size < before + 50; tries += 1) await sleep(50);
    assert.ok(load.acknowledged.size >= before + 50, "writes go on after the restart");
  }
  await load.end();
  assert.deepEqual(await findMissed(load.acknowledged, watching.seen), []);
  await watching.end();
  await assertAllThere(store, load.acknowledged);
});

testCluster(
  "the leader killed under load hides no acknowledged write from any watcher",
  { count: 3 },
  async (etcd, open) => {
    const store = await open();
    const watchers = [];
    for (const at of [0, 1, 2]) {
      // Each begins at another member.
      const endpoints = [...etcd.endpoints.slice(at), ...etcd.endpoints.slice(0, at)];
      const watcher = await open({ endpoints });
      watchers.push(watchLoad(watcher, await cursorOf(watcher)));
    }
    const load = writeLoad(store, 8);
    for (let round = 0; round < 3; round += 1) {
      await sleep(700);
      const status = await store.readStatus();
      const leader = status.findIndex((one) => one.kind === "answering" && one.leads);
      assert.notEqual(leader, -1, "somebody leads");
      const before = load.acknowledged.size;
      await etcd.members[leader]?.kill();
      for (let tries = 0; tries < 200 && load.acknowledged.size < before + 50; tries += 1) await sleep(50);
      assert.ok(load.acknowledged.size >= before + 50, "two of three go on");
      const silent = (await store.readStatus()).filter(({ kind }) => kind === "silent");
      assert.deepEqual(
        silent.map(({ endpoint }) => endpoint),
        [etcd.endpoints[leader]],
      );
      await etcd.members[leader]?.start();
    }
    await load.end();
    for (const { seen } of watchers) assert.deepEqual(await findMissed(load.acknowledged, seen), []);
    for (const watcher of watchers) await watcher.end();
    await assertAllThere(store, load.acknowledged);
  },
);

testCluster("a member that hangs is left for the next one", { count: 3 }, async (etcd, open) => {
  const store = await open({ attemptMs: 500 });
  const watching = watchLoad(store, await cursorOf(store));
  await sleep(200);
  etcd.members[0]?.freeze();
  const startedAt = performance.now();
  const load = writeLoad(store, 2);
  for (let tries = 0; tries < 100 && load.acknowledged.size < 20; tries += 1) await sleep(100);
  assert.ok(load.acknowledged.size >= 20, "writes go on");
  assert.ok(performance.now() - startedAt < 9000, "soon");
  await load.end();
  // The watch sat on the member that hangs, and is moved with the calls, sooner than pings find out.
  for (let tries = 0; tries < 3 && watching.seen.size < load.acknowledged.size; tries += 1) await sleep(1000);
  assert.ok(watching.seen.size >= load.acknowledged.size, "the watch goes on");
  assert.deepEqual(await findMissed(load.acknowledged, watching.seen), []);
  await watching.end();
  etcd.members[0]?.thaw();
});

/** Loses every third answer, every fifth request, and delivers every seventh request long after it was given up. */
function loseTransactions(): Interceptor {
  let count = 0;
  return (next) => async (request) => {
    if (request.method.name !== "Txn") return await next(request);
    count += 1;
    const lost = new ConnectError("lost by the test", Code.Unavailable);
    if (count % 5 === 0) throw lost;
    if (count % 7 === 0) {
      void sleep(5 + (count % 40)).then(async () => await next(request).catch(() => undefined));
      throw lost;
    }
    const answer = await next(request);
    if (count % 3 === 0) throw lost;
    return answer;
  };
}

testCluster("lost answers, lost requests and late ones change nothing", { count: 1 }, async (_etcd, open) => {
  const clean = await open();
  const from = await cursorOf(clean);
  const stores = await Promise.all([1, 2, 3, 4].map(async () => await open({ interceptors: [loseTransactions()] })));
  const increments = 50;
  const revisions: number[] = [];
  await Promise.all(
    stores.map(async (store) => {
      for (let done = 0; done < increments;) {
        const [document] = (await store.read({ key: "load/counter" })).documents;
        const answer = await store.transact({
          compares: [
            document === undefined
              ? { kind: "absent", key: "load/counter" }
              : { kind: "revision", key: "load/counter", revision: document.revision },
          ],
          writes: [{ kind: "put", key: "load/counter", value: String(Number(document?.value ?? 0) + 1) }],
        });
        if (answer.kind === "conflict") {
          assert.equal(answer.failed.length, 1, "a conflict is with something");
          continue;
        }
        done += 1;
        revisions.push(answer.revision);
      }
    }),
  );
  // Late requests are all delivered by now, and did nothing.
  await sleep(200);
  const [counter] = (await clean.read({ key: "load/counter" })).documents;
  assert.equal(counter?.value, String(4 * increments));
  const watching = watchLoad(clean, from);
  assert.deepEqual(await findMissed(new Map(revisions.map((at) => [at, "load/counter"])), watching.seen), []);
  await watching.end();
  assert.equal(watching.seen.size, 4 * increments, "no write but the acknowledged ones");
});

testCluster("writes without a compare happen once when answers are lost", { count: 1 }, async (_etcd, open) => {
  const clean = await open();
  const from = await cursorOf(clean);
  const store = await open({ interceptors: [loseTransactions()] });
  const revisions: number[] = [];
  for (let at = 0; at < 100; at += 1) {
    const answer = await store.transact({
      compares: [],
      writes: [at % 2 === 0 ? { kind: "put", key: "load/x", value: String(at) } : { kind: "delete", key: "load/x" }],
    });
    revisions.push(answer.revision);
  }
  await sleep(200);
  const watching = watchLoad(clean, from);
  for (let tries = 0; tries < 50 && watching.seen.size < 100; tries += 1) await sleep(100);
  await watching.end();
  assert.deepEqual([...watching.seen.keys()], revisions);
});

testCluster("a compaction passes by who keeps up, and resets who does not", { count: 1 }, async (_etcd, open) => {
  const store = await open();
  const from = await cursorOf(store);
  const ending = new AbortController();
  const watching = watchLoad(store, from);
  // Begun, and then not read any further.
  const lazy = store.watch({ prefix: "load/", from, signal: ending.signal })[Symbol.asyncIterator]();
  const value = JSON.stringify("x".repeat(60_000));
  const acknowledged: Seen = new Map();
  for (let at = 0; at < 400; at += 1) {
    const key = `load/${at % 10}`;
    const answer = await store.transact({ compares: [], writes: [{ kind: "put", key, value }] });
    acknowledged.set(answer.revision, key);
    if (at === 0) await lazy.next();
    if (at % 100 === 99) await store.compact(answer.revision);
  }
  // Others are served while one does not read.
  assert.deepEqual(await findMissed(acknowledged, watching.seen), []);
  await watching.end();
  let last = Math.min(...acknowledged.keys());
  let reset = false;
  for (let next = await lazy.next(); next.done !== true; next = await lazy.next()) {
    if (next.value.kind === "reset") {
      reset = true;
      assert.deepEqual(next.value.cursor, await cursorOf(store));
      continue;
    }
    assert.equal(next.value.cursor.revision, last + 1, "nothing is left out");
    last = next.value.cursor.revision;
    if (last === Math.max(...acknowledged.keys())) ending.abort();
  }
  assert.ok(reset || last === Math.max(...acknowledged.keys()));
  const old = await nextMessage(store.watch({ prefix: "load/", from, signal: new AbortController().signal }));
  assert.deepEqual(old, { kind: "reset", cursor: await cursorOf(store) });
});

testCluster(
  "a quiet watch is not reset when history before its progress is compacted",
  { count: 1, flags: ["--experimental-watch-progress-notify-interval", "300ms"] },
  async (etcd, open) => {
    const store = await open();
    const signal = AbortSignal.timeout(60_000);
    const next = nextMessage(store.watch({ prefix: "quiet/", from: await cursorOf(store), signal }));
    await sleep(500);
    let revision = 0;
    for (let at = 0; at < 20; at += 1) {
      const writes = [{ kind: "put", key: "load/x", value: "1" }] as const;
      revision = (await store.transact({ compares: [], writes })).revision;
    }
    await sleep(1500);
    await store.compact(revision);
    await etcd.members[0]?.kill();
    await etcd.members[0]?.start();
    const writes = [{ kind: "put", key: "quiet/x", value: "1" }] as const;
    const written = await store.transact({ compares: [], writes });
    const message = await next;
    assert.deepEqual([message?.kind, message?.cursor.revision], ["changes", written.revision]);
  },
);

testCluster("a prefix larger than a page is one moment of the store", { count: 1 }, async (_etcd, open) => {
  const store = await open();
  const value = JSON.stringify("x".repeat(5000));
  for (let at = 0; at < 1500; at += 60) {
    const writes = Array.from({ length: 60 }, (_, one) => {
      return { kind: "put", key: `load/${String(at + one).padStart(5, "0")}`, value } as const;
    });
    await store.transact({ compares: [], writes });
  }
  const changeBoth = async (at: number): Promise<void> => {
    const writes = [`load/00000`, `load/01499`].map((key) => ({ kind: "put", key, value: String(at) }) as const);
    await store.transact({ compares: [], writes });
  };
  await changeBoth(0);
  const ending = new AbortController();
  const changing = (async () => {
    for (let at = 1; !ending.signal.aborted; at += 1) await changeBoth(at);
  })();
  try {
    for (let round = 0; round < 5; round += 1) {
      const { documents, more } = await store.read({ key: "load/", prefix: true });
      assert.deepEqual([documents.length, more], [1500, false]);
      assert.equal(documents[0]?.revision, documents[1499]?.revision);
    }
  } finally {
    ending.abort();
    await changing;
  }
});

testCluster("endpoints of two clusters are refused", { count: 1 }, async (etcd, open) => {
  if (program.kind === "missing") return;
  const other = await startEtcd({ path: program.path, count: 1 });
  try {
    const store = await open({ endpoints: [...etcd.endpoints, ...other.endpoints], deadlineMs: 5000 });
    await etcd.members[0]?.kill();
    await assert.rejects(store.read({ key: "p/a" }), { code: "store_unavailable", message: /another etcd cluster/ });
  } finally {
    await other.stop();
  }
});
