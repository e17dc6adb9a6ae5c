// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import type { StoreOptions } from "../commands/server-run.ts";
import { openStore } from "./open-store.ts";

const base = mkdtempSync(join(tmpdir(), "berth-open-"));
after(() => rmSync(base, { recursive: true }));

function directory(): string {
  const path = mkdtempSync(join(base, "data-"));
  chmodSync(path, 0o700);
  return path;
}

const REFUSED: Readonly<Record<string, { readonly options: StoreOptions; readonly code: string }>> = {
  "a file for etcd without a member": { options: { etcd: [], etcdCa: "ca.pem" }, code: "usage_missing_argument" },
  "a certificate for etcd without a member": {
    options: { etcd: [], etcdCert: "c.pem", etcdKey: "k.pem" },
    code: "usage_missing_argument",
  },
  "an address that is no member": { options: { etcd: ["not a url"] }, code: "usage_bad_value" },
  "an authority of members that is not there": {
    options: { etcd: ["https://127.0.0.1:1"], etcdCa: join(base, "none") },
    code: "file_not_found",
  },
};

describe("openStore()", () => {
  it("opens one file in the data directory, and copies it whole", async () => {
    const at = directory();
    const { store, name, backup } = await openStore({ etcd: [] }, at);
    try {
      assert.equal(name, join(at, "store.sqlite"));
      assert.ok(existsSync(name));
      const first = (await backup?.()) ?? "";
      const second = (await backup?.()) ?? "";
      assert.deepEqual([dirname(first), first === second], [at, false]);
      assert.match(readFileSync(first, "latin1"), /^SQLite format 3/);
      assert.equal(statSync(first).mode & 0o077, 0);
    } finally {
      await store.close();
    }
  });

  it("refuses a directory that another store has", async () => {
    const at = directory();
    const { store } = await openStore({ etcd: [] }, at);
    await assert.rejects(openStore({ etcd: [] }, at), { code: "store_locked" });
    await store.close();
  });

  it("refuses a file that is no store, and leaves it alone", async () => {
    const at = directory();
    writeFileSync(join(at, "store.sqlite"), "not a store".repeat(100));
    await assert.rejects(openStore({ etcd: [] }, at), { code: "store_damaged" });
    assert.equal(readFileSync(join(at, "store.sqlite"), "utf8"), "not a store".repeat(100));
  });

  for (const [name, { options, code }] of Object.entries(REFUSED)) {
    it(`refuses ${name}`, async () => {
      const at = directory();
      await assert.rejects(openStore(options, at), { code });
      assert.ok(!existsSync(join(at, "store.sqlite")));
    });
  }
});
