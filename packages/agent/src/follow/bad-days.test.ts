// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { ClaimState } from "@berth/core/claim/claim-state";
import { VGPU_PATH } from "../provision/made-up-host.ts";
import { openJournalShelf } from "./journal-book.ts";
import {
  desiredOf,
  follow,
  listMakes,
  listStanding,
  makeUpPlace,
  mdevOf,
  openPlace,
  rebootPlace,
  startVm,
  tell,
  uuidOf,
  vgpuOf,
  want,
} from "./made-up-place.ts";
import type { MadeUpPlace } from "./made-up-place.ts";

// Bringing to disk costs nothing in memory, and no machine dies here.
const base = mkdtempSync(`${existsSync("/dev/shm") ? "/dev/shm" : tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

function place(room?: number): MadeUpPlace {
  return makeUpPlace(mkdtempSync(`${base}/state-`), room);
}

/** A place with a claim that was made, and is now in a state. */
async function placeWith(state: ClaimState, parts: Parameters<typeof want>[1] = {}): Promise<MadeUpPlace> {
  const at = place();
  want(at, parts);
  assert.deepEqual(await follow(at), ["c1 provisioned"]);
  want(at, { state });
  return at;
}

/** The file cannot be replaced while this is so. */
function blockFile(at: MadeUpPlace, name: string): () => void {
  const fresh = `${at.state}/.${name}.new`;
  mkdirSync(fresh);
  return () => rmdirSync(fresh);
}

describe("a host that boots", () => {
  it("makes every device of its claims again, of claims that a VM used too, and says who uses none any more", async () => {
    const at = await placeWith("attached", { devices: [mdevOf(1), mdevOf(2)] });
    want(at, { id: "c2", devices: [vgpuOf()], fence: 4 });
    await follow(at);
    want(at, { id: "c2", state: "bound" });
    rebootPlace(at);
    assert.deepEqual(await follow(at), ["c1 detached"]);
    assert.deepEqual(listStanding(at), [uuidOf(1), uuidOf(2), "557"]);
  });

  it("waits for the manager that offers the types of a function, and fails no claim meanwhile", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    rebootPlace(at);
    const path = VGPU_PATH.replace("current_vgpu_type", "creatable_vgpu_types");
    const offered = at.entries.get(path) ?? assert.fail();
    at.entries.set(path, "ID    : vGPU Name\n");
    assert.deepEqual([await follow(at), listStanding(at)], [["c1: type_not_offered"], []]);
    at.entries.set(path, offered);
    assert.deepEqual([await follow(at), listStanding(at)], [[], ["557"]]);
  });

  it("refuses a claim that was never made where its type is not offered", async () => {
    const at = place();
    at.entries.set(VGPU_PATH.replace("current_vgpu_type", "creatable_vgpu_types"), "ID    : vGPU Name\n");
    want(at, { devices: [vgpuOf()] });
    assert.deepEqual(await follow(at), ["c1 refused type_not_offered"]);
  });

  it("says detached before refused also where the agent died between writing the refusal down and telling it", async () => {
    const at = await placeWith("attached", { devices: [vgpuOf()] });
    rebootPlace(at);
    at.refusals.set(VGPU_PATH, ["EIO"]);
    assert.deepEqual(await follow(at), ["c1 detached", "c1 refused refused"]);
    assert.deepEqual(await follow(at), ["c1 detached", "c1 refused refused"]);
    at.entries.delete("/proc/2/comm");
    assert.deepEqual(await follow(at), ["c1: refused"]);
  });
});

describe("a store that was put back", () => {
  it("has a claim made again that had ended, where there is room for it", async () => {
    const at = await placeWith("releasing");
    const follower = openPlace(at);
    const { events } = await follower.follow(desiredOf(at));
    await follower.acknowledge(events);
    at.claims.clear();
    await follow(at, follower);
    Object.assign(at, { epoch: "e2", revision: 1 });
    want(at, { state: "bound", fence: 3, devices: [mdevOf(1)] });
    assert.deepEqual([await follow(at, follower), listStanding(at)], [[], [uuidOf(1)]]);
  });

  it("fails the claim whose room another one has that the store forgot, which stays with its VM", async () => {
    const at = place(1);
    want(at, { id: "c2", devices: [mdevOf(2)], fence: 9 });
    await follow(at);
    startVm(at, [uuidOf(2)]);
    at.claims.clear();
    Object.assign(at, { epoch: "e2", revision: 1 });
    want(at, { state: "bound" });
    assert.deepEqual(await follow(at), ["c1 refused place_taken", "c2: orphan"]);
    assert.deepEqual(listStanding(at), [uuidOf(2)]);
  });

  it("cannot have an address that a claim got which the store forgot", async () => {
    const at = await placeWith("releasing", { devices: [vgpuOf()] });
    await follow(at);
    at.claims.clear();
    want(at, { id: "c2", devices: [vgpuOf()], fence: 9 });
    await follow(at);
    at.claims.clear();
    Object.assign(at, { epoch: "e2", revision: 1 });
    want(at, { state: "bound", fence: 3, devices: [vgpuOf()] });
    assert.deepEqual(await follow(at), ["c2: orphan", "c1: fence_stale"]);
    want(at, { state: "releasing" });
    assert.deepEqual(await follow(at), ["c1 cleared", "c2: orphan"]);
    assert.deepEqual(listStanding(at), ["557"]);
  });

  it("gives back a claim with an old fence when nothing of it stands, and takes nothing away for it", async () => {
    const at = await placeWith("bound", { fence: 7 });
    Object.assign(at, { epoch: "e2", revision: 1 });
    want(at, { state: "releasing", fence: 3 });
    assert.deepEqual([await follow(at), listStanding(at)], [["c1: fence_stale"], [uuidOf(1)]]);
    at.hands.writer.write(`/sys/bus/mdev/devices/${uuidOf(1)}/remove`, "1");
    assert.deepEqual(await follow(at), ["c1 cleared"]);
  });
});

describe("an address that is used again", () => {
  it("is not the new claim's while the old one's device stands, though no claim names that any more", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    at.claims.clear();
    want(at, { id: "c2", devices: [vgpuOf()], fence: 9 });
    assert.deepEqual(await follow(at), ["c2 refused claim_stranger", "c1: orphan"]);
    assert.deepEqual(listStanding(at), ["557"]);
  });

  it("is the new claim's after a boot, and the old one's journal says nothing against it", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    rebootPlace(at);
    at.claims.clear();
    want(at, { id: "c2", devices: [vgpuOf()], fence: 9 });
    assert.deepEqual(await follow(at), ["c2 provisioned"]);
    assert.deepEqual(openJournalShelf(at.state).list(), ["c2"]);
  });
});

describe("a state directory that cannot be written", () => {
  const FILES = {
    "desired.json": ["host: state_unwritable"],
    "fences.json": ["c1: state_unwritable"],
  };
  for (const [name, told] of Object.entries(FILES)) {
    it(`makes nothing without ${name}, and makes it when it can be written`, async () => {
      const at = place();
      want(at);
      const unblock = blockFile(at, name);
      assert.deepEqual([await follow(at), at.log], [told, []]);
      unblock();
      assert.deepEqual(await follow(at), ["c1 provisioned"]);
    });
  }

  it("says no refusal that is not on disk", async () => {
    const at = place(0);
    want(at);
    const follower = openPlace(at);
    const unblock = blockFile(at, "refused.json");
    assert.deepEqual(await follow(at, follower), ["c1: state_unwritable"]);
    unblock();
    at.nowMs += 10_000;
    assert.deepEqual(await follow(at, follower), ["c1 refused place_taken"]);
  });

  for (const purpose of ["made", "taken away"] as const) {
    it(`says nothing that is not so, at whichever record its journal is full while a claim is ${purpose}`, async () => {
      let isEnough = false;
      for (let room = 0; !isEnough; room++) {
        assert.ok(room < 12, "a run has fewer records");
        const at = purpose === "made" ? place() : await placeWith("releasing");
        if (purpose === "made") want(at);
        const shelf = openJournalShelf(at.state);
        let left = room;
        const open: typeof shelf.open = (claim) => {
          const journal = shelf.open(claim);
          return {
            records: journal.records,
            append: (record) => (left-- > 0 ? journal.append(record) : { kind: "failed", errno: "ENOSPC" }),
            close: () => journal.close(),
          };
        };
        const told = await follow(at, openPlace(at, { shelf: { ...shelf, open } }));
        isEnough = left >= 0;
        if (told.includes("c1 provisioned")) assert.deepEqual(listStanding(at), [uuidOf(1)]);
        if (told.includes("c1 cleared")) assert.deepEqual(listStanding(at), []);
        assert.ok(!told.some((line) => line.includes("refused")), told.join());
        // Later there is room on the disk.
        const then = await follow(at);
        assert.deepEqual(then, [purpose === "made" ? "c1 provisioned" : "c1 cleared"]);
        assert.deepEqual(listStanding(at), purpose === "made" ? [uuidOf(1)] : []);
      }
    });
  }
});

describe("a following that is called off", () => {
  it("leaves all of a claim or nothing, whichever write it is called off at, and is taken up again", async () => {
    for (let write = 1; write <= 3; write++) {
      const at = place();
      want(at, { devices: [mdevOf(1), mdevOf(2), mdevOf(3)] });
      const off = new AbortController();
      let writes = 0;
      const writer = {
        write: (path: string, text: string) => {
          if (++writes === write) off.abort();
          return at.hands.writer.write(path, text);
        },
      };
      const told = tell(await openPlace(at, { writer }).follow(desiredOf(at), off.signal));
      const isWhole = told.includes("c1 provisioned");
      assert.deepEqual(listStanding(at), isWhole ? [uuidOf(1), uuidOf(2), uuidOf(3)] : []);
      assert.deepEqual(await follow(at), ["c1 provisioned"]);
    }
  });
});

describe("a driver that was loaded anew with another build", () => {
  it("makes nothing of what was claimed before, and goes on with what stands", async () => {
    const fingerprint = { deviceApi: "vfio-pci", build: "t (build-id 1)" };
    const at = await placeWith("bound");
    want(at, { devices: [mdevOf(1, { fingerprint })] });
    want(at, { id: "c2", devices: [mdevOf(2, { fingerprint })], fence: 4 });
    assert.deepEqual(await follow(at), ["c2 refused fingerprint_changed"]);
    assert.deepEqual([listStanding(at), listMakes(at)], [[uuidOf(1)], [uuidOf(1)]]);
  });
});

describe("a vfio-ap device", () => {
  const mask = (start: string): string => `0x${start.padEnd(64, "0")}`;
  const config = [mask("40"), mask("06"), mask("04")].join();
  const ap = mdevOf(1, { values: [{ attribute: "ap_config", value: config, rule: "R7" }] });
  const attribute = `/sys/bus/mdev/devices/${uuidOf(1)}/ap_config`;

  it("is made and given its whole matrix at once", async () => {
    const at = place();
    want(at, { devices: [ap] });
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
    assert.deepEqual(at.log.slice(1), [`${attribute} ${config}`]);
  });

  it("keeps the matrix that it has while somebody uses it", async () => {
    const at = place();
    at.uses.set(uuidOf(1), { kind: "in-use", by: "VM web-1" });
    want(at, { devices: [ap] });
    assert.deepEqual(await follow(at), ["c1: undo_stuck"]);
    assert.ok(!at.log.some((line) => line.includes("ap_config")), at.log.join());
    at.uses.delete(uuidOf(1));
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
  });

  it("is not given its matrix again in use, though another one was written there", async () => {
    const at = await placeWith("bound", { devices: [ap] });
    at.hands.writer.write(attribute, [mask("80"), mask("06"), mask("04")].join());
    startVm(at, [uuidOf(1)]);
    want(at, { repairsDrift: true, fence: 4 });
    const writes = at.log.length;
    assert.deepEqual(await follow(at), ["c1 attached", "c1: device_in_use"]);
    assert.equal(at.log.length, writes);
  });
});
