// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeClient, type ApiClient } from "@berth/core/protocol/api/client";
import { makeControlClient, type ControlClient } from "@berth/core/protocol/api/control-client";
import { startControlPlane } from "@berth/server/control-plane/start-control-plane";
import { fetchInProcess } from "@berth/server/http/in-process";
import { makeApiServer } from "@berth/server/http/make-server";
import { setRealAlarm } from "@berth/server/store/alarm";
import { MemoryJournal } from "@berth/server/store/memory/memory-journal";
import { MemoryStore } from "@berth/server/store/memory/memory-store";
import { readPacks, readPolicy } from "../input/statements.ts";
import { listen } from "./listening.ts";
import * as small from "./small-fleet.ts";

const DAY_MS = 86_400_000;
const base = mkdtempSync(join(tmpdir(), "berth-bad-clock-"));
const endings: (() => Promise<unknown>)[] = [];
/** What the wall clock is wrong by, and what has passed besides on the clock that cannot be set. */
const skew = { nowMs: 0, passedMs: 0 };
const store = { fails: false };
let control: ControlClient;
let inventory: ApiClient;
let agent: small.SmallHost["agent"];

before(async () => {
  const journal = new MemoryJournal({ epoch: "clock", alarm: setRealAlarm });
  const memory = new MemoryStore(journal, async () => {
    if (store.fails) throw new Error("the store is away");
  });
  const plane = await startControlPlane({
    store: memory,
    policy: readPolicy({ assumePlatform: true }),
    packs: readPacks({}),
    log: () => undefined,
    onFatal: (error) => {
      throw error;
    },
    now: () => Date.now() + skew.nowMs,
    passed: () => performance.now() + skew.passedMs,
  });
  endings.push(async () => plane.close());
  const view = plane.control.replica.view;
  const server = makeApiServer({ view, control: plane.control, version: "0", tokens: () => undefined });
  endings.push(async () => server.close());
  const url = new URL(`http://${await listen(server, { host: "127.0.0.1", port: 0 })}`);
  control = makeControlClient(fetchInProcess(server));
  inventory = makeClient(fetchInProcess(server));
  for (const host of [small.SOURCE, "node1"]) {
    const started = await small.startSmallHost(host, { server: { control, url }, directory: base });
    endings.push(async () => started.agent.stop());
    agent = started.agent;
  }
});
after(async () => {
  for (const end of endings.toReversed()) await end();
  rmSync(base, { recursive: true });
});

async function claim(make: boolean): Promise<string> {
  const body = { for: { host: small.SOURCE, device: small.SOURCE_DEVICE }, make };
  const answer = await small.insistOn(() => control.claim(body));
  assert.ok(answer.kind === "granted", JSON.stringify(answer));
  return answer.claim.id;
}

async function stateOf(id: string): Promise<string> {
  return (await control.readClaim(id)).claim.state;
}

describe("a server whose clock jumps", () => {
  it("a day ahead ends what is held, and nothing that an agent could have seen; everybody stays heard", async () => {
    const [held, bound] = [await claim(false), await claim(true)];
    await small.insistOn(async () => (await stateOf(bound)) === "bound");
    skew.nowMs = DAY_MS;
    assert.equal((await inventory.readReadiness()).status, "ready");
    await small.insistOn(async () => (await stateOf(held)) === "expired");
    await sleep(1500);
    assert.equal(await stateOf(bound), "bound");
    assert.equal(agent.status.state, "welcome");
    assert.deepEqual(
      (await control.listAgents()).items.map(({ life }) => life),
      ["connected", "connected"],
    );
    const { items } = await control.listAudit({ limit: 1000 });
    const ended = items.find(({ action, target }) => action === "claim.expire" && target === held);
    assert.ok(ended !== undefined && ended.atMs > Date.now() + DAY_MS / 2);
    await control.releaseClaim(bound);
    await small.insistOn(async () => (await stateOf(bound)) === "released");
  });

  it("a day back goes on claiming, making and giving back; what is held is held longer", async () => {
    skew.nowMs = 0;
    const early = await claim(false);
    skew.nowMs = -DAY_MS;
    const made = await claim(true);
    await small.insistOn(async () => (await stateOf(made)) === "bound");
    await sleep(1500);
    assert.equal(await stateOf(early), "held");
    await control.confirmClaim(early);
    await small.insistOn(async () => (await stateOf(early)) === "bound");
    for (const id of [early, made]) await control.releaseClaim(id);
    for (const id of [early, made]) await small.insistOn(async () => (await stateOf(id)) === "released");
    assert.equal((await inventory.readReadiness()).status, "ready");
  });

  it("a day back does not hide that its store is away", async () => {
    skew.nowMs = -DAY_MS;
    store.fails = true;
    skew.passedMs = 20_000;
    await small.insistOn(async () => (await inventory.readReadiness().catch(() => undefined))?.status !== "ready");
    store.fails = false;
    await small.insistOn(async () => (await inventory.readReadiness()).status === "ready");
  });
});
