// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CLAIM_STATES } from "@berth/core/claim/claim-state";
import { testSnapshot } from "@berth/core/placement/test-fleet";
import type { ChangeMessage } from "@berth/core/protocol/api/answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { DocumentKind } from "../documents/keys.ts";
import type { Store, Write } from "../store/store.ts";
import { describeReplica, startTestReplica, storeWith } from "./test-replica.ts";
import {
  deleteDocument,
  openTestStore,
  putAdoption,
  putAgent,
  putCordon,
  putDocument,
  putHost,
  putLedger,
  putPresence,
  putProbe,
  type TestStore,
} from "./test-store.ts";

const HOSTS = ["a", "b", "__proto__"];
const UUID = "00000000-0000-4000-8000-000000000001";

const host = fc.constantFrom(...HOSTS);
const occupant = { id: UUID, type: "drv-a", count: 1, parent: "p" };
const device = {
  identity: { kind: "mdev", uuid: UUID },
  parent: "p",
  type: "drv-a",
  count: 1,
  values: [],
  occupant,
  fingerprint: { deviceApi: "vfio-pci" },
};

const shown = fc.record({ host, available: fc.constantFrom(0, 2, 4), facts: fc.boolean() }).map((made) =>
  putHost(
    testSnapshot({
      host: made.host,
      parents: [
        {
          id: "p",
          types: [{ id: "drv-a", available: made.available, description: "framebuffer=1024M, max_instance=4" }],
        },
        ...(made.facts ? [{ id: "q", types: [{ id: "drv-b", available: 1 }] }] : []),
      ],
    }),
  ),
);
/** A host whose shapes are not all there. */
const halfShown = fc.tuple(shown, fc.nat(20)).map(([writes, at]) => writes.filter((_, index) => index !== at));
const claim = fc
  .record({ id: fc.constantFrom("c1", "c2"), host, state: fc.constantFrom(...CLAIM_STATES) })
  .map((made) =>
    putDocument("claim", made.id, {
      ...made,
      claimant: { kind: "vm", host: "src", vm: "web" },
      devices: [device],
      fence: 1,
      principal: "test",
      createdAtMs: 0,
      restsOn: [],
      packs: [],
    }),
  );
const probe = fc
  .record({
    id: fc.constantFrom("p1", "p2"),
    host,
    at: fc.nat(3),
    accepted: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ id, at, accepted, host: name }) =>
    putProbe({
      id,
      host: name,
      pairKey: "one",
      ...(accepted === undefined
        ? {}
        : {
            reply: { id, outcome: accepted ? { kind: "accepted" } : { kind: "refused", errno: "EINVAL" } },
            answeredAtMs: at,
          }),
    }),
  );
const KINDS: readonly DocumentKind[] = ["adoption", "agent", "cordon", "inventory", "ledger", "reported", "audit"];
const kind = fc.constantFrom(...KINDS);
const written: fc.Arbitrary<readonly Write[]> = fc.oneof(
  { arbitrary: shown, weight: 3 },
  halfShown,
  claim.map((write) => [write]),
  probe.map((write) => [write]),
  host.map((name) => [putLedger({ host: name, fence: 1, entries: [{ claim: "c1", fence: 1, devices: [occupant] }] })]),
  host.map((name) => [putAgent(name)]),
  host.map((name) => [putCordon(name)]),
  host.map((name) => [putAdoption(name, { parents: ["p"], vms: ["vm"] })]),
  fc.subarray(HOSTS).map((names) => [putPresence("r2", names)]),
  fc.tuple(kind, host).map(([of, name]) => [deleteDocument(of, name)]),
  fc.constantFrom("c1", "c2").map((id) => [deleteDocument("claim", id)]),
  fc.constantFrom("p1", "p2").map((id) => [deleteDocument("probe", id)]),
  fc.tuple(kind, host, fc.constantFrom("{", "{}", "[]")).map(([of, name, text]) => [putDocument(of, name, text)]),
);

/** What happens to the store: a transaction, or several that come with a trouble of the watch. */
const happening = fc.record({
  transactions: fc.array(fc.array(written, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  trouble: fc.constantFrom("none", "none", "compacted", "failed", "shapes removed"),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

async function removeShape(test: TestStore): Promise<void> {
  const { documents } = await test.store.read({ key: "catalogue/", prefix: true, limit: 1 });
  for (const { key } of documents) await test.write({ kind: "delete", key });
}

async function happen(test: TestStore, { transactions, trouble }: Happening, fail: () => void): Promise<void> {
  if (trouble === "failed") fail();
  for (const writes of transactions) {
    const distinct = [...new Map(writes.flat().map((write) => [write.key, write])).values()];
    test.journal.transact({ compares: [], writes: distinct });
  }
  if (trouble === "compacted") test.journal.compact(test.journal.revision);
  if (trouble === "shapes removed") await removeShape(test);
}

/** A store whose watch fails once after each time that it is told to. */
function failingStore(test: TestStore): { readonly store: Store; readonly fail: () => void } {
  let failures = 0;
  const store = storeWith(test.store, {
    watch: async function* (request) {
      for await (const message of test.store.watch(request)) {
        if (failures > 0) {
          failures -= 1;
          throw new BerthError("store_unavailable", "Made up");
        }
        yield message;
      }
    },
  });
  return { store, fail: () => void (failures += 1) };
}

/** Lets time pass until something has come about; a watch that failed pauses longer each time. */
async function letTimePass(test: TestStore, until: Promise<void>): Promise<void> {
  let isOver = false;
  const over = until.finally(() => (isOver = true));
  for (let step = 0; !isOver && step < 1000; step += 1) {
    await new Promise(setImmediate);
    if (!isOver) test.alarm.advance(100);
  }
  assert.ok(isOver, "what was written never arrived");
  await over;
}

describe("startReplica()", () => {
  it("R1: a replica that followed, through resets and failures, is equal to one that starts at the end", async () => {
    const law = async (happenings: readonly Happening[]): Promise<void> => {
      const test = openTestStore();
      const { store, fail } = failingStore(test);
      const replica = await startTestReplica(test, { store });
      const heard: ChangeMessage[] = [];
      replica.view.feed.subscribe((message) => heard.push(message));
      for (const one of happenings) {
        await happen(test, one, fail);
        await letTimePass(test, replica.reached(test.journal.revision));
      }
      const fresh = await startTestReplica(test);
      assert.deepEqual(describeReplica(replica, HOSTS), describeReplica(fresh, HOSTS));
      const revisions = heard.map(({ generation }) => generation.revision);
      assert.deepEqual(
        revisions,
        [...new Set(revisions)].toSorted((a, b) => a - b),
      );
      await Promise.all([replica.close(), fresh.close()]);
    };
    await fc.assert(fc.asyncProperty(fc.array(happening, { maxLength: 8 }), law), { numRuns: 120 });
  });

  it("R2: a reader of messages who asks only for what they name knows the hosts and cordons at each revision", async () => {
    const law = async (happenings: readonly Happening[]): Promise<void> => {
      const test = openTestStore();
      const replica = await startTestReplica(test);
      const { view } = replica;
      const known = { hosts: new Map<string, unknown>(), cordons: new Set<string>() };
      const learn = ({ changes }: ChangeMessage): void => {
        for (const { kind: what, host: name } of changes) {
          if (what === "host-put") known.hosts.set(name, view.findHost(name)?.host.places);
          if (what === "host-removed") known.hosts.delete(name);
          if (what === "host-cordoned") known.cordons.add(name);
          if (what === "host-uncordoned") known.cordons.delete(name);
        }
        const hosts = view.listHosts().map(({ host: viewed }) => [viewed.snapshot.host, viewed.places] as const);
        assert.deepEqual([known.hosts, known.cordons], [new Map(hosts), new Set(view.cordons)]);
      };
      const failed: unknown[] = [];
      view.feed.subscribe((message) => {
        try {
          learn(message);
        } catch (error) {
          failed.push(error);
        }
      });
      for (const one of happenings) {
        await happen(test, one, () => undefined);
        await replica.reached(test.journal.revision);
      }
      assert.deepEqual(failed, []);
      await replica.close();
    };
    await fc.assert(fc.asyncProperty(fc.array(happening, { maxLength: 6 }), law), { numRuns: 60 });
  });
});
