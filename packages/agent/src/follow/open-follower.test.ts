// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { ClaimedDevice } from "@berth/core/claim/claim";
import type { ClaimState } from "@berth/core/claim/claim-state";
import { openJournalShelf } from "./journal-book.ts";
import { VGPU_PATH } from "../provision/made-up-host.ts";
import {
  desiredOf,
  follow,
  listMakes,
  listStanding,
  makeUpPlace,
  mdevOf,
  openPlace,
  rebootPlace,
  slowDown,
  startVm,
  stopVm,
  tell,
  uuidOf,
  vgpuOf,
  want,
} from "./made-up-place.ts";
import type { MadeUpPlace } from "./made-up-place.ts";

const base = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

function place(room?: number): MadeUpPlace {
  return makeUpPlace(mkdtempSync(`${base}/state-`), room);
}

/** A place with a claim that was made, and is now in a state. */
async function placeWith(state: ClaimState, parts: Parameters<typeof want>[1] = {}): Promise<MadeUpPlace> {
  const at = place();
  want(at, parts);
  assert.deepEqual(await follow(at), [`${parts.id ?? "c1"} provisioned`]);
  want(at, { ...(parts.id === undefined ? {} : { id: parts.id }), state });
  return at;
}

const COUNTED: Partial<ClaimedDevice> = {
  count: 4,
  countAttribute: "aggregator",
  values: [{ attribute: "aggregator", value: "4", rule: "R7" }],
};

describe("follow() of a claim that is wanted", () => {
  it("says provisioned of what stands as claimed, and makes nothing again", async () => {
    const at = place();
    want(at);
    const follower = openPlace(at);
    const first = await follower.follow(desiredOf(at));
    assert.deepEqual([tell(first), first.hasChanged, first.events[0]?.fence], [["c1 provisioned"], true, 3]);
    const second = await follower.follow(desiredOf(at));
    assert.deepEqual([tell(second), second.hasChanged], [["c1 provisioned"], false]);
    assert.deepEqual(listMakes(at), [uuidOf(1)]);
  });

  it("makes what is missing of several", async () => {
    const at = place();
    want(at, { devices: [mdevOf(1), mdevOf(2)] });
    at.hands.writer.write("/x/create", uuidOf(1));
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
    assert.deepEqual(listStanding(at), [uuidOf(1), uuidOf(2)]);
  });

  it("takes away what is not as claimed and makes it anew while provisioning", async () => {
    const at = place();
    want(at, { devices: [mdevOf(1, COUNTED)] });
    at.hands.writer.write("/x/create", uuidOf(1));
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
    assert.equal(at.log.filter((line) => line.includes("/remove")).length, 1);
    assert.equal(at.hands.look().read(`/sys/bus/mdev/devices/${uuidOf(1)}/aggregator`, 9).kind, "text");
  });

  it("reports drift of a bound claim, and repairs it on request", async () => {
    const at = await placeWith("bound", { devices: [mdevOf(1, COUNTED)] });
    at.hands.writer.write(`/sys/bus/mdev/devices/${uuidOf(1)}/aggregator`, "2");
    assert.deepEqual(await follow(at), ["c1: device_drifted"]);
    want(at, { repairsDrift: true, fence: 4 });
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
    const text = at.hands.look().read(`/sys/bus/mdev/devices/${uuidOf(1)}/aggregator`, 9);
    assert.deepEqual(text, { kind: "text", text: "4\n" });
  });

  it("refuses where a stranger stands, whom it leaves alone", async () => {
    const at = place();
    want(at, { devices: [mdevOf(1, { parent: "gpu", type: "t-9" })] });
    at.hands.writer.write("/x/create", uuidOf(1));
    assert.deepEqual(await follow(at), ["c1 refused claim_stranger"]);
    assert.deepEqual(listStanding(at), [uuidOf(1)]);
  });

  it("refuses where the fingerprint has changed, and takes its own away", async () => {
    const at = place();
    const fingerprint = { deviceApi: "vfio-pci", build: "t (build-id 1)" };
    want(at, { devices: [mdevOf(1, { fingerprint }), mdevOf(2)] });
    at.hands.writer.write("/x/create", uuidOf(2));
    assert.deepEqual(await follow(at), ["c1 refused fingerprint_changed"]);
    assert.deepEqual(listStanding(at), []);
  });

  it("refuses with the errno and the attribute when the pool is full, takes all back, and never tries again", async () => {
    const at = place(1);
    want(at, { devices: [mdevOf(1), mdevOf(2)] });
    const follower = openPlace(at);
    const { events } = await follower.follow(desiredOf(at));
    assert.deepEqual(events[0]?.reason?.code, "place_taken");
    assert.match(events[0]?.reason?.text ?? "", /EUSERS.*t-1\/create/);
    assert.deepEqual([listStanding(at), listMakes(at)], [[], [uuidOf(1), uuidOf(2)]]);
    assert.deepEqual(await follow(at, follower), ["c1 refused place_taken"]);
    await follower.acknowledge(events);
    assert.deepEqual(await follow(at, openPlace(at)), ["c1 refused place_taken"]);
    assert.equal(listMakes(at).length, 2);
  });

  it("forgets a refusal with its claim", async () => {
    const at = place(0);
    want(at);
    await follow(at);
    at.claims.clear();
    at.revision += 1;
    assert.deepEqual(await follow(at), []);
    assert.deepEqual(JSON.parse(readFileSync(`${at.state}/refused.json`, "utf8")), { format: 1, refused: [] });
  });

  it("makes nothing on a parent that was not handed over", async () => {
    const at = place();
    at.adopted = [];
    want(at);
    assert.deepEqual(await follow(at), ["c1 refused not_adopted"]);
    assert.deepEqual(at.log, []);
  });

  it("leaves devices where they stand when their parent is taken back", async () => {
    const at = await placeWith("bound");
    at.adopted = [];
    assert.deepEqual(await follow(at), []);
    want(at, { state: "releasing" });
    assert.deepEqual(await follow(at), ["c1 cleared"]);
    assert.deepEqual(listStanding(at), []);
  });

  it("refuses a claim that is older than its identity, and makes nothing", async () => {
    const at = await placeWith("bound");
    want(at, { state: "releasing" });
    await follow(at);
    at.claims.clear();
    want(at, { id: "c2", devices: [vgpuOf()], fence: 9 });
    await follow(at);
    at.claims.clear();
    want(at, { id: "c3", devices: [vgpuOf()], fence: 8 });
    const makes = listMakes(at).length;
    assert.deepEqual(await follow(at), ["c3 refused fence_stale", "c2: orphan"]);
    assert.equal(listMakes(at).length, makes);
  });

  it("only gives notice of an old fence where it may have made something", async () => {
    const at = await placeWith("bound", { fence: 7 });
    want(at, { state: "provisioning", fence: 6 });
    assert.deepEqual(await follow(at), ["c1: fence_stale"]);
    want(at, { state: "releasing", fence: 6 });
    assert.deepEqual(await follow(at), ["c1: fence_stale"]);
    assert.deepEqual(listStanding(at), [uuidOf(1)]);
  });

  it("touches nothing where an address may be somebody else's", async () => {
    const at = place();
    at.entries.set(VGPU_PATH, "557\n");
    want(at, { devices: [vgpuOf()] });
    assert.deepEqual(await follow(at), ["c1: device_owner_unknown"]);
    want(at, { state: "releasing" });
    assert.deepEqual(await follow(at), ["c1: device_owner_unknown"]);
    assert.deepEqual(at.log, []);
  });

  it("knows an address to be a stranger's where its own record reaches back far enough", async () => {
    const at = place();
    await follow(at);
    at.entries.set(VGPU_PATH, "557\n");
    want(at, { devices: [vgpuOf()] });
    want(at, { id: "c2", devices: [vgpuOf()], state: "releasing", fence: 4 });
    assert.deepEqual(await follow(at), ["c1 refused claim_stranger", "c2 cleared"]);
    assert.deepEqual([at.log, listStanding(at)], [[], ["557"]]);
  });

  it("gives a function of the vendor framework its type again after a reboot", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    rebootPlace(at);
    assert.deepEqual(listStanding(at), []);
    assert.deepEqual(await follow(at), []);
    assert.deepEqual([listStanding(at), listMakes(at)], [["557"], ["557", "557"]]);
  });

  it("waits for a parent that is not there yet after a reboot", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    rebootPlace(at);
    const gone = [...at.entries].filter(([path]) => path.includes("0000:08:00.4"));
    for (const [path] of gone) at.entries.delete(path);
    assert.deepEqual(await follow(at), ["c1: parent_gone"]);
    for (const [path, entry] of gone) at.entries.set(path, entry);
    assert.deepEqual([await follow(at), listStanding(at)], [[], ["557"]]);
  });

  it("does not wait for a parent before anything was made", async () => {
    const at = place();
    at.adopted = ["gpu-9"];
    want(at, { devices: [mdevOf(1, { parent: "gpu-9" })] });
    assert.deepEqual(await follow(at), ["c1 refused parent_gone"]);
  });

  it("fails a bound claim that cannot be made again after a reboot", async () => {
    const at = await placeWith("bound", { devices: [vgpuOf()] });
    rebootPlace(at);
    at.refusals.set(VGPU_PATH, ["ENOSPC"]);
    assert.deepEqual(await follow(at), ["c1 refused place_taken"]);
  });

  it("says detached before refused of a claim that was attached", async () => {
    const at = await placeWith("attached", { devices: [vgpuOf()] });
    rebootPlace(at);
    at.refusals.set(VGPU_PATH, ["EIO"]);
    assert.deepEqual(await follow(at), ["c1 detached", "c1 refused refused"]);
  });

  it("refuses nothing of an attached claim whose users cannot be seen", async () => {
    const at = await placeWith("attached", { devices: [vgpuOf()] });
    rebootPlace(at);
    at.refusals.set(VGPU_PATH, ["EIO"]);
    at.entries.delete("/proc/2/comm");
    assert.deepEqual(await follow(at), ["c1: refused"]);
  });

  it("wants a function as it is to be there, and handed to guests", async () => {
    const at = place();
    const identity = { kind: "function", address: "0000:09:00.0" } as const;
    const occupant = { id: identity.address, type: "", count: 1, parent: identity.address };
    const device = mdevOf(1, { identity, occupant, parent: identity.address, type: "" });
    at.adopted = [identity.address];
    want(at, { devices: [device] });
    assert.deepEqual(await follow(at), ["c1 refused function_gone"]);
    want(at, { id: "c2", devices: [device], state: "bound" });
    assert.deepEqual((await follow(at)).at(-1), "c2: function_gone");
  });

  it("says nothing of a claim that was called off, and nothing is left", async () => {
    const at = place();
    want(at);
    const aborted = AbortSignal.abort();
    const followed = await openPlace(at).follow(desiredOf(at), aborted);
    assert.deepEqual([tell(followed), listStanding(at)], [[], []]);
  });
});

describe("follow() of a claim that a VM uses", () => {
  it("says attached and detached when it changes, and not again", async () => {
    const at = await placeWith("bound");
    startVm(at, [uuidOf(1)]);
    assert.deepEqual(await follow(at), ["c1 attached"]);
    want(at, { state: "attached" });
    assert.deepEqual(await follow(at), []);
    stopVm(at);
    assert.deepEqual(await follow(at), ["c1 detached"]);
    want(at, { state: "bound" });
    assert.deepEqual(await follow(at), []);
  });

  it("does not say detached where users cannot be seen", async () => {
    const at = await placeWith("attached");
    at.entries.delete("/proc/2/comm");
    assert.deepEqual(await follow(at), []);
  });

  it("does not say attached before the claim is bound", async () => {
    const at = await placeWith("provisioning");
    startVm(at, [uuidOf(1)]);
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
  });

  it("leaves a device to be taken away that is in use, and names its user once", async () => {
    const at = await placeWith("releasing");
    startVm(at, [uuidOf(1)]);
    const { events, notices } = await openPlace(at).follow(desiredOf(at));
    assert.deepEqual(tell({ events, notices: [], probes: [], hasChanged: false }), ["c1 attached device_in_use"]);
    const reason = events[0]?.reason;
    assert.match(reason?.text ?? "", /in use by VM web-1 \(pid 42\)/);
    assert.deepEqual(notices, [{ claim: "c1", reason }]);
    assert.ok(reason !== undefined);
    want(at, { reason });
    assert.deepEqual(await follow(at), ["c1: device_in_use"]);
    stopVm(at);
    assert.deepEqual(await follow(at), ["c1 cleared"]);
  });

  it("does not take away what somebody may use who cannot be seen, and does not call it attached", async () => {
    const at = await placeWith("releasing");
    at.entries.delete("/proc/2/comm");
    assert.deepEqual(await follow(at), ["c1: device_in_use"]);
    assert.deepEqual(listStanding(at), [uuidOf(1)]);
  });

  it("does not touch a device in use that is not as claimed", async () => {
    const at = place();
    want(at, { devices: [mdevOf(1, COUNTED)] });
    at.hands.writer.write("/x/create", uuidOf(1));
    startVm(at, [uuidOf(1)]);
    assert.deepEqual(await follow(at), ["c1: device_in_use"]);
  });

  it("does not give back a function that is in use", async () => {
    const at = place();
    const identity = { kind: "function", address: "0000:09:00.0" } as const;
    const occupant = { id: identity.address, type: "", count: 1, parent: identity.address };
    const folder = `/sys/bus/pci/devices/${identity.address}`;
    at.entries.set(`${folder}/vendor`, "0x15b3\n");
    at.entries.set(`${folder}/driver`, { kind: "link", target: "/sys/bus/pci/drivers/vfio-pci" });
    at.entries.set("/sys/bus/pci/drivers/vfio-pci", { kind: "directory" });
    want(at, { state: "releasing", devices: [mdevOf(1, { identity, occupant, parent: occupant.parent, type: "" })] });
    at.entries.set("/proc/42/cmdline", `/usr/bin/qemu-system-x86_64\0-device\0vfio-pci,host=${identity.address}\0`);
    at.entries.set("/proc/42/fd/0", "");
    assert.deepEqual(await follow(at), ["c1 attached device_in_use", "c1: device_in_use"]);
    stopVm(at);
    assert.deepEqual(await follow(at), ["c1 cleared"]);
  });
});

describe("follow() of a claim that is given back", () => {
  it("takes its own away and says cleared, again and again", async () => {
    const at = await placeWith("releasing");
    const follower = openPlace(at);
    assert.deepEqual(await follow(at, follower), ["c1 cleared"]);
    assert.deepEqual(await follow(at, follower), ["c1 cleared"]);
    assert.deepEqual(listStanding(at), []);
    assert.equal(at.log.filter((line) => line.includes("/remove")).length, 1);
  });

  it("says cleared of nothing, and of somebody else's", async () => {
    const at = place();
    at.hands.writer.write("/x/create", uuidOf(2));
    want(at, { state: "releasing" });
    want(at, { id: "c2", state: "releasing", devices: [mdevOf(2, { type: "t-9" })] });
    assert.deepEqual(await follow(at), ["c1 cleared", "c2 cleared"]);
    assert.deepEqual(listStanding(at), [uuidOf(2)]);
  });

  it("does not say cleared where sysfs does not show whether the device is there", async () => {
    const at = await placeWith("releasing");
    at.entries.set("/sys/bus/mdev/devices", { kind: "directory", errno: "EIO" });
    at.entries.set(`/sys/bus/mdev/devices/${uuidOf(1)}`, { kind: "link", target: "/elsewhere/../../loop" });
    at.entries.delete("/sys/bus/mdev/devices");
    for (const path of at.entries.keys()) if (path.startsWith("/sys")) at.entries.delete(path);
    assert.deepEqual(await follow(at), ["c1: device_owner_unknown"]);
  });

  it("tries again later, after pauses that grow, what the kernel does not take away", async () => {
    const at = await placeWith("releasing");
    const remove = `/sys/bus/mdev/devices/${uuidOf(1)}/remove`;
    at.refusals.set(remove, ["EIO"]);
    const follower = openPlace(at);
    const tries = (): number => at.log.filter((line) => line.startsWith(remove)).length;
    assert.deepEqual([await follow(at, follower), tries()], [["c1: refused"], 1]);
    assert.deepEqual([await follow(at, follower), tries()], [["c1: refused"], 1]);
    at.nowMs += 2000;
    assert.deepEqual([await follow(at, follower), tries()], [["c1: refused"], 2]);
    at.nowMs += 2000;
    assert.deepEqual([await follow(at, follower), tries()], [["c1: refused"], 2]);
    at.refusals.clear();
    at.nowMs += 2000;
    assert.deepEqual(await follow(at, follower), ["c1 cleared"]);
  });

  it("removes nothing that was opened since it looked", async () => {
    const at = await placeWith("releasing");
    at.uses.set(uuidOf(1), { kind: "in-use", by: "somebody" });
    assert.deepEqual(await follow(at), ["c1: in_use"]);
    assert.deepEqual(listStanding(at), [uuidOf(1)]);
  });

  it("removes what a migration has vacated, unless a definition names it", async () => {
    const at = place();
    at.hands.writer.write("/x/create", uuidOf(1));
    at.entries.set(`/etc/mdevctl.d/gpu/${uuidOf(1)}`, '{"mdev_type":"t-1","start":"auto","attrs":[]}');
    want(at, { state: "releasing", devices: [mdevOf(1, { vacated: true })] });
    assert.deepEqual((await follow(at)).at(-1), "c1: device_in_use");
    at.entries.delete(`/etc/mdevctl.d/gpu/${uuidOf(1)}`);
    assert.deepEqual(await follow(at), ["c1 cleared"]);
  });

  it("undefines with mdevctl what it defined", async () => {
    const at = place();
    want(at);
    assert.deepEqual(await follow(at, openPlace(at, { tool: "mdevctl" })), ["c1 provisioned"]);
    assert.ok(at.entries.has(`/etc/mdevctl.d/gpu/${uuidOf(1)}`));
    want(at, { state: "releasing" });
    assert.deepEqual(await follow(at, openPlace(at, { tool: "mdevctl" })), ["c1 cleared"]);
    assert.ok(!at.entries.has(`/etc/mdevctl.d/gpu/${uuidOf(1)}`));
  });

  it("makes devices in sysfs, and says so, where mdevctl cannot be used", async () => {
    const at = place();
    want(at);
    const mdevctl = { kind: "unusable", why: "it is not installed" } as const;
    assert.deepEqual(await follow(at, openPlace(at, { tool: "mdevctl", mdevctl })), ["c1 provisioned"]);
    assert.match(at.logged[0] ?? "", /mdevctl was asked for and cannot be used/);
  });
});

describe("follow() of a desired state", () => {
  it("refuses one that is older than it has followed, also after a start", async () => {
    const at = place();
    at.revision = 8;
    await follow(at);
    want(at);
    at.revision = 7;
    assert.deepEqual(await follow(at), ["host: desired_stale"]);
    assert.deepEqual(at.log, []);
    at.revision = 8;
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
  });

  it("follows another epoch, whatever its revision", async () => {
    const at = place();
    at.revision = 8;
    await follow(at);
    want(at);
    at.epoch = "e2";
    at.revision = 1;
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
  });

  it("refuses that of another host", async () => {
    const at = place();
    want(at);
    const followed = await openPlace(at).follow({ ...desiredOf(at), host: "c" });
    assert.deepEqual([tell(followed), at.log], [["host: desired_for_other_host"], []]);
  });

  it("remembers the highest fence beyond the claim's end", async () => {
    const at = await placeWith("releasing", { fence: 12 });
    const follower = openPlace(at);
    const { events } = await follower.follow(desiredOf(at));
    await follower.acknowledge(events);
    at.claims.clear();
    at.revision += 1;
    await follow(at, follower);
    assert.equal(openPlace(at).highestFence, 12);
    assert.equal(openPlace(place()).highestFence, 0);
  });

  it("does not start with damaged files", () => {
    for (const name of ["desired.json", "refused.json", "fences.json"]) {
      const at = place();
      writeFileSync(`${at.state}/${name}`, "{}");
      assert.throws(() => openPlace(at), SyntaxError, name);
    }
  });

  it("does nothing where its state directory cannot be written", async () => {
    const at = place();
    want(at);
    const follower = openPlace(at);
    rmSync(at.state, { recursive: true });
    writeFileSync(at.state, "");
    assert.deepEqual(await follow(at, follower), ["host: state_unwritable"]);
    assert.deepEqual(at.log, []);
    rmSync(at.state);
  });

  it("refuses nothing while its journal cannot be written, and makes nothing", async () => {
    const at = place();
    want(at);
    const shelf = openJournalShelf(at.state);
    const open: typeof shelf.open = (claim) => {
      const journal = shelf.open(claim);
      return {
        records: journal.records,
        append: () => ({ kind: "failed", errno: "ENOSPC" }),
        close: () => journal.close(),
      };
    };
    assert.deepEqual(await follow(at, openPlace(at, { shelf: { ...shelf, open } })), ["c1: journal_failed"]);
    assert.deepEqual([at.log, listStanding(at)], [[], []]);
    assert.deepEqual(await follow(at), ["c1 provisioned"]);
  });

  it("gives notice of a claim that names impossible places, and follows the others", async () => {
    const at = place();
    want(at, { id: "../c0" });
    want(at, { id: "c1", devices: [mdevOf(1, { identity: { kind: "mdev", uuid: "no-uuid" } })] });
    want(at, { id: "c2", devices: [mdevOf(2)] });
    const told = await follow(at);
    assert.deepEqual(told, ["c2 provisioned", "../c0: claim_unfollowable", "c1: claim_unfollowable"]);
  });

  it("goes on with the others while one waits for a slow mdevctl", async () => {
    const at = place();
    want(at, { id: "c1" });
    want(at, { id: "c2", devices: [vgpuOf()], fence: 4 });
    const runs = slowDown(at);
    const followed = follow(at, openPlace(at, { tool: "mdevctl", runner: runs }));
    await runs.begun;
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    assert.deepEqual(listStanding(at), ["557"]);
    runs.release();
    assert.deepEqual(await followed, ["c1 provisioned", "c2 provisioned"]);
  });
});

describe("acknowledge()", () => {
  it("forgets the journal of a claim that was cleared, and then its fence", async () => {
    const at = await placeWith("releasing");
    const follower = openPlace(at);
    const { events } = await follower.follow(desiredOf(at));
    assert.ok(readdirSync(at.state).includes("c1.journal"));
    await follower.acknowledge(events);
    assert.ok(!readdirSync(at.state).includes("c1.journal"));
    assert.deepEqual(await follow(at, follower), ["c1 cleared"]);
    at.claims.clear();
    at.revision += 1;
    await follow(at, follower);
    assert.deepEqual(JSON.parse(readFileSync(`${at.state}/fences.json`, "utf8")), { format: 1, fences: [] });
  });

  it("keeps the journal of a claim that stands", async () => {
    const at = await placeWith("bound");
    await openPlace(at).acknowledge([{ claim: "c1", event: "cleared", fence: 3 }]);
    assert.ok(readdirSync(at.state).includes("c1.journal"));
  });
});

describe("follow() of what no claim names any more", () => {
  it("reports a device that still stands as an orphan, and never removes it", async () => {
    const at = await placeWith("bound");
    at.claims.clear();
    at.revision += 1;
    assert.deepEqual(await follow(at), ["c1: orphan"]);
    assert.deepEqual(listStanding(at), [uuidOf(1)]);
    rebootPlace(at);
    assert.deepEqual(await follow(at), []);
    assert.ok(!readdirSync(at.state).includes("c1.journal"));
  });

  it("takes the claim up again when the control plane names it again", async () => {
    const at = await placeWith("bound");
    const [wanted] = at.claims.values();
    at.claims.clear();
    at.revision += 1;
    await follow(at);
    assert.ok(wanted !== undefined);
    want(at, { ...wanted.claim, state: "releasing" });
    assert.deepEqual(await follow(at), ["c1 cleared"]);
  });
});

describe("recover()", () => {
  it("never touches a claim whose journal is damaged, and does not let it block others", async () => {
    const at = await placeWith("releasing");
    appendFileSync(`${at.state}/c1.journal`, "garbage\nmore\n");
    const follower = openPlace(at);
    const codes = (await follower.recover()).map(({ claim, reason }) => `${claim} ${reason.code}`);
    assert.deepEqual(codes, ["c1 journal_damaged"]);
    want(at, { id: "c2", devices: [mdevOf(2)] });
    assert.deepEqual(await follow(at, follower), ["c2 provisioned", "c1: journal_damaged"]);
    assert.deepEqual(listStanding(at), [uuidOf(1), uuidOf(2)]);
  });

  it("says what cannot be taken back, and does not let it block others", async () => {
    const at = place();
    const remove = `/sys/bus/mdev/devices/${uuidOf(1)}/remove`;
    at.refusals.set(remove, ["EIO"]);
    const values = [{ attribute: "aggregator", value: "garbage", rule: "R6" }] as const;
    want(at, { devices: [mdevOf(1, { values })] });
    assert.deepEqual(await follow(at), ["c1: undo_stuck"]);
    const follower = openPlace(at);
    assert.deepEqual(
      (await follower.recover()).map(({ reason }) => reason.code),
      ["undo_stuck"],
    );
    want(at, { id: "c2", devices: [mdevOf(2)] });
    assert.deepEqual(await follow(at, follower), ["c2 provisioned", "c1: undo_stuck"]);
    at.refusals.clear();
    at.nowMs += 10_000;
    assert.deepEqual(await follow(at, follower), ["c1 refused refused", "c2 provisioned"]);
    assert.deepEqual(listStanding(at), [uuidOf(2)]);
  });
});
