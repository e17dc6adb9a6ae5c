// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadedPack } from "../compatibility/packs/pack.ts";
import { parsePciAddress } from "../device/address.ts";
import { absent } from "../device/evidence.ts";
import type { VirtualMachine } from "../device/virtual-machine.ts";
import { fleetOf } from "../inventory/fleet.ts";
import { STRICT_POLICY } from "../compatibility/policy.ts";
import { findVmCandidates } from "./find-vm-candidates.ts";
import { pairDevices } from "./pair-devices.ts";
import { judgePlace } from "./judge.ts";
import { profileOfDevice } from "../inventory/profile.ts";
import { testFleet, testSnapshot, type TestHost, type TestType } from "./test-fleet.ts";
import type { VmPlacementAnswer } from "./vm-answer.ts";

const A = "00000000-0000-4000-8000-00000000000a";
const B = "00000000-0000-4000-8000-00000000000b";

/** Two devices of different types on different parents. */
const SOURCE: TestHost = {
  host: "src",
  parents: [
    { id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0" }] },
    { id: "q", types: [{ id: "drv-b", available: 3, version: "1.5.0" }] },
  ],
  devices: [
    { id: A, parent: "p", type: "drv-a" },
    { id: B, parent: "q", type: "drv-b" },
  ],
};

function offer(id: string, available: number, version = "1.5.0"): TestType {
  return { id, available, version };
}

function host(name: string, ...parents: readonly (readonly TestType[])[]): TestHost {
  return { host: name, parents: parents.map((types, index) => ({ id: `p${index}`, types })) };
}

function ask(...hosts: readonly TestHost[]): VmPlacementAnswer {
  return findVmCandidates(testFleet([SOURCE, ...hosts]), { host: "src", devices: [A, B], strategy: "fragmentation" });
}

function told({ candidates, elsewhere, emptyHosts, nearMisses }: VmPlacementAnswer): readonly string[] {
  return [
    ...candidates.map(({ rank, host: name, assignments }) =>
      [rank, name, ...assignments.map(({ judged: { place } }) => `${place.parent}/${place.type}`)].join(" "),
    ),
    ...elsewhere.map(({ host: name, outcome, codes }) => `${name} ${outcome} ${codes.join(" ")}`),
    ...emptyHosts.map(({ host: name }) => `${name} empty`),
    ...nearMisses.map(({ refused, remedies }) => `miss ${refused.host} ${remedies.map(({ kind }) => kind).join(" ")}`),
  ];
}

const CASES: Readonly<Record<string, { readonly hosts: readonly TestHost[]; readonly told: readonly string[] }>> = {
  "seats each device where its type is": {
    hosts: [host("h", [offer("drv-b", 1)], [offer("drv-a", 1)])],
    told: ["1 h p1/drv-a p0/drv-b"],
  },
  "does not split a VM over two hosts": {
    hosts: [host("h1", [offer("drv-a", 1)]), host("h2", [offer("drv-b", 1)])],
    told: ["h1 never type", "h2 never type"],
  },
  "names everything that keeps a device out, and what would mend it": {
    hosts: [host("h", [offer("drv-a", 1)], [offer("drv-b", 1, "1.4.0")])],
    told: ["h not-as-it-stands software_version_minor", "miss h upgrade-driver"],
  },
  "takes the farther of two obstacles for the host's": {
    hosts: [host("h", [offer("drv-a", 0)], [offer("drv-b", 1, "1.4.0")])],
    told: ["h not-as-it-stands software_version_minor no_room"],
  },
  "says unknown where a law is unknown and the other device is taken first": {
    hosts: [host("h", [offer("drv-a", 1), offer("drv-b", 1)])],
    told: ["h unknown room_unknown"],
  },
  "lists a host without places as empty": { hosts: [host("h")], told: ["h empty"] },
};

const UNIT_PACK: LoadedPack = {
  digest: "sha256:test",
  pack: {
    pack: "berth.driver-pack/v1",
    name: "drv",
    version: "1.0.0",
    title: "the test driver",
    match: { driverPrefixes: ["drv"] },
    rules: [],
    pool: {
      owner: "physical-function-or-parent",
      law: "counters",
      totals: { unit: 2 },
      consumption: { "drv-a": { unit: 1 }, "drv-b": { unit: 2 } },
    },
  },
};

/** A pack that says what the driver can do; facts say the rest. */
function migrating(p2p: boolean | undefined): LoadedPack {
  const said = p2p === undefined ? {} : { p2p };
  const { pool: _, ...pack } = UNIT_PACK.pack;
  const migration = { supported: true, dirtyTracking: true, ...said, text: "it migrates", from: "this test" };
  return { digest: "sha256:test", pack: { ...pack, migration: [{ ...migration, tried: "source-read" }] } };
}

describe("findVmCandidates()", () => {
  for (const [name, { hosts, told: expected }] of Object.entries(CASES)) {
    it(name, () => assert.deepEqual(told(ask(...hosts)), expected));
  }

  it("says that each has a place and not both together, where they share one budget", () => {
    const shared = host("h", [offer("drv-a", 2), offer("drv-b", 1)]);
    const fleet = testFleet([SOURCE, shared], { packs: [UNIT_PACK] });
    const answer = findVmCandidates(fleet, { host: "src", devices: [A, B], strategy: "pack" });
    assert.deepEqual(told(answer), ["h not-now no_room_together"]);
    assert.match(
      answer.elsewhere[0]?.why ?? "",
      /^each of the 2 devices has a place, and not all together: after 1 device has theirs, none is left for .*b \(p0: /,
    );
  });

  it("does not give one virtual function to two devices", () => {
    const owner = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
    const types = [{ ...offer("drv-a", 1), description: "framebuffer=4096M, max_instance=4" }];
    const functions = (count: number): TestHost => ({
      host: "h",
      parents: Array.from({ length: count }, (_, index) => ({ id: `0000:08:01.${index}`, owner, types })),
    });
    const two: TestHost = { ...SOURCE, devices: [A, B].map((id) => ({ id, parent: "p", type: "drv-a" })) };
    const pack = {
      ...UNIT_PACK,
      pack: {
        ...UNIT_PACK.pack,
        pool: {
          owner: "physical-function-or-parent",
          law: "counters",
          totals: { unit: 4 },
          consumption: { "drv-a": { unit: 1 } },
          perVirtualFunction: 1,
        },
      },
    } as const;
    const find = (count: number): VmPlacementAnswer =>
      findVmCandidates(testFleet([two, functions(count)], { packs: [pack] }), {
        host: "src",
        devices: [A, B],
        strategy: "pack",
      });
    assert.deepEqual(told(find(1)), ["h not-now no_room_together"]);
    assert.deepEqual(told(find(3)), ["1 h 0000:08:01.0/drv-a 0000:08:01.1/drv-a"]);
  });

  for (const [name, { p2p, expected }] of Object.entries({
    "refuses several devices without P2P": { p2p: false, expected: "not-as-it-stands p2p_missing" },
    "does not know several devices whose P2P is not known": { p2p: undefined, expected: "undetermined p2p_unknown" },
    "needs P2P of all and finds it": { p2p: true, expected: "no word of P2P" },
  })) {
    it(name, () => {
      const snapshots = [SOURCE, host("h", [offer("drv-a", 1)], [offer("drv-b", 1)])].map(testSnapshot);
      const fleet = fleetOf({ snapshots, packs: [migrating(p2p)], policy: STRICT_POLICY });
      const { candidates, elsewhere } = findVmCandidates(fleet, { host: "src", devices: [A, B], strategy: "pack" });
      const [candidate] = candidates;
      const missing =
        candidate?.platform.kind === "undetermined" ? candidate.platform.missing.map(({ code }) => code) : [];
      const codes = [...missing, ...elsewhere.flatMap((refused) => refused.codes)].filter((code) =>
        code.startsWith("p2p"),
      );
      const kind = elsewhere[0]?.outcome ?? candidate?.platform.kind;
      assert.equal(codes.length === 0 ? "no word of P2P" : `${kind} ${[...new Set(codes)].join(" ")}`, expected);
    });
  }

  it("answers for a VM by its id, and refuses what is not there", () => {
    const at = { host: "src", source: "sysfs", path: "/proc/42" } as const;
    const known = [{ how: "argument", evidence: at }] as const;
    const vm: VirtualMachine = {
      id: "web1",
      name: "web1",
      state: "running",
      owner: { kind: "unknown", evidence: at },
      devices: [A, B].map((device) => ({ device, known })),
      memoryKib: absent(at),
      hugepageKib: absent(at),
    };
    const lost = { ...vm, id: "lost", devices: [{ device: "gone", known }] };
    const bare = { ...vm, id: "bare", devices: [] };
    const source = { ...testSnapshot(SOURCE), virtualMachines: [bare, lost, vm] };
    const fleet = fleetOf({
      snapshots: [source, testSnapshot(host("h", [offer("drv-a", 1)], [offer("drv-b", 1)]))],
      packs: [],
      policy: { ...STRICT_POLICY, assumePlatform: true },
    });
    const find = (id: string): VmPlacementAnswer => findVmCandidates(fleet, { host: "src", vm: id, strategy: "pack" });
    assert.equal(find("web1").vm?.name, "web1");
    assert.deepEqual(told(find("web1")), ["1 h p0/drv-a p1/drv-b"]);
    assert.throws(() => find("web2"), /^RangeError: No VM "web2" on host "src"/);
    assert.throws(() => find("lost"), /^RangeError: No device "gone" on host "src"/);
    assert.throws(() => find("bare"), RangeError);
    assert.throws(() => findVmCandidates(fleet, { host: "nowhere", vm: "web1", strategy: "pack" }), RangeError);
  });

  it("tries every placement slot, not only the one that a take would choose for the first device alone", () => {
    const placements = {
      "drv-a": { length: 1, starts: [0, 3] },
      "drv-b": { length: 1, starts: [0] },
      "drv-x": { length: 2, starts: [2] },
    };
    const pool = { owner: "physical-function-or-parent", law: "slots", totals: { slots: 4 }, placements } as const;
    const pack = { ...UNIT_PACK, pack: { ...UNIT_PACK.pack, pool } };
    const gpu = host("h", [offer("drv-a", 2), offer("drv-b", 1), offer("drv-x", 1)]);
    const answer = findVmCandidates(testFleet([SOURCE, gpu], { packs: [pack] }), {
      host: "src",
      devices: [A, B],
      strategy: "pack",
    });
    assert.deepEqual(
      answer.candidates[0]?.assignments.map(({ slot }) => slot),
      [3, 0],
    );
  });

  it("leaves out the VM's own host and those asked for", () => {
    const hosts = ["h1", "h2"].map((name) => host(name, [offer("drv-a", 1)], [offer("drv-b", 1)]));
    const request = { host: "src", devices: [B, A], strategy: "pack", exceptHosts: ["h1"] } as const;
    const answer = findVmCandidates(testFleet([SOURCE, ...hosts]), request);
    assert.deepEqual(answer.excludedHosts, ["h1", "src"]);
    assert.deepEqual(told(answer), ["1 h2 p0/drv-a p1/drv-b"]);
  });
});

describe("pairDevices()", () => {
  const types = ["drv-a", "drv-b"].map((id) => offer(id, 1));
  const fleet = testFleet([SOURCE, host("h", types, types, types, types)]);
  const needs = [A, B].map((device) => {
    const source = profileOfDevice(testSnapshot(SOURCE), device, fleet.policy);
    assert.ok(source !== undefined);
    const places =
      fleet.hosts[0]?.places.filter(
        ({ profile }) =>
          profile.type.kind === "known" && source.type.kind === "known" && profile.type.value === source.type.value,
      ) ?? [];
    return { source, places: places.map((place) => judgePlace({ source, fleet, isOneOfSeveral: true }, place)) };
  });

  it("says that it was cut off, and keeps the best so far", () => {
    assert.equal(pairDevices(needs, "pack", 3).kind, "paired");
    const { isComplete } = pairDevices(needs, "pack", 3);
    assert.equal(isComplete, false);
    assert.equal(pairDevices(needs, "pack").isComplete, true);
  });

  it("says nothing for certain where it was cut off before it found any", () => {
    const pairing = pairDevices(needs, "pack", 1);
    assert.deepEqual([pairing.kind, pairing.isComplete], ["short", false]);
  });

  it("does not permute equal places: sixteen functions of one GPU, eight like devices", () => {
    const owner = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
    const ids = Array.from({ length: 16 }, (_, index) => `0000:08:0${1 + (index >> 3)}.${index & 7}`);
    const pack = {
      ...UNIT_PACK,
      pack: {
        ...UNIT_PACK.pack,
        pool: {
          owner: "physical-function-or-parent",
          law: "counters",
          totals: { unit: 8 },
          consumption: { "drv-a": { unit: 1 } },
          perVirtualFunction: 1,
        },
      },
    } as const;
    const gpu = { host: "h", parents: ids.map((id) => ({ id, owner, types: [offer("drv-a", 1)] })) };
    const of = testFleet([SOURCE, gpu], { packs: [pack] });
    const source = profileOfDevice(testSnapshot(SOURCE), A, of.policy);
    assert.ok(source !== undefined);
    const places =
      of.hosts[0]?.places.map((place) => judgePlace({ source, fleet: of, isOneOfSeveral: true }, place)) ?? [];
    const pairing = pairDevices(
      Array.from({ length: 8 }, () => ({ source, places })),
      "pack",
      100,
    );
    assert.deepEqual([pairing.kind, pairing.isComplete], ["paired", true]);
  });
});
