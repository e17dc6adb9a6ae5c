// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadedPack } from "../compatibility/packs/pack.ts";
import { parsePciAddress } from "../device/address.ts";
import { findCandidates } from "./find-candidates.ts";
import type { PlacementAnswer, Refused } from "./answer.ts";
import { findNearMisses } from "./near-miss.ts";
import type { Strategy } from "./request.ts";
import { testFleet, type TestHost } from "./test-fleet.ts";

const DEVICE = "00000000-0000-4000-8000-000000000001";
const SOURCE: TestHost = {
  host: "src",
  parents: [{ id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0" }], numaNode: 1 }],
  devices: [{ id: DEVICE, parent: "p", type: "drv-a" }],
};

/** A pack that says that the test driver migrates, so that only host facts are left to be known. */
const MIGRATING_PACK: LoadedPack = {
  digest: "sha256:test",
  pack: {
    pack: "berth.driver-pack/v1",
    name: "drv",
    version: "1.0.0",
    title: "the test driver",
    match: { driverPrefixes: ["drv"] },
    rules: [],
    migration: [
      { supported: true, dirtyTracking: true, p2p: true, text: "it migrates", from: "this test", tried: "source-read" },
    ],
  },
};

function ask(hosts: readonly TestHost[], strategy: Strategy = "fragmentation"): PlacementAnswer {
  return findCandidates(testFleet([SOURCE, ...hosts]), { source: { host: "src", device: DEVICE }, strategy });
}

function host(name: string, available: number, version: string | undefined = "1.5.0", type = "drv-a"): TestHost {
  return {
    host: name,
    parents: [{ id: "p", types: [{ id: type, available, ...(version === undefined ? {} : { version }) }] }],
  };
}

const ONE_SIZE = "framebuffer=4096M, max_instance=4";

/** A GPU whose VFs are parents, each with room for one; `held` of them hold a device. A pack states the law. */
function gpuOfVfs(name: string, held: number, version = "1.5.0"): TestHost {
  const left = 4 - held;
  const owner = { kind: "physical-function", id: parsePciAddress("0000:08:00.0") } as const;
  const ids = Array.from({ length: 8 }, (_, index) => `0000:08:01.${index}`);
  return {
    host: name,
    parents: ids.map((id, index) => ({
      id,
      owner,
      types: [{ id: "drv-a", available: index < held || left === 0 ? 0 : 1, version, description: ONE_SIZE }],
    })),
    devices: ids.slice(0, held).map((parent, index) => ({
      id: `00000000-0000-4000-8000-00000000f${name.length}0${index}`,
      parent,
      type: "drv-a",
    })),
  };
}

const GPU_PACK: LoadedPack = {
  digest: "sha256:gpu",
  pack: {
    pack: "berth.driver-pack/v1",
    name: "drv",
    version: "1.0.0",
    title: "the test driver",
    match: { driverPrefixes: ["drv"] },
    rules: [],
    migration: [],
    pool: { owner: "physical-function-or-parent", law: "one-size", perVirtualFunction: 1 },
  },
};

function askGpu(hosts: readonly TestHost[], strategy: Strategy = "fragmentation"): PlacementAnswer {
  const fleet = testFleet([SOURCE, ...hosts], { packs: [GPU_PACK] });
  return findCandidates(fleet, { source: { host: "src", device: DEVICE }, strategy });
}

function berths(answer: PlacementAnswer): readonly string[] {
  return answer.candidates.map(({ place }) => `${place.host}:${place.parent}/${place.type}`);
}

describe("findCandidates()", () => {
  it("offers every compatible place with room and never the source's own host", () => {
    const answer = ask([host("b", 1), host("a", 1)]);
    assert.deepEqual(berths(answer), ["a:p/drv-a", "b:p/drv-a"]);
    assert.deepEqual(answer.excludedHosts, ["src"]);
    assert.deepEqual(
      answer.candidates.map(({ rank }) => rank),
      [1, 2],
    );
  });

  const OUTCOMES = {
    "a full place as not now": { host: host("x", 0), outcome: "not-now", code: "no_room" },
    "an older minor version as not as it stands": {
      host: host("x", 4, "1.4.9"),
      outcome: "not-as-it-stands",
      code: "software_version_minor",
    },
    "a version that one side lacks as unknown": {
      host: { host: "x", parents: [{ id: "p", types: [{ id: "drv-a", available: 4 }] }] },
      outcome: "unknown",
      code: "software_version_one_side",
    },
    "another vendor's driver as never": {
      host: host("x", 4, "1.5.0", "other-a"),
      outcome: "never",
      code: "vendor_driver",
    },
    "another type as never": { host: host("x", 4, "1.5.0", "drv-b"), outcome: "never", code: "type" },
  } as const;
  for (const [name, expected] of Object.entries(OUTCOMES)) {
    it(`tells ${name}`, () => {
      const answer = ask([expected.host]);
      assert.deepEqual(berths(answer), []);
      assert.deepEqual(
        answer.elsewhere.map(({ outcome, codes }) => [outcome, codes[0]]),
        [[expected.outcome, expected.code]],
      );
      assert.deepEqual(
        answer.counts.map(({ outcome, code, parents, hosts }) => ({ outcome, code, parents, hosts })),
        [{ outcome: expected.outcome, code: expected.code, parents: 1, hosts: ["x"] }],
      );
    });
  }

  it("explains a parent by its nearest type and lists the others as refused", () => {
    const mixed: TestHost = {
      host: "x",
      parents: [
        {
          id: "p",
          types: [
            { id: "drv-a", available: 0, version: "1.5.0" },
            { id: "drv-b", available: 9, version: "1.5.0" },
          ],
        },
      ],
    };
    const answer = ask([mixed]);
    assert.deepEqual(
      answer.elsewhere.map(({ place }) => place.type),
      ["drv-a"],
    );
    assert.deepEqual(
      answer.refused.map(({ place }) => place.type),
      ["drv-a", "drv-b"],
    );
  });

  it("does not count a parent that has a candidate among those elsewhere", () => {
    const both: TestHost = {
      host: "x",
      parents: [
        {
          id: "p",
          types: [
            { id: "drv-a", available: 1, version: "1.5.0" },
            { id: "drv-b", available: 1 },
          ],
        },
      ],
    };
    const answer = ask([both]);
    assert.deepEqual(berths(answer), ["x:p/drv-a"]);
    assert.deepEqual(answer.elsewhere, []);
    assert.equal(answer.refused.length, 1);
  });

  const STRATEGIES: Record<string, { strategy: Strategy; expected: readonly string[] }> = {
    "packs the fullest first": { strategy: "pack", expected: ["c", "b", "a"] },
    "spreads to the emptiest first": { strategy: "spread", expected: ["a", "b", "c"] },
  };
  for (const [name, { strategy, expected }] of Object.entries(STRATEGIES)) {
    it(name, () => {
      const answer = ask([host("a", 9), host("b", 5), host("c", 1)], strategy);
      assert.deepEqual(
        answer.candidates.map(({ place }) => place.host),
        expected,
      );
    });
  }

  it("takes the pool that blocks no other type before one that it would split", () => {
    const gpu = (name: string, available: readonly [number, number], devices: number): TestHost => ({
      host: name,
      parents: [
        {
          id: "p",
          types: [
            {
              id: "drv-a",
              available: available[0],
              version: "1.5.0",
              description: "framebuffer=1024M, max_instance=16",
            },
            {
              id: "drv-b",
              available: available[1],
              version: "1.5.0",
              description: "framebuffer=8192M, max_instance=2",
            },
          ],
        },
      ],
      devices: Array.from({ length: devices }, (_, index) => ({
        id: `00000000-0000-4000-8000-0000000001${name}${index}`,
        parent: "p",
        type: "drv-a",
      })),
    });
    const answer = ask([gpu("a1", [16, 2], 0), gpu("b1", [15, 0], 1)]);
    assert.deepEqual(
      answer.candidates.map(({ place }) => place.host),
      ["b1", "a1"],
    );
    assert.match(answer.candidates[1]?.because.join() ?? "", /blocks 1 other type/);
  });

  it("prefers the wanted NUMA node, the source's own where none is wanted", () => {
    const on = (name: string, numaNode: number): TestHost => ({
      host: name,
      parents: [{ id: "p", numaNode, types: [{ id: "drv-a", available: 2, version: "1.5.0" }] }],
    });
    const hosts = [on("a", 0), on("b", 1)];
    assert.deepEqual(
      ask(hosts, "numa").candidates.map(({ place }) => place.host),
      ["b", "a"],
    );
    const wanted = findCandidates(testFleet([SOURCE, ...hosts]), {
      source: { host: "src", device: DEVICE },
      strategy: "numa",
      numaNode: 0,
    });
    assert.deepEqual(
      wanted.candidates.map(({ place }) => place.host),
      ["a", "b"],
    );
  });

  it("puts a platform that is not known behind one that is, whatever the strategy says", () => {
    const fact = (on: string, name: string, value: string) => ({ host: on, name, value });
    const facts = ["src", "b"].flatMap((on) => [
      fact(on, "qemu_version", "10.0.0"),
      fact(on, "libvirt_version", "11.0.0"),
    ]);
    const fleet = testFleet([SOURCE, host("a", 1), host("b", 9)], {
      policy: { assumePlatform: false, facts },
      packs: [MIGRATING_PACK],
    });
    const answer = findCandidates(fleet, { source: { host: "src", device: DEVICE }, strategy: "pack" });
    assert.deepEqual(
      answer.candidates.map(({ place, platform }) => [place.host, platform.kind]),
      [
        ["b", "compatible"],
        ["a", "undetermined"],
      ],
    );
  });

  it("leaves out hosts on request and says so", () => {
    const answer = findCandidates(testFleet([SOURCE, host("a", 1), host("b", 1)]), {
      source: { host: "src", device: DEVICE },
      strategy: "pack",
      exceptHosts: ["a"],
    });
    assert.deepEqual(berths(answer), ["b:p/drv-a"]);
    assert.deepEqual(answer.excludedHosts, ["a", "src"]);
  });

  it("names hosts that offer nothing", () => {
    assert.deepEqual(ask([{ host: "empty", parents: [] }]).emptyHosts, [
      { host: "empty", why: "it shows no parent device" },
    ]);
  });

  it("says how many parents without a type an empty host has", () => {
    assert.deepEqual(ask([{ host: "bare", parents: [{ id: "p", types: [] }] }]).emptyHosts, [
      { host: "bare", why: "none of its 1 parent devices lists a type that can be made" },
    ]);
  });

  it("names a parent without a type on a host that has others", () => {
    const answer = ask([{ host: "x", parents: [...host("x", 1).parents, { id: "bare", types: [] }] }]);
    assert.deepEqual(answer.emptyHosts, []);
    assert.deepEqual(answer.emptyParents, [{ host: "x", parent: "bare", why: "it lists no type that can be made" }]);
  });

  const GPU_STRATEGIES = { pack: ["gpu3", "gpu"], spread: ["gpu", "gpu3"] } as const;
  for (const [strategy, expected] of Object.entries(GPU_STRATEGIES)) {
    it(`ranks VFs by how full their pool is: ${strategy}`, () => {
      const answer = askGpu([gpuOfVfs("gpu", 1), gpuOfVfs("gpu3", 3)], strategy as Strategy);
      assert.deepEqual([...new Set(answer.candidates.map(({ place }) => place.host))], expected);
      assert.match(answer.candidates[0]?.because.join() ?? "", /1 fit now, [13] in the pool of 8 parents/);
    });
  }

  it("throws RangeError for a host or a device that is not there", () => {
    const fleet = testFleet([SOURCE]);
    assert.throws(
      () => findCandidates(fleet, { source: { host: "no", device: DEVICE }, strategy: "pack" }),
      RangeError,
    );
    assert.throws(() => findCandidates(fleet, { source: { host: "src", device: "no" }, strategy: "pack" }), RangeError);
  });
});

describe("nearest miss", () => {
  it("is the place that needs least: room before an upgrade before a fact", () => {
    const unknown: TestHost = { host: "u", parents: [{ id: "p", types: [{ id: "drv-a", available: 4 }] }] };
    const full: TestHost = {
      host: "full",
      parents: [
        {
          id: "p",
          types: [{ id: "drv-a", available: 0, version: "1.5.0", description: "framebuffer=1024M, max_instance=1" }],
        },
      ],
      devices: [{ id: "00000000-0000-4000-8000-0000000000f1", parent: "p", type: "drv-a" }],
    };
    const { nearMisses } = ask([unknown, host("old", 3, "1.4.0"), full]);
    assert.deepEqual(
      nearMisses.map(({ refused, remedies }) => [refused.place.host, remedies.map(({ kind }) => kind)]),
      [
        ["full", ["free"]],
        ["old", ["upgrade-driver"]],
      ],
    );
  });

  it("counts what the same remedy opens on that host", () => {
    const two: TestHost = {
      host: "old",
      parents: [
        { id: "p", types: [{ id: "drv-a", available: 2, version: "1.4.0" }] },
        { id: "q", types: [{ id: "drv-a", available: 1, version: "1.4.0" }] },
      ],
    };
    const [miss] = ask([two]).nearMisses;
    assert.equal(miss?.opens, 3);
    assert.deepEqual(miss?.remedies, [{ kind: "upgrade-driver", driver: "drv", atLeast: "1.5.0", below: "2.0.0" }]);
  });

  it("leaves out what nothing mends", () => {
    assert.deepEqual(ask([host("x", 4, "1.5.0", "other-a")]).nearMisses, []);
  });

  it("counts a pool that VFs share once, whichever of them would take the devices", () => {
    const [miss] = askGpu([gpuOfVfs("old", 1, "1.4.0")]).nearMisses;
    assert.equal(miss?.opens, 3);
  });

  it("names the VF that holds what has to go, not the one that was asked for", () => {
    const full = askGpu([gpuOfVfs("full", 4)]);
    const remedies = full.nearMisses.map(({ refused, remedies: [remedy] }) => [refused.place.parent, remedy]);
    assert.deepEqual(Object.fromEntries(remedies)["0000:08:01.7"], {
      kind: "free",
      count: 1,
      type: "drv-a",
      on: "full:0000:08:01.0",
    });
  });

  it("is none where a fact is missing besides what can be mended", () => {
    const source: TestHost = {
      ...SOURCE,
      parents: [{ id: "p", types: [{ id: "drv-a", available: 3, version: "1.5.0", compatible: { x: "a" } }] }],
    };
    const old: TestHost = host("old", 3, "1.4.0");
    const answer = findCandidates(testFleet([source, old]), {
      source: { host: "src", device: DEVICE },
      strategy: "pack",
    });
    assert.deepEqual(answer.elsewhere[0]?.codes, ["software_version_minor", "compatible_field_one_side"]);
    assert.deepEqual(answer.nearMisses, []);
  });

  it("is none where nobody can tell whether the mended place has room", () => {
    const old = host("old", 3, "1.4.0");
    const unreadable: TestHost = {
      ...old,
      parents: old.parents.map((parent) => ({
        ...parent,
        types: parent.types.map((type) => ({ ...type, available: undefined })),
      })),
    };
    const answer = ask([unreadable]);
    assert.deepEqual(answer.elsewhere[0]?.codes, ["software_version_minor", "room_unknown"]);
    assert.deepEqual(answer.nearMisses, []);
  });

  it("puts a place that only a cold move reaches behind one that an upgrade opens", () => {
    const { source, elsewhere } = ask([host("a", 1, "1.4.0"), host("b", 1, "1.4.0")]);
    const [first, second] = elsewhere;
    assert.ok(first?.verdict.kind === "incompatible" && second !== undefined);
    const [reason] = first.verdict.reasons;
    const cold: Refused = {
      ...first,
      verdict: { ...first.verdict, reasons: [{ ...reason, remedy: { kind: "move-cold" } }] },
    };
    assert.deepEqual(
      findNearMisses([cold, second], source).map(({ refused }) => refused.place.host),
      ["b", "a"],
    );
  });

  it("does not say what would make room at a place that is never one", () => {
    const other: TestHost = {
      host: "x",
      parents: [
        {
          id: "p",
          types: [{ id: "drv-b", available: 0, version: "1.5.0", description: "framebuffer=1024M, max_instance=1" }],
        },
      ],
      devices: [{ id: "00000000-0000-4000-8000-0000000000f2", parent: "p", type: "drv-b" }],
    };
    const [refused] = ask([other]).refused;
    assert.deepEqual(
      [refused?.outcome, refused?.codes, refused?.roomRemedy],
      ["never", ["type", "no_room"], undefined],
    );
  });
});
