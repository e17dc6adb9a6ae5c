// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadedPack } from "@berth/core/compatibility/packs/pack";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import { FleetView } from "../inventory/fleet-view.ts";
import type { Replica } from "./replica.ts";
import { startTestReplica } from "./test-replica.ts";
import { openTestStore, putDocument, putHost, putLedger, type TestStore } from "./test-store.ts";

/** What a card of this type takes cannot be said: whoever asks meets a fault of the program. */
const BAD = "drv-bad";

function packThatFails(where: "consumption" | "placement"): LoadedPack {
  const fail = (): never => {
    throw new TypeError("made up: this was not thought of");
  };
  const consumption = { "drv-a": { unit: 1 }, [BAD]: { unit: 1 } };
  if (where === "consumption") Object.defineProperty(consumption, BAD, { enumerable: false, get: fail });
  else Object.defineProperty(consumption[BAD], "unit", { enumerable: true, get: fail });
  return {
    digest: "sha256:test",
    pack: {
      pack: "berth.driver-pack/v1",
      name: "drv",
      version: "1.0.0",
      title: "the test driver",
      match: { driverPrefixes: ["drv"] },
      rules: [],
      pool: { owner: "physical-function-or-parent", law: "counters", totals: { unit: 4 }, consumption },
    },
  };
}

function hostOf(host: string, type: string, available = 4): TestHost {
  return { host, parents: [{ id: "p", types: [{ id: type, available, version: "1.5.0" }] }] };
}

interface Followed {
  readonly replica: Replica;
  readonly test: TestStore;
  readonly failures: string[];
}

async function follow(test: TestStore, packs: readonly LoadedPack[] = []): Promise<Followed> {
  const failures: string[] = [];
  const onFailure = (error: unknown, what: string): void => void failures.push(`${what}: ${String(error)}`);
  return { replica: await startTestReplica(test, { packs, onFailure }), test, failures };
}

function shown(replica: Replica, host: string): readonly unknown[] {
  const viewed = replica.view.findHost(host)?.host;
  return [viewed?.places.length, viewed?.pools.length, viewed?.problems.map(({ code }) => code)];
}

const NOTHING = [0, 0, ["document_unreadable"]];
const ONE_PLACE = [1, 1, []];

describe("a host of which nothing can be made", () => {
  for (const where of ["consumption", "placement"] as const) {
    it(`is shown so, and every other host as it is: ${where}`, async () => {
      const test = openTestStore();
      await test.write(putHost(hostOf("a", "drv-a")), putHost(hostOf("bad-1", BAD)));
      const { replica, failures } = await follow(test, [packThatFails(where)]);
      assert.deepEqual([shown(replica, "a"), shown(replica, "bad-1")], [ONE_PLACE, NOTHING]);
      const revision = await test.write(putHost(hostOf("bad-2", BAD)), putHost(hostOf("b", "drv-a")));
      await replica.reached(revision);
      assert.deepEqual([shown(replica, "b"), shown(replica, "bad-2")], [ONE_PLACE, NOTHING]);
      // What it shows later counts again, and what it showed before does not stay.
      await replica.reached(await test.write(putHost(hostOf("bad-1", "drv-a"), { generation: 1, sequence: 2 })));
      await replica.reached(await test.write(putHost(hostOf("a", BAD), { generation: 1, sequence: 2 })));
      assert.deepEqual([shown(replica, "a"), shown(replica, "bad-1")], [NOTHING, ONE_PLACE]);
      const places = replica.view.index.places;
      assert.equal(places.length - places.vacant.length, 2);
      assert.deepEqual(failures, []);
      await replica.close();
    });
  }

  it("is shown so where what claims hold there makes no sense", async () => {
    const { replica, test, failures } = await follow(openTestStore(), [packThatFails("consumption")]);
    await test.write(putHost(hostOf("a", "drv-a")), putHost(hostOf("b", "drv-a")));
    const devices = [{ id: "x", type: BAD, count: 1, parent: "p" }];
    const ledger = putLedger({ host: "a", fence: 1, entries: [{ claim: "c1", fence: 1, devices }] });
    await replica.reached(await test.write(ledger));
    assert.deepEqual(shown(replica, "b"), ONE_PLACE);
    const pools = replica.view.findHost("a")?.host.pools ?? [];
    assert.ok(pools.every(({ occupants, law }) => occupants.length > 0 || law.kind === "unknown"));
    assert.deepEqual(failures, []);
    await replica.close();
  });
});

describe("a place of which nothing can be made", () => {
  /** A host whose first card makes sense, and whose second one does not when its place is written down. */
  function hostWithFault(host: string, isFaulty: () => boolean): HostSnapshot {
    const types = [{ id: "drv-a", available: 4, version: "1.5.0" }];
    const base = testSnapshot({
      host,
      parents: [
        { id: "p", types },
        { id: "q", types },
      ],
    });
    const [first, second] = base.parents;
    assert.ok(first !== undefined && second !== undefined);
    const numaNode = Object.defineProperty({ ...second.numaNode }, "kind", {
      enumerable: true,
      get: () => {
        if (isFaulty() && (new Error().stack ?? "").includes("findPlaceRow")) throw new TypeError("made up");
        return second.numaNode.kind;
      },
    });
    const faulty = { ...second, numaNode };
    return { ...base, parents: [first, faulty] };
  }

  it("leaves nothing of its host in the index, and everything of the others", () => {
    const view = new FleetView({ policy: STRICT_POLICY, packs: [], epoch: "e" });
    const rows = (): number => view.index.places.length - view.index.places.vacant.length;
    let isFaulty = true;
    view.putSnapshot(testSnapshot(hostOf("a", "drv-a")));
    view.putSnapshot(hostWithFault("bad", () => isFaulty));
    const hidden = rows();
    isFaulty = false;
    view.putSnapshot(hostWithFault("bad", () => isFaulty));
    assert.deepEqual([hidden, rows(), view.findHost("bad")?.host.places.length], [1, 3, 2]);
  });
});

describe("a document that is none", () => {
  const TEXTS = [
    "null",
    "[]",
    "{}",
    "1",
    '""',
    '"x"',
    "{",
    "",
    '{"host":{}}',
    '{"id":"x","host":null}',
    '{"sections":null}',
    "[".repeat(20_000),
  ];
  it("is a problem of its own, whatever it holds", async () => {
    const kinds = [
      "adoption",
      "agent",
      "catalogue",
      "claim",
      "cordon",
      "inventory",
      "ledger",
      "presence",
      "probe",
      "reported",
    ] as const;
    const { replica, test, failures } = await follow(openTestStore());
    for (const kind of kinds) {
      for (const [at, text] of TEXTS.entries()) {
        await test.write(putDocument(kind, `x${at}`, text === "" ? " " : text));
      }
    }
    await replica.reached(await test.write(putHost(hostOf("a", "drv-a"))));
    assert.deepEqual([failures, shown(replica, "a")[0]], [[], 1]);
    assert.equal(replica.listProblems().length, kinds.length * TEXTS.length);
    await replica.close();
  });
});

describe("a listener that fails", () => {
  it("keeps nobody else from hearing, and the replica goes on", async () => {
    const { replica, test, failures } = await follow(openTestStore());
    const heard: string[] = [];
    const fail = (): never => {
      throw new Error("made up");
    };
    replica.view.feed.subscribe(fail);
    replica.view.feed.subscribe(() => void heard.push("feed"));
    replica.onPresence(fail);
    replica.onPresence(() => void heard.push("presence"));
    replica.onDesired("a", fail);
    replica.onDesired("a", () => void heard.push("desired"));
    await test.write(putDocument("presence", "r/1", { replica: "r", hosts: ["a"] }));
    await replica.reached(await test.write(putDocument("adoption", "a", { host: "a", parents: ["p"], vms: [] })));
    await replica.reached(await test.write(putHost(hostOf("a", "drv-a"))));
    assert.deepEqual(heard.toSorted(), ["desired", "feed", "feed", "presence"]);
    assert.ok(
      failures.length >= 3 && failures.every((text) => text === "listener-failed: Error: made up"),
      failures.join(),
    );
    await replica.close();
  });
});
