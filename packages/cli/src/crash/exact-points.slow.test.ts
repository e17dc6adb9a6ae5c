// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { listStanding, SOURCE, sourceDevice } from "./crash-fleet.ts";
import { explainClaim, listClaims, openStage, telling, until } from "./crash-scene.ts";
import type { Scene } from "./crash-scene.ts";
import { doom, readDoom, type Death } from "./doom.ts";

/** Third device of the source: it has 3 units, so that a copy takes two writes. */
const DEVICE = sourceDevice(2);

const MAKING: Readonly<Record<string, readonly Death[]>> = {
  "before the device is created": [{ write: 1, when: "before" }],
  "right after the device was created": [{ write: 1, when: "after" }],
  "before the device is given its units": [{ write: 2, when: "before" }],
  "right after the device was given its units": [{ write: 2, when: "after" }],
  "again and again while what it made is taken back": [
    { write: 2, when: "after" },
    { write: 1, when: "before" },
    { write: 1, when: "after" },
    { write: 1, when: "after" },
  ],
};
const UNMAKING: Readonly<Record<string, readonly Death[]>> = {
  "before the device is taken away": [{ write: 1, when: "before" }],
  "right after the device was taken away": [{ write: 1, when: "after" }],
  "twice before the device is taken away": [
    { write: 1, when: "before" },
    { write: 1, when: "before" },
  ],
};

const stage = openStage();
let scene: Scene;
before(async () => {
  scene = await stage.start({ hosts: ["node1"] });
});
after(async () => stage.close());

function target() {
  return scene.hosts.find(({ host }) => host === "node1") ?? assert.fail();
}

async function makeClaim(): Promise<string> {
  const answer = await scene.server.control.claim({ for: { host: SOURCE, device: DEVICE }, make: true });
  assert.ok(answer.kind === "granted", JSON.stringify(answer));
  return answer.claim.id;
}

async function untilState(id: string, state: string): Promise<void> {
  let seen = "";
  await until(`${id} is ${state}`, async () => {
    const claim = (await listClaims(scene.server)).find((one) => one.id === id);
    seen = explainClaim(claim);
    return claim?.state === state || claim?.endedAtMs !== undefined;
  });
  assert.match(seen, new RegExp(` is ${state}:`));
}

async function release(id: string): Promise<void> {
  await scene.server.control.releaseClaim(id);
  await untilState(id, "released");
  assert.deepEqual(listStanding(target()), []);
}

describe("an agent that is killed at one of its writes", () => {
  for (const [name, deaths] of Object.entries(MAKING)) {
    it(`makes what was claimed all the same: ${name}`, async () => {
      await telling(scene, async () => {
        doom(target().folder, deaths);
        const id = await makeClaim();
        await untilState(id, "bound");
        assert.deepEqual(readDoom(target().folder), [], "it has died as often as it was to");
        const [standing = "", ...others] = listStanding(target());
        assert.deepEqual([standing.endsWith(" 3"), others, target().refusals], [true, [], []]);
        await release(id);
      });
    });
  }

  for (const [name, deaths] of Object.entries(UNMAKING)) {
    it(`takes away what was given back all the same: ${name}`, async () => {
      await telling(scene, async () => {
        const id = await makeClaim();
        await untilState(id, "bound");
        doom(target().folder, deaths);
        await release(id);
        assert.deepEqual([readDoom(target().folder), target().refusals], [[], []]);
      });
    });
  }
});

describe("an agent that is killed while it repairs a device that has drifted", () => {
  it("repairs it all the same, and is asked for it no more", async () => {
    await telling(scene, async () => {
      const { kernel, folder } = target();
      const { server } = scene;
      const id = await makeClaim();
      await untilState(id, "bound");
      const [standing = ""] = listStanding(target());
      const [uuid = ""] = standing.split(" ");
      kernel.tree.write(`/sys/bus/mdev/devices/${uuid}/aggregator`, "1\n");
      assert.deepEqual(listStanding(target()), [`${uuid} 1`]);
      await until("the drift is told", async () => {
        return (await listClaims(server)).some((claim) => claim.id === id && claim.notice?.code === "device_drifted");
      });
      doom(folder, [{ write: 1, when: "after" }]);
      await server.control.repairClaim(id);
      await until("it is repaired", async () => {
        const claim = (await listClaims(server)).find((one) => one.id === id);
        return claim?.state === "bound" && claim.repairsDrift === undefined && claim.notice === undefined;
      });
      assert.deepEqual([readDoom(folder), listStanding(target())], [[], [`${uuid} 3`]]);
      await release(id);
    });
  });
});
