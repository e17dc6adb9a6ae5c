// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostLanes } from "./host-lanes.ts";
import { NewestDocuments } from "./newest-documents.ts";

describe("NewestDocuments", () => {
  const SHOWN = { document: "shown", revision: 1 };

  it("shows what was written until the replica has it, and then what the replica has", () => {
    let reached = 4;
    const newest = new NewestDocuments(() => reached);
    newest.absorb({ kind: "written", revision: 5 }, [{ kind: "put", key: "k", value: '"new"' }]);
    assert.deepEqual(newest.find("k", SHOWN), { document: "new", revision: 5 });
    assert.equal(newest.has("k"), true);
    assert.equal(newest.find("other", SHOWN), SHOWN);
    reached = 5;
    assert.equal(newest.has("k"), false);
    assert.equal(newest.find("k", SHOWN), SHOWN);
    assert.equal(newest.find("k", undefined), undefined);
  });

  it("shows what stood in the way, also that nothing did", () => {
    const newest = new NewestDocuments(() => 4);
    const document = { key: "k", value: '"theirs"', revision: 6, created: 6 };
    newest.absorb({ kind: "conflict", revision: 9, failed: [{ key: "k", document }, { key: "gone" }] }, []);
    assert.deepEqual(newest.find("k", SHOWN), { document: "theirs", revision: 6 });
    assert.equal(newest.find("gone", SHOWN), undefined);
    newest.absorb({ kind: "written", revision: 10 }, [{ kind: "delete", key: "k" }]);
    assert.equal(newest.find("k", SHOWN), undefined);
  });

  it("keeps nothing for good that the replica shows, whether anybody asks for it again or not", () => {
    let reached = 0;
    const newest = new NewestDocuments(() => reached);
    for (let revision = 1; revision <= 20_000; revision += 1) {
      newest.absorb({ kind: "written", revision }, [{ kind: "put", key: `claim/${revision}`, value: "{}" }]);
      reached = revision - 3;
      assert.ok(newest.size <= 1024, String(newest.size));
      assert.deepEqual(newest.find(`claim/${revision}`, undefined)?.revision, revision);
    }
  });

  it("does not take what comes late for what is newest", () => {
    const newest = new NewestDocuments(() => 4);
    newest.absorb({ kind: "written", revision: 8 }, [{ kind: "put", key: "k", value: '"new"' }]);
    newest.absorb({ kind: "written", revision: 7 }, [{ kind: "put", key: "k", value: '"old"' }]);
    assert.deepEqual(newest.find("k", SHOWN), { document: "new", revision: 8 });
  });
});

describe("HostLanes", () => {
  it("does the work of a host one after the other, and of two hosts side by side", async () => {
    const lanes = new HostLanes();
    const log: string[] = [];
    const first = Promise.withResolvers<void>();
    const one = lanes.run("a", async () => {
      await first.promise;
      log.push("a1");
    });
    const two = lanes.run("a", async () => void log.push("a2"));
    await lanes.run("b", async () => void log.push("b"));
    assert.deepEqual([lanes.countWaiting("a"), lanes.countWaiting("b")], [2, 0]);
    first.resolve();
    await Promise.all([one, two]);
    assert.deepEqual(log, ["b", "a1", "a2"]);
    assert.equal(lanes.countWaiting("a"), 0);
  });

  it("goes on after work that failed", async () => {
    const lanes = new HostLanes();
    const failed = lanes.run("a", () => Promise.reject(new Error("no")));
    const next = lanes.run("a", async () => "done");
    await assert.rejects(failed, /no/);
    assert.equal(await next, "done");
  });
});
