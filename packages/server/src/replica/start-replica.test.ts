// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import type { Claim } from "@berth/core/claim/claim";
import { roomFor } from "@berth/core/capacity/room";
import { testSnapshot, type TestHost } from "@berth/core/placement/test-fleet";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import { madeUpCard } from "@berth/core/report/made-up-snapshot";
import type { Write } from "../store/store.ts";
import type { Replica } from "./replica.ts";
import { describeReplica, startTestReplica } from "./test-replica.ts";
import {
  deleteDocument,
  openTestStore,
  putAdoption,
  putAgent,
  putClaim,
  putCordon,
  putDocument,
  putHost,
  putLedger,
  putPresence,
  putProbe,
  type TestStore,
} from "./test-store.ts";

const LAW = "framebuffer=1024M, max_instance=4";

function hostOf(host: string, available = 4): TestHost {
  return { host, parents: [{ id: "p", types: [{ id: "drv-a", available, version: "1.5.0", description: LAW }] }] };
}

function ledgerOf(host: string, ...ids: readonly string[]): LedgerDocument {
  const devices = ids.map((id) => ({ id, type: "drv-a", count: 1, parent: "p" }));
  return { host, fence: 1, entries: [{ claim: "c1", fence: 1, devices }] };
}

function claimOf(id: string, host: string, state: Claim["state"] = "held"): Claim {
  const uuid = "00000000-0000-4000-8000-000000000001";
  const device = {
    identity: { kind: "mdev", uuid },
    parent: "p",
    type: "drv-a",
    count: 1,
    values: [],
    occupant: { id: uuid, type: "drv-a", count: 1, parent: "p" },
    fingerprint: { deviceApi: "vfio-pci" },
  } as const;
  const claimant = { kind: "vm", host: "src", vm: "web" } as const;
  const rest = { fence: 1, principal: "test", createdAtMs: 0, restsOn: [], packs: [] };
  return { id, state, claimant, host, devices: [device], ...rest };
}

function roomOn(replica: Replica, host: string): number | undefined {
  const [pool] = replica.view.findHost(host)?.host.pools ?? [];
  return pool === undefined ? undefined : roomFor(pool, { type: "drv-a" }).atLeast;
}

function problemsOn(replica: Replica, host: string): readonly string[] {
  return (replica.view.findHost(host)?.host.problems ?? []).map(({ code }) => code);
}

async function follow(test: TestStore): Promise<{ readonly replica: Replica; readonly heard: ChangeMessage[] }> {
  const replica = await startTestReplica(test);
  const heard: ChangeMessage[] = [];
  replica.view.feed.subscribe((message) => heard.push(message));
  return { replica, heard };
}

describe("startReplica()", () => {
  it("has everything that stood in the store", async () => {
    const test = openTestStore();
    await test.write(putHost(hostOf("a")), putLedger(ledgerOf("a", "1")), putCordon("b"), putPresence("r2", ["a"]));
    await test.write(putAgent("a"), putAdoption("a", { parents: ["p"] }), putAgent("b"));
    await test.write(
      putClaim(claimOf("c2", "a")),
      putClaim(claimOf("c1", "a", "released")),
      putClaim(claimOf("c0", "b")),
    );
    const { replica } = await follow(test);
    assert.deepEqual(replica.cursor, { epoch: "test", revision: 3 });
    assert.deepEqual(replica.view.generation, replica.cursor);
    assert.deepEqual([replica.view.hostNames, replica.view.cordons, roomOn(replica, "a")], [["a"], ["b"], 3]);
    assert.deepEqual(
      [replica.view.isAdopted("a", "p"), replica.isPresent("a"), replica.isPresent("b")],
      [true, true, false],
    );
    const ids = (all: readonly { readonly document: Claim }[]): unknown => all.map(({ document }) => document.id);
    assert.deepEqual(
      [ids(replica.listClaims("a")), ids(replica.listAllClaims())],
      [
        ["c1", "c2"],
        ["c0", "c1", "c2"],
      ],
    );
    assert.deepEqual(Object.keys(replica.findHost("a") ?? {}), ["host", "inventory", "ledger", "agent", "adoption"]);
    assert.equal(replica.findHost("a")?.inventory?.document.sequence, 1);
    assert.equal(replica.findHost("a")?.ledger?.revision, 1);
    assert.deepEqual([replica.findHost("c"), replica.listProblems()], [undefined, []]);
    assert.deepEqual(
      replica.listAgents().map(({ document }) => document.host),
      ["a", "b"],
    );
    await replica.close();
  });

  it("serves nobody who stood before it began", async () => {
    const test = openTestStore();
    const before = await test.write(putHost(hostOf("a")));
    await test.write(deleteDocument("inventory", "a"));
    const { replica } = await follow(test);
    assert.equal(replica.view.feed.since({ epoch: "test", revision: before }).kind, "reset");
    assert.equal(replica.view.feed.since(replica.cursor).kind, "messages");
    await replica.close();
  });

  it("tells each revision that changes something in one message", async () => {
    const test = openTestStore();
    const { replica, heard } = await follow(test);
    await test.write(putHost(hostOf("a")), putAgent("a"));
    await test.write(putPresence("r2", ["a"]));
    await test.write(putDocument("audit", "day/1", {}));
    await test.write(putLedger(ledgerOf("a", "1")), putClaim(claimOf("c1", "a")));
    await test.write(putProbe({ id: "p1", host: "a" }), putAdoption("a", { vms: ["vm"] }));
    await replica.reached(await test.write(deleteDocument("inventory", "a")));
    const put = { kind: "host-put", host: "a" };
    assert.deepEqual(
      heard.map(({ generation, changes }) => [generation.revision, changes]),
      [
        [1, [put, { kind: "agent-changed", host: "a" }]],
        [4, [put, { kind: "claim-changed", host: "a", claim: "c1", state: "held" }]],
        [
          5,
          [
            { kind: "host-adopted", host: "a" },
            { kind: "probe-changed", host: "a", probe: "p1" },
          ],
        ],
        [6, [{ kind: "host-removed", host: "a" }]],
      ],
    );
    await replica.close();
  });

  it("joins a host again when a shape that it lacks arrives, and not before", async () => {
    const test = openTestStore();
    const [shape, ...rest] = putHost(hostOf("a"));
    assert.ok(shape);
    const first = await test.write(rest);
    const { replica } = await follow(test);
    assert.deepEqual([problemsOn(replica, "a"), roomOn(replica, "a")], [["document_unreadable"], undefined]);
    assert.equal(replica.findHost("a")?.inventory?.revision, first);
    await replica.reached(await test.write(shape));
    assert.deepEqual([problemsOn(replica, "a"), roomOn(replica, "a")], [[], 4]);
    await replica.reached(await test.write(deleteDocument("catalogue", shape.key.slice("catalogue/".length))));
    assert.deepEqual([problemsOn(replica, "a"), roomOn(replica, "a")], [["document_unreadable"], undefined]);
    await replica.close();
  });

  it("takes a host that did not fit into its report for no empty one", async () => {
    const test = openTestStore();
    await test.write(putHost(madeUpCard({ host: "a", parents: 400, types: 20, devices: 400 })));
    const { replica } = await follow(test);
    assert.equal(replica.findHost("a")?.inventory?.document.inventory.cut, "everything");
    assert.deepEqual(problemsOn(replica, "a"), ["inventory_too_large"]);
    assert.deepEqual(replica.view.findHost("a")?.host.places, []);
    await replica.close();
  });

  it("finds the same room where only problems did not fit", async () => {
    const test = openTestStore();
    const shown = testSnapshot(hostOf("a", 3));
    const problems = Array.from({ length: 3000 }, (_, at) => {
      return {
        code: "link_broken",
        host: "a",
        path: `/sys/${at}`,
        message: `made up ${at} ${"x".repeat(30)}`,
      } as const;
    });
    await test.write(putHost(shown));
    const { replica } = await follow(test);
    const before = replica.view.findHost("a")?.host.pools;
    await replica.reached(await test.write(putHost({ ...shown, problems }, { generation: 1, sequence: 2 })));
    assert.equal(replica.findHost("a")?.inventory?.document.inventory.cut, "problems");
    assert.deepEqual(replica.view.findHost("a")?.host.pools, before);
    assert.equal(problemsOn(replica, "a").length, 51);
    await replica.close();
  });
});

const UNREADABLE = {
  "offers nothing of a host whose inventory cannot be read": {
    kind: "inventory",
    shows: { problems: ["document_unreadable"] },
  },
  "promises no room where the ledger cannot be read": {
    kind: "ledger",
    shows: { room: 0, problems: ["document_unreadable"] },
  },
  "places nothing where the cordon cannot be read": {
    kind: "cordon",
    shows: { room: 3, problems: ["document_unreadable"], cordoned: true },
  },
  "has nothing adopted by what cannot be read": {
    kind: "adoption",
    shows: { room: 3, problems: ["document_unreadable"], adopted: false },
  },
  "knows no agent of which the document cannot be read": {
    kind: "agent",
    shows: { room: 3, problems: ["document_unreadable"], agent: false },
  },
  "shows a host whose report's order cannot be read": {
    kind: "reported",
    shows: { room: 3, problems: ["document_unreadable"] },
  },
  "lists a claim that cannot be read": { kind: "claim", name: "c1", shows: { room: 3, claims: 0 } },
  "knows no probe that cannot be read": { kind: "probe", name: "p1", shows: { room: 3, probes: 0 } },
  "hears nobody by a presence that cannot be read": {
    kind: "presence",
    name: "r2/1",
    shows: { room: 3, hears: false },
  },
} as const;
const TEXTS = ["{", "null", "[]", "{}", '{"host":"b","id":"other","entries":[],"fence":0}', '{"__proto__":1}'];

function describeHost(replica: Replica): object {
  const room = roomOn(replica, "a");
  return {
    ...(room === undefined ? {} : { room }),
    problems: problemsOn(replica, "a"),
    cordoned: replica.view.isCordoned("a"),
    adopted: replica.view.isAdopted("a", "p"),
    agent: replica.findHost("a")?.agent !== undefined,
    claims: replica.listClaims("a").length,
    probes: replica.listProbes("a").length,
    hears: replica.isPresent("a"),
  };
}

describe("a document that cannot be read", () => {
  const readable = [
    ...putHost(hostOf("a")),
    putLedger(ledgerOf("a", "1")),
    putAgent("a"),
    putAdoption("a", { parents: ["p"] }),
    putClaim(claimOf("c1", "a")),
    putPresence("r2", ["a"]),
    putProbe({ id: "p1", host: "a", reply: { id: "p1", outcome: { kind: "accepted" } }, answeredAtMs: 1 }),
  ];
  const good = {
    room: 3,
    problems: [],
    cordoned: false,
    adopted: true,
    agent: true,
    claims: 1,
    probes: 1,
    hears: true,
  };

  for (const [does, wanted] of Object.entries(UNREADABLE)) {
    const { kind, shows } = wanted;
    const name = "name" in wanted ? wanted.name : "a";
    it(`${does}, until it can`, async () => {
      const test = openTestStore();
      await test.write(readable);
      const { replica } = await follow(test);
      assert.deepEqual(describeHost(replica), good);
      const { room: _room, ...rest } = good;
      for (const text of TEXTS) {
        await replica.reached(await test.write(putDocument(kind, name, text)));
        assert.deepEqual(describeHost(replica), { ...rest, ...shows }, text);
        assert.deepEqual(
          replica.listProblems().map(({ key }) => key),
          [`${kind}/${name}`],
          text,
        );
      }
      await replica.reached(await test.write(deleteDocument(kind, name)));
      await replica.reached(await test.write(readable));
      assert.deepEqual([describeHost(replica), replica.listProblems()], [good, []]);
      const fresh = await startTestReplica(test);
      assert.deepEqual(describeReplica(replica, ["a"]), describeReplica(fresh, ["a"]));
      await Promise.all([replica.close(), fresh.close()]);
    });
  }
});

describe("reached()", () => {
  it("resolves when the revision is in the view", async () => {
    const test = openTestStore();
    const { replica } = await follow(test);
    const waited = replica.reached(1).then(() => replica.view.hostNames);
    await test.write(putHost(hostOf("a")));
    assert.deepEqual(await waited, ["a"]);
    await replica.reached(1);
    await replica.close();
  });

  it("rejects with the signal's reason, and when the replica is closed", async () => {
    const test = openTestStore();
    const { replica } = await follow(test);
    const ending = new AbortController();
    const aborted = assert.rejects(replica.reached(9, ending.signal), /enough/);
    ending.abort(new Error("enough"));
    await aborted;
    await assert.rejects(replica.reached(9, ending.signal), /enough/);
    const closed = assert.rejects(replica.reached(9), { code: "store_unavailable" });
    await replica.close();
    await closed;
    await assert.rejects(replica.reached(9), { code: "store_unavailable" });
  });
});

describe("onDesired()", () => {
  it("tells of claims, adoption and probes of the host, and of nothing else", async () => {
    const test = openTestStore();
    const { replica } = await follow(test);
    let told = 0;
    const end = replica.onDesired("a", () => (told += 1));
    const tell = async (...writes: readonly (Write | readonly Write[])[]): Promise<number> => {
      const before = told;
      await replica.reached(await test.write(...writes));
      return told - before;
    };
    assert.equal(await tell(putClaim(claimOf("c1", "a"))), 1);
    assert.equal(await tell(putClaim(claimOf("c1", "a", "provisioning")), putAdoption("a", { parents: ["p"] })), 1);
    assert.equal(await tell(putProbe({ id: "p1", host: "a" })), 1);
    assert.equal(await tell(putClaim(claimOf("c2", "b")), putAgent("a"), putHost(hostOf("a"))), 0);
    assert.equal(await tell(deleteDocument("claim", "c1")), 1);
    assert.equal(await tell(deleteDocument("probe", "p1")), 1);
    assert.equal(await tell(deleteDocument("adoption", "a")), 1);
    end();
    assert.equal(await tell(putClaim(claimOf("c1", "a"))), 0);
    await replica.close();
  });
});

describe("onPresence()", () => {
  it("tells when it is another who hears a host", async () => {
    const test = openTestStore();
    const { replica } = await follow(test);
    const heard: boolean[] = [];
    const end = replica.onPresence(() => heard.push(replica.isPresent("a")));
    await test.write(putPresence("r2", ["a", "b"]));
    await test.write(putAgent("a"));
    await replica.reached(await test.write(deleteDocument("presence", "r2/1")));
    end();
    await replica.reached(await test.write(putPresence("r2", ["a"])));
    assert.deepEqual(heard, [true, false]);
    assert.deepEqual(replica.listPresence(), [{ replica: "r2", hosts: ["a"] }]);
    await replica.close();
  });
});
