// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";

import { ManualAlarm } from "../memory/manual-alarm.ts";
import type { WatchMessage, Write } from "../store.ts";
import { put, readAll, watchUntil, write } from "../store-client.contract.ts";
import { restoreBackup } from "./backup.ts";
import { openForWriting } from "./database-file.ts";
import { CommitInDoubt, GroupWriter } from "./group-writer.ts";
import type { SqliteStore } from "./sqlite-store.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** A directory of a test's own, removed after it. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "berth-store-"));
  try {
    await body(directory);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

async function withStore<T>(directory: string, body: (store: SqliteStore) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ directory, alarm: new ManualAlarm().set });
  try {
    return await body(store);
  } finally {
    await store.close();
  }
}

/** A store that opens against expectation is closed: it would keep the process alive. */
async function tryOpening(directory: string): Promise<void> {
  await withStore(directory, async () => undefined);
}

function changeFile(directory: string, sql: string): void {
  const database = new DatabaseSync(path.join(directory, "store.sqlite"));
  database.exec(sql);
  database.close();
}

describe("openSqliteStore()", () => {
  test("makes the data directory, for its owner alone", () =>
    inDirectory(async (parent) => {
      const directory = path.join(parent, "a/b");
      await withStore(directory, (store) => put(store, { "p/a": "1" }));
      assert.equal(fs.statSync(directory).mode & 0o777, 0o700);
      assert.equal(fs.statSync(path.join(directory, "store.sqlite")).mode & 0o777, 0o600);
      await withStore(directory, async (store) => assert.deepEqual(await readAll(store), { "p/a": "1" }));
    }));

  test("refuses a directory that is open, names the process that has it, and leaves it alone", () =>
    inDirectory(async (directory) => {
      await withStore(directory, async (store) => {
        const refused = { code: "store_locked", message: new RegExp(`belongs to process ${process.pid}$`) };
        await assert.rejects(tryOpening(directory), refused);
        await assert.rejects(tryOpening(directory), refused);
        await put(store, { "p/a": "1" });
      });
      await withStore(directory, async (store) => assert.deepEqual(await readAll(store), { "p/a": "1" }));
    }));

  test("refuses a store of a newer format, and changes nothing in it", () =>
    inDirectory(async (directory) => {
      await withStore(directory, (store) => put(store, { "p/a": "1" }));
      changeFile(directory, "PRAGMA user_version = 2");
      const before = fs.readFileSync(path.join(directory, "store.sqlite"));
      await assert.rejects(tryOpening(directory), {
        code: "store_format_newer",
        message: /store\.sqlite has store format 2, this Berth knows formats up to 1$/,
      });
      assert.deepEqual(fs.readFileSync(path.join(directory, "store.sqlite")), before);
      changeFile(directory, "PRAGMA user_version = 1");
      await withStore(directory, async (store) => assert.deepEqual(await readAll(store), { "p/a": "1" }));
    }));

  test("refuses what Berth did not write", () =>
    inDirectory(async (directory) => {
      fs.writeFileSync(path.join(directory, "store.sqlite"), "not a database".repeat(1000));
      await assert.rejects(tryOpening(directory), { code: "store_damaged" });
      fs.rmSync(path.join(directory, "store.sqlite"));
      changeFile(directory, "CREATE TABLE stranger (x)");
      await assert.rejects(tryOpening(directory), { code: "store_damaged" });
    }));

  test("removes the keys of leases that an earlier process granted, in one revision", () =>
    inDirectory(async (directory) => {
      const from = await withStore(directory, async (store) => {
        const lease = await store.grantLease(1000);
        const leased = (key: string): Write => ({ kind: "put", key, value: "1", lease });
        const stays: Write = { kind: "put", key: "p/a", value: "1" };
        const revision = await write(store, [leased("here/b"), leased("here/a"), stays]);
        return { epoch: store.epoch, revision };
      });
      await withStore(directory, async (store) => {
        assert.deepEqual(await readAll(store), { "p/a": "1" });
        const [gone] = await watchUntil(store, { prefix: "", from }, from.revision + 1);
        assert.equal(gone?.kind === "changes" ? gone.changes.length : 0, 2);
      });
    }));

  test("goes on counting after everything was compacted", () =>
    inDirectory(async (directory) => {
      const revision = await withStore(directory, async (store) => {
        const last = await put(store, { "p/a": "1" });
        await store.compact(last);
        return last;
      });
      await withStore(directory, async (store) => assert.equal(await put(store, { "p/a": "2" }), revision + 1));
    }));

  test("has an epoch of its own for each store", () =>
    inDirectory(async (directory) => {
      const epochs = ["a", "b"].map((name) => withStore(path.join(directory, name), async ({ epoch }) => epoch));
      const [one, other] = await Promise.all(epochs);
      assert.notEqual(one, other);
    }));
});

describe("watch() of the embedded store", () => {
  test("pages through a long log, and is compacted in steps", () =>
    inDirectory((directory) =>
      withStore(directory, async (store) => {
        const from = { epoch: store.epoch, revision: 0 };
        const writes = Array.from({ length: 4500 }, (_, at) => put(store, { [`p/${at % 10}`]: String(at) }));
        await Promise.all(writes);
        const seen = await watchUntil(store, { prefix: "p/3", from }, 4500 - 6);
        assert.equal(seen.length, 450);
        await store.compact(4400);
        const old = await watchUntil(store, { prefix: "", from: { ...from, revision: 4399 } }, 4500);
        assert.deepEqual(old, [{ kind: "reset", cursor: { ...from, revision: 4500 } }]);
        assert.equal((await watchUntil(store, { prefix: "", from: { ...from, revision: 4400 } }, 4500)).length, 100);
      }),
    ));

  test("resets a cursor that is yet to come: the file is older than its reader", () =>
    inDirectory((directory) =>
      withStore(directory, async (store) => {
        const revision = await put(store, { "p/a": "1" });
        const seen = await watchUntil(store, { prefix: "", from: { epoch: store.epoch, revision: revision + 1 } }, 1);
        assert.deepEqual(seen, [{ kind: "reset", cursor: { epoch: store.epoch, revision } }]);
      }),
    ));
});

describe("backup() and restoreBackup()", () => {
  test("copy the store as it was at one revision while it goes on, and make a new epoch of it", () =>
    inDirectory(async (directory) => {
      const [live, copy, target] = ["live", "copy", "a.backup"].map((name) => path.join(directory, name)) as [
        string,
        string,
        string,
      ];
      const store = await openSqliteStore({ directory: live });
      await put(store, { "p/first": "1", "p/second": "1" });
      const writing = (async () => {
        for (let at = 2; at < 60; at += 1) await put(store, { "p/first": String(at), "p/second": String(at) });
      })();
      const saved = await store.backup(target);
      await writing;
      await store.close();
      assert.equal(saved.epoch, store.epoch);
      assert.equal(fs.statSync(target).mode & 0o777, 0o600);
      const restored = restoreBackup({ backup: target, directory: copy, newEpoch: "new" });
      assert.deepEqual(restored, { epoch: "new", revision: saved.revision });
      await withStore(copy, async (again) => {
        const value = String(saved.revision);
        assert.deepEqual(await readAll(again), { "p/first": value, "p/second": value });
        const [message]: WatchMessage[] = await watchUntil(again, { prefix: "", from: saved }, 1);
        assert.deepEqual(message, { kind: "reset", cursor: restored });
        assert.equal(await put(again, { "p/first": "0" }), saved.revision + 1);
      });
    }));

  test("overwrite nothing, and leave nothing half behind", () =>
    inDirectory(async (directory) => {
      const live = path.join(directory, "live");
      const target = path.join(directory, "a.backup");
      const intoRunning = { backup: target, directory: live };
      await withStore(live, async (store) => {
        await store.backup(target);
        const before = fs.readFileSync(target);
        await assert.rejects(store.backup(target), { code: "store_exists" });
        assert.deepEqual(fs.readFileSync(target), before);
        await assert.rejects(store.backup(path.join(directory, "none/a.backup")), { code: "output_failed" });
        await put(store, { "p/a": "1" });
        assert.throws(() => restoreBackup(intoRunning), { code: "store_locked" });
      });
      assert.throws(() => restoreBackup(intoRunning), { code: "store_exists" });
      await withStore(live, async (again) => assert.deepEqual(await readAll(again), { "p/a": "1" }));
      assert.deepEqual(fs.readdirSync(directory).toSorted(), ["a.backup", "live"]);
    }));

  test("refuse a file that is no backup", () =>
    inDirectory(async (directory) => {
      const file = path.join(directory, "a.backup");
      const made = { backup: file, directory: path.join(directory, "new") };
      assert.throws(() => restoreBackup(made), { code: "file_not_found" });
      fs.writeFileSync(file, "not a database".repeat(1000));
      assert.throws(() => restoreBackup(made), { code: "store_damaged" });
      assert.deepEqual(fs.readdirSync(made.directory).toSorted(), ["lock", "lock.pid"]);
    }));
});

/** A database whose disk fails when it is told to. */
class FailingDatabase extends DatabaseSync {
  failure: { readonly at: string; readonly errcode: number } | undefined;

  override exec(sql: string): void {
    const { failure } = this;
    if (failure?.at === sql) throw Object.assign(new Error("disk failure"), { errcode: failure.errcode });
    super.exec(sql);
  }
}

describe("GroupWriter", () => {
  const item = (key: string) =>
    ({
      kind: "transact",
      compares: [{ kind: "absent", key }],
      writes: [{ kind: "put", key, value: "1", lease: null }],
    }) as const;
  const failing = (directory: string): { writer: GroupWriter; database: FailingDatabase } => {
    const file = path.join(directory, "store.sqlite");
    openForWriting(file, "here").close();
    const database = new FailingDatabase(file);
    return { writer: new GroupWriter(database), database };
  };

  test("lets a conflict in a group fail alone, and shows each item those before it", () =>
    inDirectory(async (directory) => {
      const { writer, database } = failing(directory);
      const { outcomes, revision } = writer.commit([item("p/a"), item("p/a"), item("p/b")]);
      assert.deepEqual(outcomes, [
        { kind: "written", revision: 1 },
        {
          kind: "conflict",
          failed: [{ key: "p/a", document: { key: "p/a", value: "1", revision: 1, created: 1 } }],
          revision: 1,
        },
        { kind: "written", revision: 2 },
      ]);
      assert.equal(revision, 2);
      database.close();
    }));

  test("writes nothing of a group for which there is no room, and goes on when there is", () =>
    inDirectory(async (directory) => {
      const { writer, database } = failing(directory);
      database.failure = { at: "COMMIT", errcode: 13 };
      assert.throws(() => writer.commit([item("p/a"), item("p/b")]), { errcode: 13 });
      database.failure = undefined;
      assert.deepEqual(writer.commit([item("p/a")]).outcomes, [{ kind: "written", revision: 1 }]);
      database.close();
    }));

  test("says so when nobody can know whether a group reached the disk", () =>
    inDirectory(async (directory) => {
      const { writer, database } = failing(directory);
      database.failure = { at: "COMMIT", errcode: 10 + 256 * 4 };
      assert.throws(() => writer.commit([item("p/a")]), CommitInDoubt);
      database.close();
    }));
});
