// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ClaimItem } from "@berth/core/protocol/api/control-answers";
import { readAllPages } from "@berth/core/protocol/api/client";
import { findEtcd, startEtcd } from "@berth/server/store/etcd/started-etcd";
import { openServer, type ServerLink } from "../connect/server-link.ts";
import { handOver, listStanding, SOURCE, startCrashHost, UNITS, type CrashHost } from "./crash-fleet.ts";
import { findFreePort, startKillable, type Killable } from "./killable.ts";
import { insist, runClient, type Acknowledged } from "./load.ts";

const PROGRAM = fileURLToPath(new URL("../main.ts", import.meta.url));
const HOSTS = ["node1", "node2", "node3"];
const CLIENTS = 6;
/** How often something is killed; 200 in a full run. */
const KILLS = Number(process.env["BERTH_KILLS"] ?? "60");
const SETTLE_MS = 60_000;

const endings: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of endings.toReversed()) await end();
});

interface Scene {
  readonly server: ServerLink;
  readonly hosts: readonly CrashHost[];
  /** What may be killed. */
  readonly victims: readonly Killable[];
  readonly complaints: string[];
}

async function startScene(storeArguments: readonly string[], members: readonly Killable[]) {
  const directory = mkdtempSync(join(tmpdir(), "berth-crash-"));
  endings.push(async () => rmSync(directory, { recursive: true, force: true }));
  const complaints: string[] = [];
  const onComplaint = (line: string): void => void complaints.push(line);
  const port = await findFreePort();
  const data = join(directory, "data");
  const args = [
    PROGRAM,
    "server",
    "--assume-platform",
    "--data",
    data,
    "--listen",
    `127.0.0.1:${port}`,
    ...storeArguments,
  ];
  const process_ = startKillable("server", args, onComplaint);
  endings.push(async () => process_.kill());
  const url = new URL(`http://127.0.0.1:${port}`);
  const never = new AbortController().signal;
  await insist(() => openServer({ url }).inventory.readReadiness(), never);
  const server = openServer({ url, token: readFileSync(join(data, "admin.token"), "utf8").trim() });
  const hosts: CrashHost[] = [];
  for (const host of [SOURCE, ...HOSTS]) {
    const started = await startCrashHost(host, { directory, server, onComplaint });
    endings.push(async () => started.close());
    hosts.push(started);
  }
  await until(
    "all hosts have reported",
    async () => (await server.inventory.listHosts()).items.length === hosts.length,
  );
  for (const host of HOSTS) await handOver(server, host);
  const victims = [process_, ...hosts.map(({ agent }) => agent), ...members];
  return { server, hosts, victims, complaints } satisfies Scene;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > end) throw new Error(`It took longer than ${SETTLE_MS / 1000} s until ${what}`);
    await sleep(100);
  }
}

/** Kills one, several or all of them at once, at a random instant, and starts them again. */
async function killSome(victims: readonly Killable[]): Promise<void> {
  await sleep(Math.random() * 400);
  const isAll = Math.random() < 0.1;
  const chosen = victims.filter(() => isAll || Math.random() < 1.5 / victims.length);
  await Promise.all(chosen.map(async (victim) => victim.kill()));
  for (const victim of chosen) victim.start();
}

async function listClaims(server: ServerLink): Promise<readonly ClaimItem[]> {
  return (await readAllPages((page) => server.control.listClaims(page))).items;
}

function explainClaim(claim: ClaimItem | undefined): string {
  if (claim === undefined) return "no claim";
  const { id, host, state, fence, reason, notice } = claim;
  return `${id} on ${host}, fence ${fence}, is ${state}: ${JSON.stringify(reason ?? notice ?? null)}`;
}

/** Everything that must hold once all is quiet. */
async function checkScene({ server, hosts }: Scene, told: Acknowledged): Promise<void> {
  const claims = await listClaims(server);
  const byId = new Map(claims.map((claim) => [claim.id, claim]));
  const lost = [...told.granted].filter((id) => !byId.has(id));
  assert.deepEqual(lost, [], "an acknowledged claim is gone");
  const kept = [...told.granted].filter((id) => !told.released.has(id));
  const ended = kept.filter((id) => byId.get(id)?.endedAtMs !== undefined).map((id) => explainClaim(byId.get(id)));
  assert.deepEqual(ended, [], "a claim ended that nobody released");
  const alive = [...told.released]
    .filter((id) => byId.get(id)?.endedAtMs === undefined)
    .map((id) => explainClaim(byId.get(id)));
  assert.deepEqual(alive, [], "a claim lives on whose release was acknowledged");
  for (const host of hosts.filter(({ host: name }) => name !== SOURCE)) {
    const held = claims.filter((claim) => claim.host === host.host && claim.endedAtMs === undefined);
    const wanted = held.flatMap(({ devices }) => devices.map(({ occupant }) => `${occupant.id} ${occupant.count}`));
    assert.deepEqual(listStanding(host), wanted.toSorted(), `${host.host} holds what is claimed there, and no more`);
    const units = held.flatMap(({ devices }) => devices.map(({ occupant }) => occupant.count));
    assert.ok(units.reduce((sum, count) => sum + count, 0) <= UNITS, `${host.host} is oversubscribed`);
    assert.deepEqual(host.refusals, [], `the kernel of ${host.host} refused what was granted`);
  }
}

async function liveThrough(scene: Scene): Promise<void> {
  const told: Acknowledged = { granted: new Set(), released: new Set(), refused: 0 };
  const stopping = new AbortController();
  const clients = Array.from({ length: CLIENTS }, async () => runClient(scene.server, told, stopping.signal));
  for (let kill = 0; kill < KILLS; kill += 1) await killSome(scene.victims);
  // Everybody who is dead is started by now; what is asked last is answered.
  await until("the server answers", async () => (await scene.server.inventory.readReadiness()).status === "ready");
  stopping.abort();
  await Promise.all(clients);
  await until("all claims are settled", async () => {
    const claims = await listClaims(scene.server);
    return claims.every(({ state, endedAtMs }) => state === "bound" || endedAtMs !== undefined);
  }).catch(async (error: unknown) => {
    const open = (await listClaims(scene.server)).filter(({ endedAtMs }) => endedAtMs === undefined);
    const states = open.map(
      ({ id, host, state, notice }) => `${id} ${host} ${state} ${JSON.stringify(notice ?? null)}`,
    );
    throw new Error([String(error), ...states, ...scene.complaints.slice(-20)].join("\n"));
  });
  await checkScene(scene, told);
  const shown = `${told.granted.size} granted, ${told.released.size} released, ${told.refused} refused`;
  process.stdout.write(`${KILLS} kills: ${shown}\n`);
  assert.ok(told.granted.size > KILLS / 4, `too little happened: ${shown}`);
}

describe("killed with SIGKILL at random instants under load", () => {
  it("server and agents over the embedded store lose no claim, grant no place twice and leak no device", async () => {
    await liveThrough(await startScene([], []));
  });

  it("server, agents and the member of an etcd store do so too", async (context) => {
    const etcd = await findEtcd();
    if (etcd.kind === "missing") {
      context.skip(etcd.reason);
      return;
    }
    const cluster = await startEtcd({ path: etcd.path, count: 1 });
    endings.push(async () => cluster.stop());
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    const victim: Killable = { name: "etcd", kill: () => member.kill(), start: () => void member.start() };
    await liveThrough(await startScene(["--etcd", member.endpoint], [victim]));
  });
});
