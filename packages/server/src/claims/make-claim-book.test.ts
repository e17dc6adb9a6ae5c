// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { LEDGER_MAX, type LedgerDocument } from "@berth/core/claim/ledger-document";
import { STRICT_POLICY } from "@berth/core/compatibility/policy";
import { profileOfDevice } from "@berth/core/inventory/profile";
import { BerthError } from "@berth/core/protocol/berth-error";
import { formatProfileDocument } from "@berth/core/protocol/profile-schema";
import type { ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import type { ClaimBody } from "@berth/core/protocol/api/control-requests";
import type { Caller } from "./claim-book.ts";
import { adopts, cardHost, openWorld, shows, sourceHost, SOURCES, UNITS, type TestWorld } from "./test-claims.ts";

const CALLER: Caller = { principal: "olga" };
const DEVICE: ClaimBody = { for: { host: "src", device: SOURCES[0] } };
const VM: ClaimBody = { for: { host: "src", vm: "vm-1" } };

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

async function worldOf(...hosts: Parameters<typeof openWorld>[0]): Promise<TestWorld> {
  const world = await openWorld([sourceHost(), ...hosts]);
  worlds.push(world);
  return world;
}

function keyed(key: string, request = "r1"): Caller {
  return { ...CALLER, idempotency: { key, request } };
}

function granted(answer: ClaimDecisionAnswer): Extract<ClaimDecisionAnswer, { kind: "granted" }> {
  assert.equal(answer.kind, "granted", JSON.stringify(answer));
  return answer as Extract<ClaimDecisionAnswer, { kind: "granted" }>;
}

/** `because: host code code, host code`. */
function refusal(answer: ClaimDecisionAnswer): string {
  assert.equal(answer.kind, "refused", JSON.stringify(answer));
  const { tried, because } = answer as Extract<ClaimDecisionAnswer, { kind: "refused" }>;
  const hosts = tried.map(({ host, reasons }) => [host, ...new Set(reasons.map(({ code }) => code))].join(" "));
  return `${because}: ${hosts.join(", ")}`;
}

async function document<T>(world: TestWorld, key: string): Promise<T | undefined> {
  const [found] = (await world.store.read({ key })).documents;
  return found === undefined ? undefined : (JSON.parse(found.value) as T);
}

async function audits(world: TestWorld): Promise<readonly string[]> {
  const { documents } = await world.store.read({ key: "audit/", prefix: true });
  return documents.map(({ value }) => {
    const { principal, action } = JSON.parse(value) as { principal: string; action: string };
    return `${principal} ${action}`;
  });
}

describe("claim()", () => {
  it("writes claim, ledger and audit in one revision, and shows them when it answers", async () => {
    const world = await worldOf(cardHost("a"));
    const { book, replica } = await world.openBook();
    const { claim, generation } = granted(await book.claim(DEVICE, CALLER));
    assert.deepEqual([claim.host, claim.state, claim.devices.length, claim.fence], ["a", "held", 1, 1]);
    assert.equal(generation.revision, claim.revision);
    assert.equal(replica.findClaim(claim.id)?.revision, claim.revision);
    assert.equal(replica.findHost("a")?.ledger?.revision, claim.revision);
    assert.deepEqual(
      replica.view.findHost("a")?.ledger.map(({ id }) => id),
      [claim.devices[0].occupant.id],
    );
    assert.deepEqual(await audits(world), ["olga claim.create"]);
    assert.equal(claim.expiresAtMs, world.nowMs + 600_000);
  });

  it("answers only when its own replica shows the claim", async () => {
    const world = await worldOf(cardHost("a"));
    const { book, replica } = await world.openBook();
    replica.pause();
    let isAnswered = false;
    const asked = book.claim(DEVICE, CALLER).finally(() => (isAnswered = true));
    await settled();
    assert.deepEqual([isAnswered, (await document<LedgerDocument>(world, "ledger/a")) !== undefined], [false, true]);
    replica.resume();
    const { claim } = granted(await asked);
    assert.equal(replica.findClaim(claim.id)?.revision, claim.revision);
  });

  it("takes all devices of a VM or none", async () => {
    const world = await worldOf(cardHost("a", { devices: [1, 2, 3].map(deviceOn) }), cardHost("b"));
    const { book } = await world.openBook();
    const { claim } = granted(await book.claim(VM, CALLER));
    assert.deepEqual([claim.host, claim.devices.map(({ source }) => source)], ["b", SOURCES.slice(0, 2)]);
    assert.equal(new Set(claim.devices.map(({ occupant }) => occupant.id)).size, 2);
    assert.match(refusal(await book.claim({ ...VM, to: "a" }, CALLER)), /^no-room: a /);
    assert.equal(await document(world, "ledger/a"), undefined);
  });

  it("names the claims that hold a place for the same devices already", async () => {
    const world = await worldOf(cardHost("a", { cards: 4 }));
    const { book } = await world.openBook();
    const first = granted(await book.claim(DEVICE, keyed("k1")));
    assert.equal(first.alsoHeld, undefined);
    const second = granted(await book.claim(VM, CALLER));
    assert.deepEqual(second.alsoHeld, [first.claim.id]);
    assert.deepEqual(granted(await book.claim({ ...DEVICE, dryRun: true }, CALLER)).alsoHeld, [
      first.claim.id,
      second.claim.id,
    ]);
    // The other device of the VM is held a place for by the claim for the VM alone.
    const other = granted(await book.claim({ for: { host: "src", device: SOURCES[1] } }, CALLER));
    assert.deepEqual(other.alsoHeld, [second.claim.id]);
    await book.release(second.claim.id, CALLER);
    assert.deepEqual(granted(await book.claim(DEVICE, CALLER)).alsoHeld, [first.claim.id]);
    assert.equal(granted(await book.claim(DEVICE, keyed("k1"))).alsoHeld, undefined);
  });

  it("goes to the host that is named, and else to the best one that grants it", async () => {
    const world = await worldOf(cardHost("a"), cardHost("b"));
    const { book } = await world.openBook();
    assert.equal(granted(await book.claim({ ...DEVICE, to: "b" }, CALLER)).claim.host, "b");
    // `b` has less left, and the ranking wants full pools full.
    assert.equal(granted(await book.claim(DEVICE, CALLER)).claim.host, "b");
    const spread = granted(await book.claim({ ...DEVICE, strategy: "spread" }, CALLER));
    assert.deepEqual([spread.claim.host, spread.tried], ["a", []]);
    assert.equal(granted(await book.claim({ ...DEVICE, exceptHosts: ["b"] }, CALLER)).claim.host, "a");
  });

  it("is for a bare profile, too, which has no source", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    const profile = profileOfDevice(sourceHost(), SOURCES[0], STRICT_POLICY);
    assert.ok(profile);
    const body = { for: { profile: formatProfileDocument(profile) as object } };
    const { claim } = granted(await book.claim({ ...body, to: "a" }, CALLER));
    assert.deepEqual([claim.claimant, claim.devices[0].source], [{ kind: "profile" }, undefined]);
    // It may go to the very host that the profile was read on: no device is there that would move.
    assert.match(refusal(await book.claim({ ...body, to: "src" }, CALLER)), /^no-room: src claim_no_room/);
  });

  it("confirms in the same revision what is to be made at once", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    const answer = granted(await book.claim({ ...DEVICE, make: true }, CALLER));
    assert.deepEqual([answer.claim.state, answer.claim.expiresAtMs], ["provisioning", undefined]);
    assert.match(answer.steps.join(), /[Cc]reate/);
  });

  it("writes nothing in a dry run, and says what would be done", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    const before = world.journal.revision;
    const answer = granted(await book.claim({ ...DEVICE, dryRun: true }, keyed("k")));
    assert.equal(answer.dryRun, true);
    assert.match(answer.steps.join(), /[Cc]reate/);
    assert.equal(world.journal.revision, before);
  });

  it("throws for what is not there", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    const cases: readonly (readonly [ClaimBody, string])[] = [
      [{ for: { host: "none", device: SOURCES[0] } }, "unknown_host"],
      [{ ...DEVICE, to: "none" }, "unknown_host"],
      [{ for: { host: "src", device: "00000000-0000-4000-8000-0000000000ff" } }, "unknown_device"],
      [{ for: { host: "src", vm: "none" } }, "unknown_vm"],
      [{ for: { host: "src", vm: "vm-3" } }, "vm_without_devices"],
      [{ for: { host: "__proto__", vm: "constructor" } }, "unknown_host"],
      [{ for: { profile: {} } }, "profile_malformed"],
    ];
    for (const [body, code] of cases) await assert.rejects(book.claim(body, CALLER), { code });
  });
});

function deviceOn(number: number): { id: string; parent: string; type: string } {
  return { id: `00000000-0000-4000-a000-00000000000${number}`, parent: "p0", type: "drv-a" };
}

describe("claim() refuses", () => {
  const full = cardHost("a", { devices: [1, 2, 3, 4].map(deviceOn) });
  const older = cardHost("a", { version: "1.4.0" });
  const unversioned = (): typeof full => {
    const { parents, ...rest } = cardHost("a");
    const evidence = { host: "a", source: "sysfs", path: "/sys" } as const;
    const softwareVersion = { kind: "absent", evidence } as const;
    return {
      ...rest,
      parents: parents.map((parent) => ({
        ...parent,
        types: parent.types.map((type) => ({ ...type, attributes: { ...type.attributes, softwareVersion } })),
      })),
    };
  };
  const CASES: Record<
    string,
    {
      readonly body?: Partial<ClaimBody>;
      readonly host?: typeof full;
      readonly set?: (world: TestWorld) => unknown;
      readonly says: string;
    }
  > = {
    "a full host": { host: full, body: { to: "a" }, says: "no-room: a claim_no_room" },
    "where all hosts are full, without trying them": { host: full, says: "no-room: " },
    "a host that a rule keeps out": { host: older, body: { to: "a" }, says: "no: a claim_incompatible" },
    "where a rule keeps all hosts out": { host: older, says: "no: " },
    "what is not known": { host: unversioned(), body: { to: "a" }, says: "unknown: a claim_undetermined" },
    "where nothing is known of any host": { host: unversioned(), says: "unknown: " },
    "the claimant's own host": { body: { to: "src" }, says: "no: src claim_own_host" },
    "a cordoned host that is named": {
      body: { to: "a" },
      set: (world) =>
        world.put({
          kind: "put",
          key: "cordon/a",
          value: `{"host":"a","principal":"olga","atMs":1,"reason":"repair"}`,
        }),
      says: "no: a host_cordoned",
    },
    "cordoned hosts, which are not even tried": {
      set: (world) => world.put({ kind: "put", key: "cordon/a", value: `{"host":"a","principal":"olga","atMs":1}` }),
      says: "no: ",
    },
    "a host that nobody hears": { set: (world) => world.silent.add("a"), says: "unknown: a host_silent" },
    "a host of which nothing was handed over": {
      set: (world) => world.put({ kind: "delete", key: "adoption/a" }),
      says: "no: a claim_not_adopted",
    },
    "a parent that was not handed over": {
      host: cardHost("a", { cards: 2, devices: [1, 2, 3, 4].map(deviceOn) }),
      set: (world) => world.put(adopts("a", [{ id: "p0" }])),
      says: "no-room: a claim_no_room claim_not_adopted",
    },
    "a VM of somebody else": {
      body: VM,
      set: (world) => world.put(shows(sourceHost("nova"))),
      says: "no: src claim_foreign_vm",
    },
    "a device of somebody else's VM": {
      set: (world) => world.put(shows(sourceHost("unknown"))),
      says: "no: src claim_foreign_vm",
    },
    "a VM that fits nowhere together": {
      host: cardHost("a", { devices: [1, 2, 3].map(deviceOn) }),
      body: VM,
      says: "no-room: ",
    },
  };
  for (const [name, { body, host = cardHost("a"), set, says }] of Object.entries(CASES)) {
    it(name, async () => {
      const world = await worldOf(host);
      await set?.(world);
      const { book } = await world.openBook();
      const before = world.journal.revision;
      assert.equal(refusal(await book.claim({ ...DEVICE, ...body }, CALLER)), says);
      assert.equal(world.journal.revision, before);
    });
  }

  it("nothing of somebody else's VM that was handed over", async () => {
    const world = await worldOf(cardHost("a"));
    await world.put(shows(sourceHost("nova")), adopts("src", [], ["vm-1"]));
    const { book } = await world.openBook();
    granted(await book.claim(VM, CALLER));
    granted(await book.claim(DEVICE, CALLER));
  });

  it("a host whose ledger cannot be read", async () => {
    const world = await worldOf(cardHost("a"));
    await world.put({ kind: "put", key: "ledger/a", value: '{"host":"a"}' });
    const { book } = await world.openBook();
    assert.equal(refusal(await book.claim({ ...DEVICE, to: "a" }, CALLER)), "unknown: a claim_room_unknown");
  });

  it("a host whose ledger has no room for more", async () => {
    const world = await worldOf(cardHost("a"), cardHost("b", { devices: [deviceOn(1)] }));
    const entries = Array.from({ length: 76 }, (_, index) => {
      const device = { id: `${index}-${"x".repeat(121)}`, type: "drv-a", count: 1, parent: "gone" };
      return { claim: `z-${index}`, fence: 1, devices: [device] };
    });
    const value = JSON.stringify({ host: "a", fence: 90, entries });
    assert.ok(value.length < LEDGER_MAX && value.length > LEDGER_MAX - 150, String(value.length));
    await world.put({ kind: "put", key: "ledger/a", value });
    const { book } = await world.openBook();
    await assert.rejects(book.claim({ ...DEVICE, to: "a" }, CALLER), { code: "ledger_full" });
    const { claim, tried } = granted(await book.claim({ ...DEVICE, strategy: "spread" }, CALLER));
    assert.deepEqual(
      [claim.host, tried.map(({ host, reasons }) => `${host} ${reasons[0]?.code}`)],
      ["b", ["a ledger_full"]],
    );
  });
});

describe("claim() on stale data", () => {
  it("decides again on the ledger that others wrote", async () => {
    const world = await worldOf(cardHost("a", { devices: [1, 2, 3].map(deviceOn) }), cardHost("b"));
    const one = await world.openBook();
    const two = await world.openBook();
    two.replica.pause();
    const first = granted(await one.book.claim({ ...DEVICE, to: "a" }, CALLER));
    const late = two.book.claim(DEVICE, CALLER);
    await settled();
    two.replica.resume();
    const second = granted(await late);
    assert.equal(first.claim.host, "a");
    assert.deepEqual(
      [second.claim.host, second.tried.map(({ host, reasons }) => [host, reasons[0]?.code])],
      ["b", [["a", "claim_no_room"]]],
    );
  });

  it("takes a place that the search did not see, before it says no", async () => {
    const devices = [1, 2, 3, 4, 5, 6].map((number) => ({ ...deviceOn(number), parent: number > 3 ? "p1" : "p0" }));
    const world = await worldOf(cardHost("a", { cards: 2, devices }));
    const one = await world.openBook();
    const two = await world.openBook();
    const first = granted(await one.book.claim(DEVICE, CALLER)).claim;
    const second = granted(await one.book.claim(DEVICE, CALLER)).claim;
    assert.deepEqual([first.devices[0].parent, second.devices[0].parent], ["p0", "p1"]);
    const { revision } = await one.book.release(first.id, CALLER);
    await two.replica.reached(revision);
    two.replica.pause();
    // What the second server sees free is taken, and what it sees taken is free.
    granted(await one.book.claim(DEVICE, CALLER));
    await one.book.release(second.id, CALLER);
    const late = two.book.claim(DEVICE, CALLER);
    await settled();
    two.replica.resume();
    const { claim, tried } = granted(await late);
    assert.deepEqual([claim.devices[0].parent, tried], ["p1", []]);
  });

  it("does not wait for the watch where it can know by itself", async () => {
    const world = await worldOf(cardHost("a"));
    const { book, replica } = await world.openBook();
    replica.pause();
    const claims = Array.from({ length: UNITS + 2 }, () => book.claim({ ...DEVICE, to: "a" }, CALLER));
    await settled();
    assert.equal((await document<LedgerDocument>(world, "ledger/a"))?.entries.length, UNITS);
    replica.resume();
    const kinds = (await Promise.all(claims)).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "granted").length, UNITS);
  });

  it("calls a stranger by its name, and takes the next candidate", async () => {
    const world = await worldOf(cardHost("a", { devices: [1, 2, 3].map(deviceOn) }), cardHost("b"));
    const { book, replica } = await world.openBook();
    replica.pause();
    await world.put(shows(cardHost("a", { devices: [1, 2, 3, 4].map(deviceOn) })));
    const late = book.claim(DEVICE, CALLER);
    await settled();
    replica.resume();
    const { claim, tried } = granted(await late);
    assert.deepEqual(
      [claim.host, tried.map(({ host, reasons }) => `${host} ${reasons[0]?.code}`)],
      ["b", ["a claim_stranger"]],
    );
  });

  it("heeds a cordon, an adoption and a source that changed meanwhile", async () => {
    const changes: Record<string, (world: TestWorld) => Promise<unknown>> = {
      "no: a host_cordoned": (world) =>
        world.put({ kind: "put", key: "cordon/a", value: `{"host":"a","principal":"olga","atMs":1}` }),
      "no: a claim_not_adopted": (world) => world.put({ kind: "delete", key: "adoption/a" }),
      "no: a claim_foreign_vm": (world) => world.put(shows(sourceHost("nova"))),
    };
    for (const [says, change] of Object.entries(changes)) {
      const world = await worldOf(cardHost("a"));
      const { book, replica } = await world.openBook();
      replica.pause();
      await change(world);
      const late = book.claim({ ...DEVICE, to: "a" }, CALLER);
      await settled();
      replica.resume();
      assert.equal(refusal(await late), says);
    }
  });

  it("throws for a source that is gone by then", async () => {
    const world = await worldOf(cardHost("a"));
    const { book, replica } = await world.openBook();
    replica.pause();
    await world.put(shows(cardHost("src")));
    const rejected = assert.rejects(book.claim({ ...DEVICE, to: "a" }, CALLER), { code: "unknown_device" });
    await settled();
    replica.resume();
    await rejected;
  });

  it("gives up where others write every time", async () => {
    const world = await worldOf(cardHost("a"));
    let fence = 0;
    const { book } = await world.openBook(async (moment) => {
      if (moment === "after") return;
      fence += 1;
      await world.put({ kind: "put", key: "ledger/a", value: JSON.stringify({ host: "a", fence, entries: [] }) });
    });
    await assert.rejects(book.claim({ ...DEVICE, to: "a" }, CALLER), { code: "claim_contended" });
  });
});

/** Lets everything run that waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("claim() with an idempotency key", () => {
  async function claims(world: TestWorld): Promise<number> {
    return (await world.store.read({ key: "claim/", prefix: true })).documents.length;
  }

  it("gives the same answer again, also from another server, and claims once", async () => {
    const world = await worldOf(cardHost("a"));
    const one = await world.openBook();
    const two = await world.openBook();
    const first = await one.book.claim(DEVICE, keyed("k"));
    assert.deepEqual(await one.book.claim(DEVICE, keyed("k")), first);
    assert.deepEqual(await two.book.claim(DEVICE, keyed("k")), first);
    assert.equal(await claims(world), 1);
    granted(await two.book.claim(DEVICE, keyed("other")));
    granted(await two.book.claim(DEVICE, { ...keyed("k"), principal: "otto" }));
    assert.equal(await claims(world), 3);
  });

  it("gives it also where nothing could be granted now, or the source is gone", async () => {
    const world = await worldOf(cardHost("a", { devices: [1, 2, 3].map(deviceOn) }));
    const { book } = await world.openBook();
    const first = await book.claim(DEVICE, keyed("k"));
    assert.deepEqual(await book.claim(DEVICE, keyed("k")), first);
    const revision = await world.put(shows(cardHost("src")));
    const other = await world.openBook();
    await other.replica.reached(revision);
    assert.deepEqual(await other.book.claim(DEVICE, keyed("k")), first);
  });

  it("answers both alike that come at once", async () => {
    const world = await worldOf(cardHost("a"), cardHost("b"));
    const [one, two] = [await world.openBook(), await world.openBook()];
    const answers = await Promise.all([one, two, one, two].map(({ book }) => book.claim(DEVICE, keyed("k"))));
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(await claims(world), 1);
  });

  it("refuses the key for another request", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    await book.claim(DEVICE, keyed("k"));
    await assert.rejects(book.claim(VM, keyed("k", "r2")), { code: "idempotency_mismatch" });
    await assert.rejects(book.claim({ ...DEVICE, to: "src" }, keyed("k", "r3")), { code: "idempotency_mismatch" });
  });

  it("finds what was written though the answer was lost", async () => {
    const world = await worldOf(cardHost("a", { devices: [1, 2, 3].map(deviceOn) }));
    let isLost = true;
    const { book } = await world.openBook(async (moment) => {
      if (moment === "before" || !isLost || world.journal.revision < 3) return;
      isLost = false;
      throw new BerthError("store_unavailable", "The answer was lost");
    });
    await assert.rejects(book.claim(DEVICE, keyed("k")), { code: "store_unavailable" });
    assert.equal(await claims(world), 1);
    granted(await book.claim(DEVICE, keyed("k")));
    assert.equal(await claims(world), 1);
  });

  it("forgets answers after a day, and no sooner", async () => {
    const world = await worldOf(cardHost("a"));
    const { book } = await world.openBook();
    await book.claim(DEVICE, keyed("k"));
    const kept = async (): Promise<number> => (await world.store.read({ key: "idem/", prefix: true })).documents.length;
    world.nowMs += 24 * 60 * 60 * 1000 - 1;
    await book.expire(undefined);
    assert.equal(await kept(), 1);
    world.nowMs += 1;
    await book.expire(undefined);
    assert.equal(await kept(), 0);
  });
});
