// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { Change, Revision, Store, StoredDocument } from "../store.ts";
import { put, readAll, watchUntil } from "../store-client.contract.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const CRASH_WRITER = path.join(import.meta.dirname, "crash-writer.gen.ts");

interface Acknowledged {
  readonly client: number;
  readonly value: string;
  readonly revision: Revision;
}

interface Crash {
  readonly name: string;
  readonly begins: "at the start" | "at the first answer";
  readonly afterMs: number;
}

/** Runs writers for so long, kills them, and answers what they were told. */
async function crash(directory: string, { name, begins, afterMs }: Crash): Promise<Acknowledged[]> {
  const flags = ["--disable-warning=ExperimentalWarning", CRASH_WRITER, directory, name, "20"];
  const file = path.join(directory, `${name}.told`);
  const descriptor = fs.openSync(file, "w");
  const child = spawn(process.execPath, flags, { stdio: ["ignore", descriptor, "inherit"] });
  fs.closeSync(descriptor);
  const ended = once(child, "close");
  const isWaiting = (): boolean => fs.statSync(file).size === 0 && child.exitCode === null;
  while (begins === "at the first answer" && isWaiting()) await sleep(5);
  await sleep(afterMs);
  child.kill("SIGKILL");
  const [, signal]: unknown[] = await ended;
  assert.equal(signal, "SIGKILL");
  // The last line may be half written: nobody was told it.
  const lines = fs.readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [client, value, revision] = JSON.parse(line) as [number, string, Revision];
    return { client, value, revision };
  });
}

/** What each revision changed, from the log. Fails where a revision is missing. */
async function readRevisions(store: Store, after: Revision): Promise<Map<Revision, readonly Change[]>> {
  const { cursor } = await store.read({ key: "a/0" });
  if (cursor.revision === after) return new Map();
  const messages = await watchUntil(store, { prefix: "", from: { ...cursor, revision: after } }, cursor.revision);
  const found = messages.flatMap((message): [Revision, readonly Change[]][] =>
    message.kind === "changes" ? [[message.cursor.revision, message.changes]] : [],
  );
  assert.deepEqual(
    found.map(([revision]) => revision),
    Array.from({ length: cursor.revision - after }, (_, at) => after + at + 1),
  );
  return new Map(found);
}

function valuesOf(changes: readonly Change[] | undefined): string[] {
  return (changes ?? []).map((change) =>
    change.kind === "put" ? `${change.document.key} ${change.document.value}` : "",
  );
}

/** Every second process dies at work, the others wherever they are then: starting, making the file, or at work. */
const ROUNDS = Array.from({ length: 30 }, (_, round) => ({
  name: `round-${round}`,
  begins: round % 2 === 0 ? ("at the start" as const) : ("at the first answer" as const),
  afterMs: (round * 7919) % 331,
}));

describe("the embedded store, killed under load", () => {
  test("keeps every acknowledged transaction, whole, wherever it is killed", { timeout: 300_000 }, async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "berth-crash-"));
    const told: Acknowledged[] = [];
    let checked = 0;
    for (const round of ROUNDS) {
      const news = await crash(directory, round);
      told.push(...news);
      const store = await openSqliteStore({ directory });
      const revisions = await readRevisions(store, checked);
      checkTold(news, revisions);
      checkPairs((await store.read({ key: "", prefix: true })).documents);
      checked += revisions.size;
      await store.close();
    }
    const store = await openSqliteStore({ directory });
    checkTold(told, await readRevisions(store, 0));
    assert.ok(told.length > 1000);
    await store.close();
    fs.rmSync(directory, { recursive: true });
  });
});

function checkTold(told: readonly Acknowledged[], revisions: ReadonlyMap<Revision, readonly Change[]>): void {
  for (const { client, value, revision } of told) {
    assert.deepEqual(valuesOf(revisions.get(revision)), [`a/${client} ${value}`, `b/${client} ${value}`]);
  }
}

/** No transaction is there by half. */
function checkPairs(documents: readonly StoredDocument[]): void {
  const halves = ["a/", "b/"].map((prefix) =>
    documents
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, value, revision }) => [key.slice(2), value, revision]),
  );
  assert.deepEqual(halves[0], halves[1]);
}

/** Mounts a small file system in memory for a test; answers why not, where that is not allowed. */
async function onSmallDisk(body: (mount: string) => Promise<void>): Promise<string | undefined> {
  const mount = fs.mkdtempSync(path.join(os.tmpdir(), "berth-small-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m,mode=0700", "berth-test", mount], {
    encoding: "utf8",
  });
  try {
    if (mounted.status !== 0) return `NOT RUN: no file system can be mounted here: ${mounted.stderr || "no mount"}`;
    await body(mount);
    return undefined;
  } finally {
    if (mounted.status === 0) spawnSync("umount", [mount]);
    fs.rmdirSync(mount);
  }
}

async function fillStore(store: Store): Promise<{ readonly written: number; readonly error: unknown }> {
  for (let written = 0; ; written += 1) {
    try {
      await put(store, { [`p/${written}`]: JSON.stringify("x".repeat(20_000)) });
    } catch (error) {
      return { written, error };
    }
  }
}

describe("the embedded store, on a disk that is full", () => {
  test("refuses with a code, keeps what was acknowledged, and goes on when there is room", async (context) => {
    const why = await onSmallDisk(async (mount) => {
      const ballast = path.join(mount, "ballast");
      fs.writeFileSync(ballast, Buffer.alloc(600_000));
      const store = await openSqliteStore({ directory: path.join(mount, "data") });
      const { written, error } = await fillStore(store);
      assert.ok(written > 0);
      assert.equal((error as { code?: string }).code, "store_full");
      assert.equal(Object.keys(await readAll(store)).length, written);
      await assert.rejects(store.backup(path.join(mount, "a.backup")), { code: "output_failed" });
      assert.deepEqual(fs.readdirSync(mount).toSorted(), ["ballast", "data"]);
      fs.rmSync(ballast);
      await put(store, { "p/again": "1" });
      await store.close();
      const again = await openSqliteStore({ directory: path.join(mount, "data") });
      assert.equal(Object.keys(await readAll(again)).length, written + 1);
      await again.close();
    });
    if (why !== undefined) context.skip(why);
  });

  test("refuses to begin where there is no room, or nothing can be written", async (context) => {
    const why = await onSmallDisk(async (mount) => {
      const directory = path.join(mount, "data");
      const store = await openSqliteStore({ directory });
      await put(store, { "p/a": "1" });
      await store.close();
      spawnSync("mount", ["-o", "remount,ro", mount]);
      await assert.rejects(openSqliteStore({ directory }), { code: "store_read_only" });
      await assert.rejects(openSqliteStore({ directory: path.join(mount, "other") }), { code: "store_read_only" });
      spawnSync("mount", ["-o", "remount,rw", mount]);
      const ballast = fs.openSync(path.join(mount, "ballast"), "w");
      assert.throws(() => {
        for (;;) fs.writeSync(ballast, Buffer.alloc(4096));
      });
      fs.closeSync(ballast);
      await assert.rejects(openSqliteStore({ directory: path.join(mount, "other") }), { code: "store_full" });
    });
    if (why !== undefined) context.skip(why);
  });
});

describe("the data directory", () => {
  test("is refused to a second process, which names the first", { timeout: 60_000 }, async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), "berth-locked-"));
    const store = await openSqliteStore({ directory });
    const flags = ["--disable-warning=ExperimentalWarning", CRASH_WRITER, directory, "second", "1"];
    const second = spawnSync(process.execPath, flags, { encoding: "utf8", timeout: 30_000 });
    assert.equal(second.status, 1);
    assert.match(second.stderr, new RegExp(`belongs to process ${process.pid}`));
    assert.match(second.stderr, /code: 'store_locked'/);
    await put(store, { "p/a": "1" });
    await store.close();
    fs.rmSync(directory, { recursive: true });
  });
});
