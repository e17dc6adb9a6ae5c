// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Occupant } from "@berth/core/capacity/pool";
import { roomFor } from "@berth/core/capacity/room";
import { pairKey } from "@berth/core/compatibility/pair-key";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { absent, known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { bitsetOf } from "@berth/core/inventory/bitset";
import { findBest } from "@berth/core/inventory/find-best";
import { compileSource, placeAt } from "@berth/core/inventory/migration-index";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import { FleetView } from "./fleet-view.ts";
import { describeView } from "./test-view.ts";

const LAW = "framebuffer=1024M, max_instance=4";

function hostOf(host: string, available = 4): HostSnapshot {
  return testSnapshot({
    host,
    parents: ["p", "q"].map((id) => ({
      id,
      types: [{ id: "drv-a", available, version: "1.5.0", description: LAW }],
    })),
  });
}

function held(id: string, parent = "p"): Occupant {
  return { id, type: "drv-a", count: 1, parent };
}

function startView(): { readonly view: FleetView; readonly heard: ChangeMessage[] } {
  const view = new FleetView({ policy: { ...STRICT_POLICY, assumePlatform: true }, packs: [], epoch: "e" });
  const heard: ChangeMessage[] = [];
  view.feed.subscribe((message) => heard.push(message));
  return { view, heard };
}

/** How many more fit by the pools and by the index, parent by parent; both must say the same. */
function roomsOf(view: FleetView, host: string): readonly number[] {
  const { places, pools } = view.findHost(host)?.host ?? { places: [], pools: [] };
  const ids = Array.from({ length: view.index.places.length }, (_, id) => id);
  return places.map((place) => {
    const pool = pools.find(({ parents }) => parents.includes(place.parent));
    assert.equal(place.pool, pool);
    const id = ids.find((number) => isAt(view, number, place));
    const indexed = id === undefined ? undefined : placeAt(view.index, id).room.atLeast;
    const room = pool === undefined ? 0 : roomFor(pool, { type: place.type, parent: place.parent }).atLeast;
    assert.equal(indexed, room);
    return room;
  });
}

function isAt(view: FleetView, id: number, place: object): boolean {
  try {
    return view.placeAt(id) === place;
  } catch {
    return false;
  }
}

describe("edit()", () => {
  it("is one message of everything that it changes, at the generation given", () => {
    const { view, heard } = startView();
    const at = { epoch: "e", revision: 40 };
    const answer = view.edit(at, (edit) => {
      edit.putSnapshot(hostOf("a"));
      edit.putLedger("a", [held("1")]);
      edit.cordonHost("b");
      edit.putAdoption("a", { parents: ["p"], vms: [] });
      edit.note({ kind: "claim-changed", host: "a", claim: "c", state: "held" });
    });
    const changes = [
      { kind: "host-put", host: "a" },
      { kind: "host-adopted", host: "a" },
      { kind: "host-cordoned", host: "b" },
      { kind: "claim-changed", host: "a", claim: "c", state: "held" },
    ];
    assert.deepEqual(heard, [{ generation: at, changes }]);
    assert.deepEqual(answer, at);
    assert.equal(view.findHost("a")?.revision, 40);
  });

  it("moves on without a message where nothing changes", () => {
    const { view, heard } = startView();
    view.edit({ epoch: "e", revision: 5 }, (edit) => {
      edit.putSnapshot(hostOf("a"));
      edit.putLedger("a", [held("1")]);
      edit.cordonHost("a");
      edit.putAdoption("a", { parents: ["p"], vms: ["v"] });
    });
    view.edit({ epoch: "e", revision: 9 }, (edit) => {
      edit.putSnapshot(hostOf("a"));
      edit.putLedger("a", [held("1")]);
      edit.cordonHost("a");
      edit.putAdoption("a", { parents: ["p", "p"], vms: ["v"] });
      edit.uncordonHost("b");
      edit.removeHost("b");
    });
    assert.equal(heard.length, 1);
    assert.equal(view.generation.revision, 9);
    assert.equal(view.findHost("a")?.revision, 5);
  });

  it("stays where it is without a generation and without a change", () => {
    const { view } = startView();
    view.edit(undefined, (edit) => edit.removeHost("a"));
    assert.equal(view.generation.revision, 0);
  });

  it("changes nothing where the callback throws", () => {
    const { view, heard } = startView();
    view.putSnapshot(hostOf("a"));
    const before = describeView(view);
    const edit = (): unknown =>
      view.edit(undefined, (all) => {
        all.putSnapshot(hostOf("b"));
        all.putLedger("a", [held("1")]);
        all.cordonHost("a");
        throw new Error("halfway");
      });
    assert.throws(edit, /halfway/);
    assert.deepEqual(describeView(view), before);
    assert.equal(heard.length, 1);
    assert.equal(view.generation.revision, 1);
  });

  it("refuses what is older, of another epoch, or would change a revision that was told", () => {
    const { view } = startView();
    view.edit({ epoch: "e", revision: 5 }, (edit) => edit.cordonHost("a"));
    const cordon = (epoch: string, revision: number): unknown =>
      view.edit({ epoch, revision }, (edit) => edit.cordonHost("b"));
    assert.throws(() => cordon("e", 4), RangeError);
    assert.throws(() => cordon("e", 5), RangeError);
    assert.throws(() => cordon("f", 6), RangeError);
    assert.equal(view.isCordoned("b"), false);
    view.edit({ epoch: "e", revision: 5 }, (edit) => edit.cordonHost("a"));
  });

  it("takes what is said last of one host", () => {
    const { view, heard } = startView();
    view.edit(undefined, (edit) => {
      edit.putSnapshot(hostOf("a"));
      edit.removeHost("a");
      edit.cordonHost("b");
      edit.uncordonHost("b");
    });
    assert.deepEqual([view.hostNames, heard], [[], []]);
  });
});

describe("putLedger()", () => {
  it("takes room of the parent's pool alone, in pools, places and index", () => {
    const { view } = startView();
    view.putSnapshot(hostOf("a"));
    view.edit(undefined, (edit) => edit.putLedger("a", [held("1"), held("2")]));
    assert.deepEqual(roomsOf(view, "a"), [2, 4]);
    assert.deepEqual(view.findHost("a")?.ledger, [held("1"), held("2")]);
    view.edit(undefined, (edit) => edit.putLedger("a", [held("2"), held("3", "q")]));
    assert.deepEqual(roomsOf(view, "a"), [3, 3]);
    view.edit(undefined, (edit) => edit.putLedger("a", []));
    assert.deepEqual(roomsOf(view, "a"), [4, 4]);
  });

  it("may come before the snapshot, and stays when that is replaced or removed", () => {
    const { view, heard } = startView();
    view.edit({ epoch: "e", revision: 1 }, (edit) => edit.putLedger("a", [held("1")]));
    assert.deepEqual([heard, view.ledgerOf("a")], [[], [held("1")]]);
    view.putSnapshot(hostOf("a"));
    assert.deepEqual(roomsOf(view, "a"), [3, 4]);
    view.putSnapshot(hostOf("a", 3));
    assert.deepEqual(roomsOf(view, "a"), [2, 3]);
    view.removeHost("a");
    view.putSnapshot(hostOf("a"));
    assert.deepEqual(roomsOf(view, "a"), [3, 4]);
  });

  it("promises nothing where it is not known what claims hold", () => {
    const { view } = startView();
    view.putSnapshot(hostOf("a"));
    view.edit(undefined, (edit) => edit.putLedger("a", { unknown: "the ledger cannot be read" }));
    assert.deepEqual(roomsOf(view, "a"), [0, 0]);
    assert.deepEqual(view.ledgerOf("a"), []);
    view.edit(undefined, (edit) => edit.putLedger("a", []));
    assert.deepEqual(roomsOf(view, "a"), [4, 4]);
  });

  it("tells that the host changed", () => {
    const { view, heard } = startView();
    view.putSnapshot(hostOf("a"));
    view.edit({ epoch: "e", revision: 7 }, (edit) => edit.putLedger("a", [held("1")]));
    assert.deepEqual(heard.at(-1)?.changes, [{ kind: "host-put", host: "a" }]);
    assert.equal(view.findHost("a")?.revision, 7);
  });
});

describe("isExact", () => {
  it("is false as long as there is a place that columns cannot hold", () => {
    const { view } = startView();
    const types = [{ id: "drv-a", available: 4, version: "1.5.0", description: LAW }];
    const far = testSnapshot({ host: "far", parents: [{ id: "p", types, numaNode: 2 ** 31 }] });
    const seen = [view.isExact];
    const steps = [
      () => view.putSnapshot(far),
      () => view.edit(undefined, (edit) => edit.putLedger("far", [held("1")])),
      () => view.putSnapshot(hostOf("a")),
      () => view.removeHost("far"),
    ];
    for (const make of steps) {
      make();
      seen.push(view.isExact);
    }
    assert.deepEqual(seen, [true, false, false, false, true]);
  });
});

describe("putProblems()", () => {
  it("stand beside those of the snapshot until they are taken back", () => {
    const { view } = startView();
    const problem = { code: "document_unreadable", host: "a", path: "/", message: "made up" } as const;
    view.edit(undefined, (edit) => edit.putProblems("a", [problem]));
    view.putSnapshot(hostOf("a"));
    assert.deepEqual(view.findHost("a")?.host.problems, [problem]);
    view.edit(undefined, (edit) => edit.putProblems("a", []));
    assert.deepEqual(view.findHost("a")?.host.problems, []);
  });
});

describe("putAdoption()", () => {
  it("says what was handed over, and no more once it is taken back", () => {
    const { view, heard } = startView();
    view.edit(undefined, (edit) => edit.putAdoption("a", { parents: ["p"], vms: ["__proto__"] }));
    const asked = (): readonly boolean[] => [
      view.isAdopted("a", "p"),
      view.isAdopted("a", "q"),
      view.isAdopted("b", "p"),
      view.isVmAdopted("a", "__proto__"),
      view.isVmAdopted("a", "constructor"),
    ];
    assert.deepEqual(asked(), [true, false, false, true, false]);
    view.edit(undefined, (edit) => edit.putAdoption("a", { parents: [], vms: [] }));
    assert.deepEqual(asked(), [false, false, false, false, false]);
    assert.equal(heard.length, 2);
  });
});

/** A host with a device, whose driver is a known build and exports one string for every type and device. */
function probedHost(host: string, device: string): HostSnapshot {
  const parents = [{ id: "p", types: [{ id: "drv-a", available: 4, description: LAW }] }];
  const snapshot = testSnapshot({ host, parents, devices: [{ id: device, parent: "p", type: "drv-a" }] });
  const evidence = { host, source: "sysfs", path: "/sys/made-up" } as const;
  const [nothing, version] = [absent(evidence), known("one string", evidence)];
  const build = { version: nothing, srcversion: known("0123456789ABCDEF", evidence), buildId: nothing, taint: nothing };
  return {
    ...snapshot,
    modules: [{ name: "test", ...build }],
    parents: snapshot.parents.map((parent) => ({
      ...parent,
      types: parent.types.map((type) => ({
        ...type,
        attributes: { ...type.attributes, migrationVersion: version },
      })),
    })),
    devices: snapshot.devices.map((one) => ({ ...one, attributes: { ...one.attributes, migrationVersion: version } })),
  };
}

describe("replaceMemory()", () => {
  it("judges all places by what drivers answered, and publishes nothing", () => {
    const { view, heard } = startView();
    const source = probedHost("a", "00000000-0000-4000-8000-000000000001");
    view.putSnapshot(source);
    view.putSnapshot(probedHost("b", "00000000-0000-4000-8000-000000000002"));
    const profile = profileOfDevice(source, "00000000-0000-4000-8000-000000000001", view.policy);
    const destination = view.findHost("b")?.host.places[0]?.profile;
    assert.ok(profile && destination);
    const { policy, packs, memory } = view;
    const key = pairKey({ source: profile, destination, policy, packs, memory });
    assert.ok(key);
    const find = (): number =>
      findBest(view.index, {
        source: compileSource(view.index, profile),
        order: "score",
        exceptHosts: bitsetOf([]),
        atLeastFree: 1,
        limit: 9,
      }).length;
    const before = find();
    view.replaceMemory({ probes: { [key]: { accepted: false, errno: "EINVAL", host: "b" } }, successes: {} });
    const refused = find();
    view.replaceMemory({ probes: { [key]: { accepted: true, host: "b" } }, successes: {} });
    assert.deepEqual([before, refused, find(), heard.length], [0, 0, 2, 2]);
    assert.equal(view.memory.probes[key]?.accepted, true);
  });
});

describe("the methods of one edit", () => {
  it("say whether they changed anything", () => {
    const { view, heard } = startView();
    view.putSnapshot(hostOf("a"));
    const done = [view.cordonHost("a"), view.cordonHost("a"), view.uncordonHost("a"), view.uncordonHost("a")];
    assert.deepEqual(done, [true, false, true, false]);
    assert.deepEqual([view.removeHost("a"), view.removeHost("a")], [true, false]);
    assert.deepEqual(
      heard.map(({ generation }) => generation.revision),
      [1, 2, 3, 4],
    );
  });
});
