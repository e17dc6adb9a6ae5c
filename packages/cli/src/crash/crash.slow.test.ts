// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findEtcd, startEtcd, type StartedMember } from "@berth/server/store/etcd/started-etcd";
import { makeChance } from "./chance.ts";
import { listStanding, SOURCE, UNITS } from "./crash-fleet.ts";
import { elapsed, explainClaim, listClaims, openStage, SEED, telling, until } from "./crash-scene.ts";
import type { Scene, Stage } from "./crash-scene.ts";
import type { Killable } from "./killable.ts";
import { runClient, type Acknowledged } from "./load.ts";

const CLIENTS = 6;
/** How many processes are killed: as many as are asked for, or as many as there is time for on a machine that is busy. */
const ASKED = process.env["BERTH_KILLS"];
const KILLS = Number(ASKED ?? "60");
const KILLING_MAX_MS = ASKED === undefined ? 75_000 : Number.POSITIVE_INFINITY;
const HOSTS = ["node1", "node2", "node3"];
/** Between two kills so much is granted or given back, or so much time goes by; but for some, that come at once. */
const PROGRESS = { answers: 2, ms: 8_000, hasty: 0.3 } as const;

let stage: Stage;
beforeEach(() => {
  stage = openStage();
});
afterEach(async () => stage.close());

/** Kills one, several or all of them at once, at a random instant, and starts them again. Says how many it killed. */
async function killSome({ victims, log }: Scene, chance: () => number): Promise<number> {
  await sleep(chance() * 200);
  const isAll = chance() < 0.05;
  const first = victims[Math.floor(chance() * victims.length)];
  const chosen = victims.filter((victim) => isAll || victim === first || chance() < 0.1);
  log.push(`${elapsed()} kill ${chosen.map(({ name }) => name).join(", ")}`);
  await Promise.all(chosen.map(async (victim) => victim.kill()));
  for (const victim of chosen) victim.start();
  return chosen.length;
}

/** Kills again and again under load; whoever is dead too long to let anything happen is not killed again meanwhile. */
async function killAll(scene: Scene, told: Acknowledged): Promise<number> {
  const chance = makeChance(SEED);
  const over = performance.now() + KILLING_MAX_MS;
  let killed = 0;
  while (killed < KILLS && performance.now() < over) {
    const answers = told.granted.size + told.released.size;
    const end = performance.now() + (chance() < PROGRESS.hasty ? 0 : PROGRESS.ms);
    while (told.granted.size + told.released.size < answers + PROGRESS.answers && performance.now() < end) {
      await sleep(10);
    }
    killed += await killSome(scene, chance);
  }
  return killed;
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
  const clients = Promise.all(
    Array.from({ length: CLIENTS }, async (_, at) => {
      return runClient(scene.server, { told, chance: makeChance(SEED + at + 1), signal: stopping.signal });
    }),
  );
  // It is waited for below; what fails meanwhile is no unhandled rejection.
  clients.catch(() => undefined);
  let killed = 0;
  try {
    killed = await killAll(scene, told);
    // Everybody who is dead is started by now; what is asked last is answered.
    await until("the server answers", async () => (await scene.server.inventory.readReadiness()).status === "ready");
  } finally {
    stopping.abort();
    await clients;
  }
  await until("all claims are settled", async () => {
    const claims = await listClaims(scene.server);
    return claims.every(({ state, endedAtMs }) => state === "bound" || endedAtMs !== undefined);
  });
  await checkScene(scene, told);
  await until("nothing is in the way of any agent", async () => {
    const { items } = await scene.server.control.listAgents();
    return items.every(({ life, notices }) => life === "connected" && notices.length === 0);
  });
  const shown = `${told.granted.size} granted, ${told.released.size} released, ${told.refused} refused`;
  process.stdout.write(`${killed} kills, seed ${SEED}, ${elapsed()} s: ${shown}\n`);
  assert.ok(told.granted.size > killed / 3, `too little happened: ${shown}`);
}

/** A member is killed when it has been started for a moment at least. */
function toKillable(member: StartedMember): Killable {
  let started: Promise<unknown> = Promise.resolve();
  return {
    name: "etcd",
    kill: async () => {
      await started;
      await member.kill();
    },
    start: () => {
      started = Promise.race([member.start().catch(() => undefined), sleep(100)]);
    },
  };
}

describe("killed with SIGKILL at random instants under load", () => {
  it("server and agents over the embedded store lose no claim, grant no place twice and leak no device", async () => {
    const scene = await stage.start({ hosts: HOSTS });
    await telling(scene, async () => liveThrough(scene));
  });

  it("server, agents and the member of an etcd store do so too", async (context) => {
    const etcd = await findEtcd();
    if (etcd.kind === "missing") {
      context.skip(etcd.reason);
      return;
    }
    const cluster = await startEtcd({ path: etcd.path, count: 1 });
    stage.onClose(async () => cluster.stop());
    const [member] = cluster.members;
    assert.ok(member !== undefined);
    const scene = await stage.start({
      hosts: HOSTS,
      storeArguments: ["--etcd", member.endpoint],
      members: [toKillable(member)],
    });
    await telling(scene, async () => liveThrough(scene));
  });
});
