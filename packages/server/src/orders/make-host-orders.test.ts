// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { ClaimBook } from "../claims/claim-book.ts";
import { cardHost, openWorld, sourceHost, SOURCES, type TestWorld } from "../claims/test-claims.ts";
import type { AuditDocument } from "../documents/documents.ts";
import type { HostOrders } from "./host-orders.ts";
import { makeHostOrders } from "./make-host-orders.ts";

const CALLER = { principal: "olga" };

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

interface Scene {
  readonly world: TestWorld;
  readonly orders: HostOrders;
  readonly book: ClaimBook;
  /** The same orders on another server, and its replica. */
  readonly other: { readonly orders: HostOrders; pause(): void; resume(): void };
}

async function scene(): Promise<Scene> {
  const world = await openWorld([sourceHost("nova"), cardHost("a", { cards: 2 })]);
  worlds.push(world);
  await world.put({ kind: "delete", key: "adoption/a" }, { kind: "delete", key: "adoption/src" });
  let drawn = 0;
  const open = async (name: string) => {
    const { book, replica } = await world.openBook();
    const parts = { replica, now: () => world.nowMs, newId: () => `${name}-${(drawn += 1)}` };
    return { book, replica, orders: makeHostOrders(parts) };
  };
  const [one, two] = [await open("one"), await open("two")];
  const [pause, resume] = [(): void => two.replica.pause(), (): void => two.replica.resume()];
  return { world, orders: one.orders, book: one.book, other: { orders: two.orders, pause, resume } };
}

async function keys({ world }: Scene): Promise<readonly string[]> {
  const { documents } = await world.store.read({ key: "", prefix: true });
  return documents.map(({ key }) => key).filter((key) => !/^(audit|catalogue)\//.test(key));
}

async function audit({ world }: Scene): Promise<readonly string[]> {
  const { documents } = await world.store.read({ key: "audit/", prefix: true });
  return documents.map(({ value }) => {
    const { principal, action, target } = JSON.parse(value) as AuditDocument;
    return `${principal} ${action} ${target}`;
  });
}

describe("adopt() on a host of many VMs that are gone", () => {
  it("keeps those that are there, so that one more always finds room in the document and in its audit", async () => {
    const one = await scene();
    const gone = Array.from({ length: 900 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`);
    const value = JSON.stringify({ host: "src", parents: ["p0"], vms: [...gone, "vm-2"] });
    await one.world.put({ kind: "put", key: "adoption/src", value });
    assert.equal((await one.orders.adopt({ host: "src", vm: "vm-1" }, CALLER)).changed, true);
    const [stored] = (await one.world.store.read({ key: "adoption/src" })).documents;
    const kept = { host: "src", parents: ["p0"], vms: ["vm-1", "vm-2"] };
    assert.deepEqual(JSON.parse(stored?.value ?? ""), kept);
    assert.equal((await one.orders.adopt({ host: "src", vm: "vm-1" }, CALLER)).changed, false);
  });
});

describe("cordon() and uncordon()", () => {
  it("write once, with the reason, and are seen when they answer", async () => {
    const one = await scene();
    const done = await one.orders.cordon("a", { reason: "repair" }, CALLER);
    assert.deepEqual([done.host, done.changed, done.claims], ["a", true, []]);
    assert.equal(done.generation.revision, one.world.journal.revision);
    const [stored] = (await one.world.store.read({ key: "cordon/a" })).documents;
    assert.deepEqual(JSON.parse(stored?.value ?? ""), {
      host: "a",
      principal: "olga",
      atMs: one.world.nowMs,
      reason: "repair",
    });
    const before = one.world.journal.revision;
    assert.equal((await one.orders.cordon("a", {}, { principal: "otto" })).changed, false);
    assert.equal(one.world.journal.revision, before);
    assert.equal((await one.orders.uncordon("a", CALLER)).changed, true);
    assert.equal((await one.orders.uncordon("a", CALLER)).changed, false);
    assert.deepEqual(await audit(one), ["olga host.cordon a", "olga host.uncordon a"]);
  });

  it("refuse a host that nobody knows", async () => {
    const one = await scene();
    await assert.rejects(one.orders.cordon("none", {}, CALLER), { code: "unknown_host" });
    await assert.rejects(one.orders.uncordon("__proto__", CALLER), { code: "unknown_host" });
  });

  it("decide on what stands in the store, not on what the replica shows", async () => {
    const one = await scene();
    one.other.pause();
    await one.orders.cordon("a", {}, CALLER);
    const late = one.other.orders.uncordon("a", CALLER);
    await new Promise((resolve) => setImmediate(resolve));
    one.other.resume();
    assert.equal((await late).changed, true);
    assert.ok(!(await keys(one)).includes("cordon/a"));
  });
});

describe("adopt() and disown()", () => {
  it("hand over parents and VMs, each by itself, and take them back", async () => {
    const one = await scene();
    assert.equal((await one.orders.adopt({ host: "a", parent: "p1" }, CALLER)).changed, true);
    assert.equal((await one.orders.adopt({ host: "a", parent: "p0" }, CALLER)).changed, true);
    assert.equal((await one.orders.adopt({ host: "a", parent: "p0" }, CALLER)).changed, false);
    await one.orders.adopt({ host: "src", vm: "vm-1" }, CALLER);
    assert.deepEqual(one.orders.listAdoptions(), [
      { host: "a", parents: ["p0", "p1"], vms: [] },
      { host: "src", parents: [], vms: ["vm-1"] },
    ]);
    assert.equal((await one.orders.disown({ host: "a", parent: "p1" }, CALLER)).changed, true);
    assert.equal((await one.orders.disown({ host: "a", parent: "p1" }, CALLER)).changed, false);
    await one.orders.disown({ host: "src", vm: "vm-1" }, CALLER);
    assert.deepEqual(one.orders.listAdoptions(), [{ host: "a", parents: ["p0"], vms: [] }]);
    assert.ok(!(await keys(one)).includes("adoption/src"));
    assert.equal((await audit(one)).length, 5);
  });

  it("refuse what the host does not show", async () => {
    const one = await scene();
    const cases = [
      [{ host: "none", parent: "p0" }, "unknown_host"],
      [{ host: "a", parent: "p9" }, "unknown_parent"],
      [{ host: "a", vm: "vm-1" }, "unknown_vm"],
      [{ host: "src", vm: "constructor" }, "unknown_vm"],
    ] as const;
    for (const [body, code] of cases) await assert.rejects(one.orders.adopt(body, CALLER), { code });
    assert.deepEqual(one.orders.listAdoptions(), []);
  });

  it("lose nothing where two servers hand over at once", async () => {
    const one = await scene();
    await Promise.all([
      one.orders.adopt({ host: "a", parent: "p0" }, CALLER),
      one.other.orders.adopt({ host: "a", parent: "p1" }, CALLER),
    ]);
    const [stored] = (await one.world.store.read({ key: "adoption/a" })).documents;
    assert.deepEqual((JSON.parse(stored?.value ?? "") as { parents: unknown }).parents, ["p0", "p1"]);
  });
});

describe("forget()", () => {
  it("takes away everything of a host but the audit", async () => {
    const one = await scene();
    await one.orders.adopt({ host: "a", parent: "p0" }, CALLER);
    await one.orders.adopt({ host: "src", vm: "vm-1" }, CALLER);
    for (let made = 0; made < 70; made += 1) {
      const answer = await one.book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a" }, CALLER);
      await one.book.release("claim" in answer ? answer.claim.id : "", CALLER);
    }
    await one.orders.cordon("a", {}, CALLER);
    assert.equal((await one.orders.forget("a", CALLER)).changed, true);
    assert.deepEqual(await keys(one), ["adoption/src", "inventory/src", "reported/src"]);
    assert.equal((await audit(one)).at(-1), "olga host.forget a");
    await assert.rejects(one.orders.forget("a", CALLER), { code: "unknown_host" });
  });

  it("refuses while claims hold room there, also one that the replica does not show", async () => {
    const one = await scene();
    await one.orders.adopt({ host: "a", parent: "p0" }, CALLER);
    await one.orders.adopt({ host: "src", vm: "vm-1" }, CALLER);
    one.other.pause();
    await one.book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a" }, CALLER);
    await assert.rejects(one.orders.forget("a", CALLER), { code: "host_holds_claims" });
    const late = assert.rejects(one.other.orders.forget("a", CALLER), { code: "host_holds_claims" });
    await new Promise((resolve) => setImmediate(resolve));
    one.other.resume();
    await late;
    assert.ok((await keys(one)).includes("inventory/a"));
  });
});
