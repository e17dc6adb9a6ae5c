// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openSqliteStore } from "@berth/server/store/sqlite/sqlite-store";
import { keyOf } from "@berth/server/documents/keys";
import { requireServer, startServerProcess, type Ended, type ServerProcess } from "./server-process.ts";
import { insistOn, listStanding, SOURCE, SOURCE_DEVICE, startSmallHost, type SmallHost } from "./small-fleet.ts";

const base = fs.mkdtempSync(join(tmpdir(), "berth-bad-store-"));
const endings: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const end of endings.toReversed()) await end();
  fs.rmSync(base, { recursive: true });
});

const FOR = { for: { host: SOURCE, device: SOURCE_DEVICE } } as const;

async function startFleet(server: ServerProcess, name: string): Promise<readonly SmallHost[]> {
  const place = { server: server.link, directory: join(base, name) };
  const hosts = [await startSmallHost(SOURCE, place), await startSmallHost("node1", place)];
  for (const { agent } of hosts) endings.push(async () => agent.stop());
  return hosts;
}

function keepServer(server: ServerProcess): ServerProcess {
  endings.push(async () => server.end("SIGKILL"));
  return server;
}

function requireEnded(started: ServerProcess | Ended): Ended {
  assert.ok("code" in started, "the server serves");
  return started;
}

/** Why no file system can be mounted here, for this test alone; undefined where one can. */
function explainNoMounts(context: TestContext): string | undefined {
  const tried = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { encoding: "utf8" });
  if (tried.status === 0) return undefined;
  const why = `NOT RUN: no file system can be mounted here: ${tried.stderr || "no unshare"}`;
  context.skip(why);
  return why;
}

describe("a server whose disk is full", () => {
  it("answers store_full, reads on, keeps what it said, and writes again when there is room", async (context) => {
    if (explainNoMounts(context) !== undefined) return;
    const mount = join(base, "small");
    fs.mkdirSync(mount);
    const seenAt = (pid: number): string => `/proc/${pid}/root${mount}`;
    const prepare = `mount -t tmpfs -o size=12m,mode=0700 berth-test ${mount}; exec "$@"`;
    const server = keepServer(await requireServer({ data: mount, prepare, seenAt }));
    const [, node] = await startFleet(server, "full");
    const { control, inventory } = server.link;
    const before = await insistOn(() => control.claim({ ...FOR, make: true }));
    assert.equal(before.kind, "granted");
    await insistOn(async () => (await control.listClaims({ state: "bound" })).items.length === 1);
    const ballast = `${seenAt(server.pid)}/ballast`;
    // A hold that runs out while nothing can be written.
    await control.claim({ ...FOR, ttlSeconds: 2 });
    const free = fill(ballast);
    assert.ok(free > 0);
    let granted = 0;
    const error: unknown = await (async () => {
      for (; granted < 10_000; granted += 1) {
        const answer = await control.claim(FOR);
        if (answer.kind === "granted") await control.releaseClaim(answer.claim.id);
      }
      return undefined;
    })().catch((thrown: unknown) => thrown);
    assert.equal((error as { code?: string }).code, "store_full", String(error));
    assert.equal((error as { httpStatus?: number }).httpStatus, 507);
    await sleep(4000);
    assert.equal((await inventory.readReadiness()).status, "ready");
    const lines = server.complaint().trim().split("\n");
    assert.equal(new Set(lines).size, lines.length, server.complaint());
    assert.equal((await control.listClaims({ state: "bound" })).items.length, 1);
    assert.equal((await inventory.listHosts()).items.length, 2);
    assert.equal(node === undefined ? 0 : listStanding(node.kernel).length, 1);
    fs.rmSync(ballast);
    const again = await insistOn(() => control.claim({ ...FOR, make: true }));
    assert.equal(again.kind, "granted");
    await insistOn(async () => (await control.listClaims({ state: "bound" })).items.length === 2);
    const claims = (await control.listClaims({ limit: 1000 })).items;
    assert.ok(claims.length >= granted + 2, `${claims.length} claims, ${granted} granted`);
    assert.deepEqual(await server.end(), { code: 0, signal: null, complaint: server.complaint() });
  });
});

/** Writes until there is no room; answers how many bytes. */
function fill(path: string): number {
  const file = fs.openSync(path, "w");
  let written = 0;
  try {
    for (;;) written += fs.writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  } finally {
    fs.closeSync(file);
  }
  return written;
}

describe("a server that cannot have its data directory", () => {
  it("ends with store_read_only where nothing can be written", async (context) => {
    if (explainNoMounts(context) !== undefined) return;
    const data = join(base, "read-only");
    assert.equal((await (await requireServer({ data })).end()).code, 0);
    const prepare = `mount --bind ${data} ${data}; mount -o remount,ro,bind ${data}; exec "$@"`;
    const { code, complaint } = requireEnded(await startServerProcess({ data, prepare }));
    assert.match(complaint, /^berth: store_read_only: /);
    assert.equal(code, 1);
  });

  it("ends with store_locked and names the server that has it, which does not notice", async () => {
    const data = join(base, "locked");
    const server = keepServer(await requireServer({ data }));
    const { code, complaint } = requireEnded(await startServerProcess({ data }));
    assert.match(complaint, new RegExp(`^berth: store_locked: .*\\b${server.pid}\\b`, "m"));
    assert.equal(code, 1);
    assert.equal((await server.link.inventory.readReadiness()).status, "ready");
    assert.equal(server.complaint(), "");
    assert.equal((await server.end()).code, 0);
  });

  const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
    "is no database": (path) => fs.writeFileSync(path, Buffer.alloc(20_000, "x")),
    "ends in the middle": (path) => fs.truncateSync(path, 6000),
    "has pages that were overwritten": (path) => {
      const file = fs.openSync(path, "r+");
      fs.writeSync(file, Buffer.alloc(fs.statSync(path).size - 4096, 0xa5), 0, undefined, 4096);
      fs.closeSync(file);
    },
  };
  for (const [name, damage] of Object.entries(DAMAGES)) {
    it(`ends with store_damaged where the file ${name}`, async () => {
      const data = join(base, `damaged-${name.replaceAll(" ", "-")}`);
      assert.equal((await (await requireServer({ data })).end()).code, 0);
      damage(join(data, "store.sqlite"));
      const { code, complaint } = requireEnded(await startServerProcess({ data }));
      assert.match(complaint, /^berth: store_damaged: /m);
      assert.equal(code, 1);
    });
  }
});

describe("a server that is killed while a backup is taken", () => {
  it("serves again with all its claims, and leaves no copy of its store behind", async () => {
    const data = join(base, "backup");
    const server = keepServer(await requireServer({ data }));
    await startFleet(server, "backup-agents");
    const { control } = server.link;
    const answer = await insistOn(() => control.claim(FOR));
    assert.equal(answer.kind, "granted");
    await server.end();
    await growStore(data, 3000);
    const target = { path: "/v1/backup", headers: {}, quietMs: 5000 };
    for (const afterMs of [0, 10]) {
      const running = keepServer(await requireServer({ data }));
      const reading = running.link.read(target).catch(() => undefined);
      await insistOn(async () => listCopies(data).length > 0);
      await sleep(afterMs);
      await running.end("SIGKILL");
      await reading;
    }
    assert.notDeepEqual(listCopies(data), [], "it was killed in the middle of a backup");
    const again = keepServer(await requireServer({ data }));
    assert.equal((await again.link.control.listClaims({ state: "held" })).items.length, 1);
    assert.deepEqual(listCopies(data), []);
    await again.end();
  });
});

function listCopies(data: string): readonly string[] {
  return fs.readdirSync(data).filter((name) => name.startsWith("backup-"));
}

describe("a server with 10,000 claims in its store", () => {
  it("is ready within seconds", async () => {
    const data = join(base, "many");
    const server = keepServer(await requireServer({ data }));
    await startFleet(server, "many-agents");
    assert.equal((await insistOn(() => server.link.control.claim(FOR))).kind, "granted");
    await server.end();
    await growStore(data, 10_000);
    const beganMs = performance.now();
    const again = keepServer(await requireServer({ data }));
    assert.equal((await again.link.inventory.readReadiness()).status, "ready");
    const tookMs = performance.now() - beganMs;
    process.stdout.write(`ready with 10,000 claims after ${(tookMs / 1000).toFixed(2)} s\n`);
    assert.equal((await again.link.control.listClaims({ limit: 1000 })).items.length, 1000);
    assert.ok(tookMs < 15_000);
    await again.end();
  });
});

/** Puts so many claims that have ended beside the one that is there. */
async function growStore(data: string, count: number): Promise<void> {
  const store = await openSqliteStore({ directory: data });
  const { documents } = await store.read({ key: "claim/", prefix: true, limit: 1 });
  const { expiresAtMs: _, ...claim } = JSON.parse(documents[0]?.value ?? "") as { id: string; expiresAtMs?: number };
  for (let from = 0; from < count; from += 50) {
    const writes = Array.from({ length: 50 }, (_each, at) => {
      const id = `zz${String(from + at).padStart(24, "0")}`;
      const value = JSON.stringify({ ...claim, id, state: "released", endedAtMs: Date.now() });
      return { kind: "put" as const, key: keyOf("claim", id), value };
    });
    await store.transact({ compares: [], writes });
  }
  await store.close();
}
