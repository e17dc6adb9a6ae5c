// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import {
  byCodeUnit,
  changesOf,
  cursorOf,
  documentOf,
  increment,
  keysOf,
  put,
  putChange,
  putOf,
  readAll,
  readOne,
  replay,
  revisionsOf,
  valuesOf,
  watchUntil,
  write,
} from "./store-client.contract.ts";
import type { Cursor, Store, Transaction, Write } from "./store.ts";
import { DOCUMENT_MAX, KEY_MAX, TRANSACTION_BYTES_MAX, TRANSACTION_MAX } from "./store.ts";

/** A store of a test's own, empty. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens the same data again. Absent: nothing outlives the store. */
  readonly reopen?: () => Promise<Store>;
  /** Lets so much time pass for leases. Absent: only the real clock can do it. */
  readonly advance?: (ms: number) => Promise<void>;
  /** Called at the end of each test, whatever became of it. */
  close(): Promise<void>;
}

/** Everything that a caller of the port may rely on. Run with the real thing behind it. */
export function testStore(name: string, open: () => Promise<OpenedStore>): void {
  const check: Check = (sentence, body) => {
    test(sentence, { timeout: 60_000 }, async (context) => {
      const opened = await open();
      try {
        await body(opened.store, opened, (reason) => context.skip(reason));
      } finally {
        await opened.close();
      }
    });
  };
  describe(`${name} keeps the contract of a store`, () => {
    describe("read()", () => testReads(check));
    describe("transact()", () => testTransactions(check));
    describe("transact() refuses", () => testRefusals(check));
    describe("revisions", () => testRevisions(check));
    describe("watch()", () => testWatches(check));
    describe("watch() resets", () => testResets(check));
    describe("concurrent clients", () => testConcurrency(check));
    describe("leases", () => testLeases(check));
    describe("close()", () => testClose(check));
  });
}

type Body = (store: Store, opened: OpenedStore, skip: (reason: string) => void) => Promise<void>;
type Check = (sentence: string, body: Body) => void;

function testReads(check: Check): void {
  check("answers nothing for a key that is not there", async (store) => {
    const answer = await store.read({ key: "claim/none" });
    assert.deepEqual([answer.documents, answer.more], [[], false]);
    assert.equal(answer.cursor.epoch, store.epoch);
  });
  check("answers one key, and none that only begins like it", async (store) => {
    await put(store, { "claim/a": "1", "claim/ab": "2", "claim/a/b": "3" });
    assert.deepEqual(valuesOf(await store.read({ key: "claim/a" })), { "claim/a": "1" });
  });
  check("answers a prefix, sorted by code unit", async (store) => {
    const keys = ["p/b", "p/a", "p/B", "p/", "p/10", "p/9", "p/a/x", "p/a0", "p/~", "p0", "o/z", "p"];
    for (const key of keys) await put(store, { [key]: JSON.stringify(key) });
    const { documents } = await store.read({ key: "p/", prefix: true });
    const expected = keys.filter((key) => key.startsWith("p/")).toSorted(byCodeUnit);
    assert.deepEqual(keysOf(documents), expected);
  });
  check("takes wildcards of any language for themselves", async (store) => {
    await put(store, { "a_b/1": "1", "axb/1": "2", "a%/1": "3", "a*/1": "4", "a[b]/1": "5", "A_b/1": "6" });
    for (const key of ["a_b/", "a%/", "a*/", "a[b]/"]) {
      assert.deepEqual(keysOf((await store.read({ key, prefix: true })).documents), [`${key}1`]);
    }
  });
  check("answers every key for the empty prefix", async (store) => {
    await put(store, { "!": "1", "~": "2", "m/n": "3" });
    assert.deepEqual(valuesOf(await store.read({ key: "", prefix: true })), { "!": "1", "m/n": "3", "~": "2" });
  });
  check("finds a prefix that ends with the last character there is", async (store) => {
    await put(store, { "a~": "1", "a~b": "2", "a~~": "3", b: "4" });
    const { documents } = await store.read({ key: "a~", prefix: true });
    assert.deepEqual(keysOf(documents), ["a~", "a~b", "a~~"]);
  });
  check("stops at the limit and says whether there is more", async (store) => {
    await put(store, { "p/1": "1", "p/2": "2", "p/3": "3" });
    const two = await store.read({ key: "p/", prefix: true, limit: 2 });
    assert.deepEqual([keysOf(two.documents), two.more], [["p/1", "p/2"], true]);
    const three = await store.read({ key: "p/", prefix: true, limit: 3 });
    assert.deepEqual([keysOf(three.documents), three.more], [["p/1", "p/2", "p/3"], false]);
  });
  check("goes on after a key, whether it is there or not", async (store) => {
    await put(store, { "p/1": "1", "p/2": "2", "p/3": "3", "p/4": "4" });
    const next = await store.read({ key: "p/", prefix: true, after: "p/2", limit: 1 });
    assert.deepEqual([keysOf(next.documents), next.more], [["p/3"], true]);
    const rest = await store.read({ key: "p/", prefix: true, after: "p/25" });
    assert.deepEqual([keysOf(rest.documents), rest.more], [["p/3", "p/4"], false]);
    assert.deepEqual(keysOf((await store.read({ key: "p/", prefix: true, after: "q" })).documents), []);
    assert.equal((await store.read({ key: "p/", prefix: true, after: "a" })).documents.length, 4);
  });
  check("sees every write that was acknowledged", async (store) => {
    for (let round = 0; round < 20; round += 1) {
      const revision = await put(store, { "p/x": String(round) });
      const answers = await Promise.all([1, 2, 3].map(() => store.read({ key: "p/x" })));
      for (const { documents, cursor } of answers) {
        assert.deepEqual([documents[0]?.value, documents[0]?.revision], [String(round), revision]);
        assert.deepEqual(cursor, { epoch: store.epoch, revision });
      }
    }
  });
  check("gives back every text as it was", async (store) => {
    const texts = ["", '"\u{1f600} \u00e4 \u4e2d \\u0000 \u2028"', `"${"x".repeat(DOCUMENT_MAX - 2)}"`, '{"a":\n1}'];
    for (const text of texts) {
      await put(store, { "p/x": text });
      assert.equal((await store.read({ key: "p/x" })).documents[0]?.value, text);
    }
  });
  check("refuses what is no key and no limit", async (store) => {
    for (const key of ["", "a b", "\u00e4", "a\n", "x".repeat(KEY_MAX + 1)]) {
      await assert.rejects(store.read({ key }), RangeError);
    }
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await assert.rejects(store.read({ key: "p/", prefix: true, limit }), RangeError);
    }
  });
  check("takes names of the language's own for keys", async (store) => {
    await put(store, { __proto__x: "1", constructor: "2", ["__proto__"]: "3" });
    assert.equal((await store.read({ key: "__proto__" })).documents[0]?.value, "3");
    assert.deepEqual(keysOf((await store.read({ key: "toString", prefix: true })).documents), []);
  });
}

function testTransactions(check: Check): void {
  check("writes all of it", async (store) => {
    await put(store, { "p/old": "0" });
    const revision = await write(store, [putOf("p/a", "1"), { kind: "delete", key: "p/old" }, putOf("q/b", "2")]);
    const { documents } = await store.read({ key: "", prefix: true });
    assert.deepEqual(documents, [documentOf("p/a", "1", revision), documentOf("q/b", "2", revision)]);
  });
  check("writes where every compare holds", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    const answer = await store.transact({
      compares: [
        { kind: "revision", key: "p/a", revision },
        { kind: "absent", key: "p/b" },
      ],
      writes: [putOf("p/b", "2")],
    });
    assert.deepEqual(answer, { kind: "written", revision: revision + 1 });
  });
  check("writes nothing where one compare fails, and names each failing one with what stands there", async (store) => {
    const first = await put(store, { "p/a": "1", "p/b": "2", "p/c": "3" });
    const second = await put(store, { "p/b": "4" });
    const transaction: Transaction = {
      compares: [
        { kind: "revision", key: "p/b", revision: first },
        { kind: "revision", key: "p/c", revision: first },
        { kind: "absent", key: "p/a" },
        { kind: "revision", key: "p/none", revision: first },
        { kind: "absent", key: "p/none" },
      ],
      writes: [putOf("p/a", "9"), putOf("p/new", "9"), { kind: "delete", key: "p/c" }],
    };
    assert.deepEqual(await store.transact(transaction), {
      kind: "conflict",
      failed: [
        { key: "p/b", document: { key: "p/b", value: "4", revision: second, created: first } },
        { key: "p/a", document: documentOf("p/a", "1", first) },
        { key: "p/none" },
      ],
      revision: second,
    });
    const left = await store.read({ key: "p/", prefix: true });
    assert.deepEqual(valuesOf(left), { "p/a": "1", "p/b": "4", "p/c": "3" });
    assert.equal(left.cursor.revision, second);
  });
  check("compares with what stood before its own writes", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    const swap = { compares: [{ kind: "revision", key: "p/a", revision }], writes: [putOf("p/a", "2")] } as const;
    assert.equal((await store.transact(swap)).kind, "written");
    assert.equal((await store.transact(swap)).kind, "conflict");
  });
  check("takes the revision of a removed document for none", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    await write(store, [{ kind: "delete", key: "p/a" }]);
    const compares = [{ kind: "revision", key: "p/a", revision }] as const;
    const answer = await store.transact({ compares, writes: [putOf("p/a", "2")] });
    assert.deepEqual(answer, { kind: "conflict", failed: [{ key: "p/a" }], revision: revision + 1 });
  });
  check("answers compares without a write, at the revision where they held", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    const holds = await store.transact({ compares: [{ kind: "revision", key: "p/a", revision }], writes: [] });
    assert.deepEqual(holds, { kind: "written", revision });
    const fails = await store.transact({ compares: [{ kind: "absent", key: "p/a" }], writes: [] });
    assert.equal(fails.kind, "conflict");
    assert.deepEqual(await store.transact({ compares: [], writes: [] }), { kind: "written", revision });
  });
}

function testRefusals(check: Check): void {
  const many = (count: number): Write[] => Array.from({ length: count }, (_, at) => putOf(`p/${at}`, "1"));
  const absent = { kind: "absent", key: "p/z" } as const;
  check(`more than ${TRANSACTION_MAX} compares and writes together`, async (store) => {
    const fits = await store.transact({ compares: [absent], writes: many(TRANSACTION_MAX - 1) });
    assert.equal(fits.kind, "written");
    const { revision } = fits;
    await assert.rejects(store.transact({ compares: [absent], writes: many(TRANSACTION_MAX) }), RangeError);
    assert.equal((await store.read({ key: "p/0" })).cursor.revision, revision);
  });
  check("a key that is written twice", async (store) => {
    const twice: Write[] = [putOf("p/a", "1"), { kind: "delete", key: "p/a" }];
    await assert.rejects(store.transact({ compares: [], writes: twice }), RangeError);
    assert.deepEqual(await readAll(store), {});
  });
  check(`a document above ${DOCUMENT_MAX} bytes of UTF-8`, async (store) => {
    const wide = `"${"\u4e2d".repeat((DOCUMENT_MAX - 2) / 3)}"`;
    await put(store, { "p/a": wide });
    await assert.rejects(put(store, { "p/b": `${wide}   ` }), RangeError);
    await assert.rejects(put(store, { "p/b": '"\ud800"' }), RangeError);
    assert.deepEqual(Object.keys(await readAll(store)), ["p/a"]);
  });
  check(`documents of more than ${TRANSACTION_BYTES_MAX} bytes together`, async (store) => {
    const large = JSON.stringify("x".repeat(DOCUMENT_MAX - 2));
    const all = Array.from({ length: TRANSACTION_BYTES_MAX / DOCUMENT_MAX }, (_, at) => putOf(`p/${at}`, large));
    assert.equal(typeof (await write(store, all)), "number");
    await assert.rejects(write(store, [...all, putOf("p/more", "1")]), RangeError);
  });
  check("what is no key", async (store) => {
    for (const key of ["", "a b", "a\u0000", "\u{1f600}", "x".repeat(KEY_MAX + 1)]) {
      await assert.rejects(put(store, { [key]: "1" }), RangeError);
      await assert.rejects(store.transact({ compares: [{ kind: "absent", key }], writes: [] }), RangeError);
    }
    assert.equal(typeof (await put(store, { ["x".repeat(KEY_MAX)]: "1" })), "number");
  });
}

function testRevisions(check: Check): void {
  check("grow by one with every transaction that writes, however much", async (store) => {
    const first = await put(store, { "p/a": "1" });
    const second = await put(store, { "p/a": "1", "p/b": "2", "p/c": "3" });
    const third = await write(store, [{ kind: "delete", key: "p/a" }]);
    assert.deepEqual([second, third], [first + 1, first + 2]);
  });
  check("do not grow with a conflict, nor where nothing was there to delete", async (store) => {
    const first = await put(store, { "p/a": "1" });
    await store.transact({ compares: [{ kind: "absent", key: "p/a" }], writes: [putOf("p/b", "1")] });
    assert.equal(await write(store, [{ kind: "delete", key: "p/none" }]), first);
    assert.equal(await put(store, { "p/b": "1" }), first + 1);
  });
  check("tell a changed document from one that was made anew", async (store) => {
    const created = await put(store, { "p/a": "1" });
    const changed = await put(store, { "p/a": "2" });
    assert.deepEqual(await readOne(store, "p/a"), { key: "p/a", value: "2", revision: changed, created });
    await write(store, [{ kind: "delete", key: "p/a" }]);
    const anew = await put(store, { "p/a": "3" });
    assert.deepEqual(await readOne(store, "p/a"), documentOf("p/a", "3", anew));
  });
  check("go on after reopening, with the epoch and the documents", async (store, { reopen }, skip) => {
    if (reopen === undefined) return skip("nothing outlives this store");
    const created = await put(store, { "p/a": "1", "p/b": "1" });
    const last = await write(store, [putOf("p/a", "2"), { kind: "delete", key: "p/b" }]);
    const { epoch } = store;
    const again = await reopen();
    assert.equal(again.epoch, epoch);
    const answer = await again.read({ key: "", prefix: true });
    assert.deepEqual(answer.documents, [{ key: "p/a", value: "2", revision: last, created }]);
    assert.deepEqual(answer.cursor, { epoch, revision: last });
    assert.equal(await put(again, { "p/c": "1" }), last + 1);
    const seen = await watchUntil(again, { prefix: "", from: { epoch, revision: created } }, last + 1);
    assert.deepEqual(revisionsOf(seen), [last, last + 1]);
  });
}

function testWatches(check: Check): void {
  check("tells what comes after the cursor, one message a revision with all its changes", async (store) => {
    const from = await cursorOf(store);
    const first = await put(store, { "p/b": "1", "p/a": "2", "q/x": "3" });
    const second = await write(store, [putOf("p/c", "4"), { kind: "delete", key: "p/a" }, putOf("p/b", "5")]);
    const seen = await watchUntil(store, { prefix: "p/", from }, second);
    const at = (revision: number): Cursor => ({ epoch: store.epoch, revision });
    const b = { key: "p/b", value: "5", revision: second, created: first };
    assert.deepEqual(seen, [
      {
        kind: "changes",
        cursor: at(first),
        changes: [putChange(documentOf("p/a", "2", first)), putChange(documentOf("p/b", "1", first))],
      },
      {
        kind: "changes",
        cursor: at(second),
        changes: [
          { kind: "delete", key: "p/a", revision: second },
          putChange(b),
          putChange(documentOf("p/c", "4", second)),
        ],
      },
    ]);
  });
  check("tells from a past cursor what was overwritten and removed since", async (store) => {
    const first = await put(store, { "p/a": "1" });
    await put(store, { "p/a": "2" });
    await write(store, [{ kind: "delete", key: "p/a" }]);
    const last = await put(store, { "p/a": "3" });
    const seen = await watchUntil(store, { prefix: "p/", from: { epoch: store.epoch, revision: first } }, last);
    assert.deepEqual(revisionsOf(seen), [first + 1, first + 2, last]);
    const told = seen.flatMap(changesOf).map((change) => (change.kind === "put" ? change.document.value : "gone"));
    assert.deepEqual(told, ["2", "gone", "3"]);
  });
  check("passes over what lies outside the prefix, and over deletes of nothing", async (store) => {
    const from = await cursorOf(store);
    await put(store, { "q/a": "1", p: "1" });
    await write(store, [{ kind: "delete", key: "p/none" }]);
    const last = await write(store, [putOf("p/a", "1"), { kind: "delete", key: "p/none" }]);
    const seen = await watchUntil(store, { prefix: "p/", from }, last);
    assert.deepEqual(seen.flatMap(changesOf), [putChange(documentOf("p/a", "1", last))]);
  });
  check("misses nothing and tells nothing twice while many write", async (store) => {
    const from = await cursorOf(store);
    const early = watchUntil(store, { prefix: "p/", from }, from.revision + 200);
    const writes = Array.from({ length: 200 }, (_, at) => put(store, { [`p/${at % 7}`]: String(at), "p/last": "1" }));
    const half = await writes[99];
    const late = watchUntil(store, { prefix: "p/", from: { ...from, revision: half ?? 0 } }, from.revision + 200);
    const revisions = (await Promise.all(writes)).toSorted((a, b) => a - b);
    assert.deepEqual(revisionsOf(await early), revisions);
    assert.deepEqual(
      revisionsOf(await late),
      revisions.filter((revision) => revision > (half ?? 0)),
    );
    assert.deepEqual(replay(await early), await readAll(store));
  });
  check("keeps the order for one who takes his time", async (store) => {
    const from = await cursorOf(store);
    const ending = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const message of store.watch({ prefix: "p/", from, signal: ending.signal })) {
        seen.push(message.cursor.revision);
        await store.read({ key: "p/a" });
        if (message.cursor.revision === from.revision + 60) ending.abort();
      }
    })();
    const revisions = [];
    for (let at = 0; at < 60; at += 1) revisions.push(await put(store, { "p/a": String(at) }));
    await reading;
    assert.deepEqual(seen, revisions);
  });
  check("ends when its signal aborts, also while nothing happens", async (store) => {
    const ending = new AbortController();
    const watch = store.watch({ prefix: "", from: await cursorOf(store), signal: ending.signal });
    const next = watch[Symbol.asyncIterator]().next();
    await store.read({ key: "p/a" });
    ending.abort();
    assert.equal((await next).done, true);
    const aborted = store.watch({ prefix: "", from: { epoch: "x", revision: 0 }, signal: AbortSignal.abort() });
    assert.equal((await aborted[Symbol.asyncIterator]().next()).done, true);
  });
}

// A cursor at the compacted revision itself still works. (A store that says so for no older one watches from the cursor's
// own revision on and passes over that one.)
function testResets(check: Check): void {
  check("a cursor of another epoch, and ends", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    const seen = await watchUntil(store, { prefix: "p/", from: { epoch: "another", revision } }, revision + 100);
    assert.deepEqual(seen, [{ kind: "reset", cursor: { epoch: store.epoch, revision } }]);
  });
  check("a cursor from before a compaction, and no other", async (store) => {
    const first = await put(store, { "p/a": "1" });
    await write(store, [{ kind: "delete", key: "p/a" }, putOf("p/b", "1")]);
    const third = await put(store, { "p/b": "2" });
    await store.compact(first + 1);
    const from = (revision: number): Cursor => ({ epoch: store.epoch, revision });
    const old = await watchUntil(store, { prefix: "p/", from: from(first) }, third);
    assert.deepEqual(old, [{ kind: "reset", cursor: from(third) }]);
    const kept = await watchUntil(store, { prefix: "p/", from: from(first + 1) }, third);
    assert.deepEqual(revisionsOf(kept), [third]);
    assert.deepEqual(await readOne(store, "p/b"), { key: "p/b", value: "2", revision: third, created: first + 1 });
  });
  check("nothing that follows the newest revision, and goes on counting", async (store) => {
    const first = await put(store, { "p/a": "1", "p/b": "1" });
    const second = await put(store, { "p/a": "2" });
    await store.compact(second);
    await store.compact(first);
    await store.compact(second);
    const from = { epoch: store.epoch, revision: second };
    assert.deepEqual(await cursorOf(store), from);
    const watching = watchUntil(store, { prefix: "", from }, second + 1);
    assert.equal(await put(store, { "p/b": "2" }), second + 1);
    assert.deepEqual(revisionsOf(await watching), [second + 1]);
    assert.deepEqual(await readAll(store), { "p/a": "2", "p/b": "2" });
    for (const wrong of [second + 2, 0.5, Number.NaN]) await assert.rejects(store.compact(wrong), RangeError);
  });
}

function testConcurrency(check: Check): void {
  check("land a hundred increments of one counter by compare-and-swap", async (store) => {
    await put(store, { "p/counter": "0" });
    await Promise.all(Array.from({ length: 100 }, () => increment(store, "p/counter")));
    assert.deepEqual(await readAll(store), { "p/counter": "100" });
  });
  check("claim one key sixteen at a time, and exactly one wins each round", async (store) => {
    for (let round = 0; round < 12; round += 1) {
      const key = `claim/${round}`;
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, client) =>
          store.transact({ compares: [{ kind: "absent", key }], writes: [putOf(key, String(client))] }),
        ),
      );
      const winners = answers.flatMap(({ kind }, client) => (kind === "written" ? [String(client)] : []));
      const stood = answers.flatMap((answer) => (answer.kind === "conflict" ? answer.failed : []));
      assert.equal(winners.length, 1);
      assert.deepEqual(
        stood.map(({ document }) => document?.value),
        Array.from({ length: 15 }, () => winners[0]),
      );
    }
  });
  check("get revisions of their own, without a gap", async (store) => {
    const { revision } = await cursorOf(store);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => put(store, { [`p/${at}`]: "1" })));
    const expected = Array.from({ length: 50 }, (_, at) => revision + 1 + at);
    assert.deepEqual(
      answers.toSorted((a, b) => a - b),
      expected,
    );
  });
}

/** Whole seconds, and enough of them: a store may count in seconds and know a shortest lease. */
const TTL_MS = 3000;

function testLeases(check: Check): void {
  const leased = (key: string, lease: Awaited<ReturnType<Store["grantLease"]>>): Write => ({
    kind: "put",
    key,
    value: "1",
    lease,
  });
  check("take their keys with them when they expire, in one revision that watchers see", async (store, opened) => {
    const lease = await store.grantLease(TTL_MS);
    const first = await write(store, [leased("here/b", lease), putOf("here/stays", "1")]);
    const second = await write(store, [leased("here/a", lease)]);
    const from = { epoch: store.epoch, revision: second };
    const watching = watchUntil(store, { prefix: "here/", from }, second + 1);
    await passTime(opened, TTL_MS);
    const [gone] = await watching;
    assert.deepEqual(gone, {
      kind: "changes",
      cursor: { epoch: store.epoch, revision: second + 1 },
      changes: [
        { kind: "delete", key: "here/a", revision: second + 1 },
        { kind: "delete", key: "here/b", revision: second + 1 },
      ],
    });
    const { documents } = await store.read({ key: "", prefix: true });
    assert.deepEqual(documents, [documentOf("here/stays", "1", first)]);
    await assert.rejects(lease.keepAlive(), { code: "store_lease_ended" });
  });
  check("last as long as they are kept alive", async (store, opened) => {
    const lease = await store.grantLease(TTL_MS);
    const revision = await write(store, [leased("here/a", lease)]);
    for (let round = 0; round < 3; round += 1) {
      await passTime(opened, TTL_MS / 2);
      await lease.keepAlive();
    }
    assert.deepEqual(await readAll(store), { "here/a": "1" });
    const from = { epoch: store.epoch, revision };
    const watching = watchUntil(store, { prefix: "", from }, revision + 1);
    await passTime(opened, TTL_MS);
    assert.deepEqual(revisionsOf(await watching), [revision + 1]);
  });
  check("end at once when they are revoked, and stay ended", async (store) => {
    const lease = await store.grantLease(60_000);
    const other = await store.grantLease(60_000);
    const revision = await write(store, [leased("here/a", lease), leased("here/b", other)]);
    await lease.revoke();
    assert.deepEqual(await readAll(store), { "here/b": "1" });
    assert.equal((await cursorOf(store)).revision, revision + 1);
    await lease.revoke();
    await assert.rejects(lease.keepAlive(), { code: "store_lease_ended" });
    await assert.rejects(write(store, [putOf("here/c", "1"), leased("here/d", lease)]), { code: "store_lease_ended" });
    assert.deepEqual(await readAll(store), { "here/b": "1" });
    await other.keepAlive();
  });
  check("let go of a key that is written without them or with another", async (store) => {
    const lease = await store.grantLease(60_000);
    const other = await store.grantLease(60_000);
    await write(store, [leased("here/a", lease), leased("here/b", lease), leased("here/c", lease)]);
    await write(store, [putOf("here/a", "2"), leased("here/b", other)]);
    await lease.revoke();
    assert.deepEqual(await readAll(store), { "here/a": "2", "here/b": "1" });
    await other.revoke();
    assert.deepEqual(await readAll(store), { "here/a": "2" });
  });
  check("write no revision when they end without a key", async (store) => {
    const revision = await put(store, { "p/a": "1" });
    const lease = await store.grantLease(60_000);
    await lease.revoke();
    assert.equal(await put(store, { "p/a": "2" }), revision + 1);
    for (const ttlMs of [0, -1, 0.5, Number.NaN]) await assert.rejects(store.grantLease(ttlMs), RangeError);
  });
}

function testClose(check: Check): void {
  check("ends all watches", async (store) => {
    const { signal } = new AbortController();
    const from = await cursorOf(store);
    const ends = ["", "p/"].map((prefix) => {
      const watch = store.watch({ prefix, from, signal });
      return watch[Symbol.asyncIterator]().next();
    });
    await store.read({ key: "p/a" });
    await store.close();
    for (const end of ends) assert.equal((await end).done, true);
  });
  check("may be called twice, and later calls are refused with a code", async (store) => {
    await put(store, { "p/a": "1" });
    await Promise.all([store.close(), store.close()]);
    await store.close();
    const refused = { code: "store_unavailable" };
    await assert.rejects(store.read({ key: "p/a" }), refused);
    await assert.rejects(put(store, { "p/a": "2" }), refused);
    await assert.rejects(store.compact(1), refused);
    await assert.rejects(store.grantLease(1000), refused);
  });
}

async function passTime({ advance }: OpenedStore, ms: number): Promise<void> {
  await (advance === undefined ? sleep(ms) : advance(ms));
}
