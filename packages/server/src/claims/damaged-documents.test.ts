// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import { BerthError } from "@berth/core/protocol/berth-error";
import { makeHostOrders } from "../orders/make-host-orders.ts";
import type { HostOrders } from "../orders/host-orders.ts";
import type { Caller, ClaimBook } from "./claim-book.ts";
import { cardHost, openWorld, sourceHost, SOURCES, type TestWorld } from "./test-claims.ts";

const CALLER: Caller = { principal: "olga" };
const BAD = ["{", "null", "[]", '"x"', "{}", '{"host":"a","fence":1,"entries":[{}]}'];

const worlds: TestWorld[] = [];
after(async () => {
  for (const world of worlds) await world.close();
});

interface Scene {
  readonly world: TestWorld;
  readonly book: ClaimBook;
  readonly orders: HostOrders;
  /** A claim on host `a`. */
  readonly id: string;
  readonly fence: number;
  readonly damage: (key: string, value: string) => Promise<void>;
}

async function scene(): Promise<Scene> {
  const world = await openWorld([sourceHost(), cardHost("a"), cardHost("b")]);
  worlds.push(world);
  const { book, replica } = await world.openBook();
  const answer = await book.claim({ for: { host: "src", device: SOURCES[0] }, to: "a", make: true }, CALLER);
  assert.equal(answer.kind, "granted");
  const { id, fence } = (answer as Extract<typeof answer, { readonly kind: "granted" }>).claim;
  let drawn = 0;
  const orders = makeHostOrders({ replica, now: () => 0, newId: () => `order-${(drawn += 1)}` });
  const damage = async (key: string, value: string): Promise<void> => {
    await replica.reached(await world.put({ kind: "put", key, value }));
  };
  return { world, book, orders, id, fence, damage };
}

/** What came of it: an answer's kind, or the code of an error; anything else is a fault. */
async function outcome(work: () => Promise<unknown>): Promise<string> {
  try {
    const answer = await work();
    return String((answer as { readonly kind?: string } | undefined)?.kind ?? "done");
  } catch (error) {
    if (error instanceof BerthError) return error.code;
    return `fault: ${String(error)}`;
  }
}

describe("a document that cannot be read", () => {
  for (const text of BAD) {
    it(`is no reason for a fault, and for no grant on its host: ${text}`, async () => {
      for (const kind of ["ledger", "adoption", "cordon"] as const) {
        const { book, orders, id, fence, damage } = await scene();
        await damage(`${kind}/a`, text);
        const claim = await outcome(() => book.claim({ for: { host: "src", device: SOURCES[1] }, to: "a" }, CALLER));
        assert.equal(claim, "refused", kind);
        const told = [
          await outcome(() => book.hear("a", [{ claim: id, event: "provisioned", fence }])),
          await outcome(() => book.release(id, CALLER)),
          await outcome(() => book.fence("a", CALLER)),
          await outcome(() => book.raiseFence("a", 7)),
          await outcome(() => orders.cordon("a", {}, CALLER)),
          await outcome(() => orders.uncordon("a", CALLER)),
          await outcome(() => orders.adopt({ host: "a", parent: "p0" }, CALLER)),
          await outcome(() => orders.disown({ host: "a", parent: "p0" }, CALLER)),
          await outcome(() => orders.forget("a", CALLER)),
        ];
        assert.deepEqual(
          told.filter((said) => said.startsWith("fault")),
          [],
          `${kind} ${told.join()}`,
        );
      }
    });
  }

  it("is named where a claim cannot be moved for it, and nothing is written over it", async () => {
    for (const text of BAD) {
      const { world, book, id, fence, damage } = await scene();
      await damage("ledger/a", text);
      const told = [
        await outcome(() => book.hear("a", [{ claim: id, event: "refused", fence }])),
        await outcome(() => book.raiseFence("a", 7)),
      ];
      assert.deepEqual(told, ["store_damaged", "store_damaged"], text);
      assert.equal((await world.store.read({ key: "ledger/a" })).documents[0]?.value, text);
    }
  });

  it("is written anew by an operator's order about what it was to say", async () => {
    const { world, orders, damage } = await scene();
    const value = async (key: string): Promise<string | undefined> =>
      (await world.store.read({ key })).documents[0]?.value;
    await damage("cordon/a", "{");
    assert.equal((await orders.uncordon("a", CALLER)).changed, true);
    assert.equal(await value("cordon/a"), undefined);
    await damage("adoption/a", "{");
    await orders.adopt({ host: "a", parent: "p0" }, CALLER);
    assert.deepEqual(JSON.parse((await value("adoption/a")) ?? ""), { host: "a", parents: ["p0"], vms: [] });
    await damage("adoption/a", "{");
    assert.equal((await orders.disown({ host: "a", parent: "p0" }, CALLER)).changed, true);
    assert.equal(await value("adoption/a"), undefined);
  });

  it("of the source's host keeps its claims from being decided, and is no fault", async () => {
    for (const text of BAD) {
      const { book, damage } = await scene();
      await damage("adoption/src", text);
      const claim = await outcome(() => book.claim({ for: { host: "src", device: SOURCES[1] } }, CALLER));
      assert.ok(!claim.startsWith("fault") && claim !== "granted", `${text}: ${claim}`);
    }
  });

  it("keeps a claim from being moved, and is no fault", async () => {
    for (const text of BAD) {
      const { book, id, fence, damage } = await scene();
      await damage(`claim/${id}`, text);
      const told = [
        await outcome(() => book.hear("a", [{ claim: id, event: "provisioned", fence }])),
        await outcome(() => book.confirm(id, CALLER)),
        await outcome(() => book.release(id, CALLER)),
        await outcome(() => book.repair(id, CALLER)),
        await outcome(() => book.expire(undefined)),
      ];
      assert.deepEqual(
        told.filter((said) => said.startsWith("fault")),
        [],
        `${text} ${told.join()}`,
      );
    }
  });
});

describe("fence()", () => {
  it("writes a ledger anew that cannot be read, with a fence that no claim of the host has passed", async () => {
    for (const text of BAD) {
      const { world, book, id, damage } = await scene();
      await book.raiseFence("a", 5);
      const more = { for: { host: "src", device: SOURCES[1] }, to: "a" };
      assert.equal(await outcome(() => book.claim(more, CALLER)), "granted");
      const ended = await book.claim(more, CALLER);
      await book.release("claim" in ended ? ended.claim.id : "", CALLER);
      await damage("ledger/a", text);
      assert.equal((await book.fence("a", CALLER)).length, 2, text);
      assert.ok((await book.fence("a", CALLER)).length === 0);
      const [ledger, claim] = [
        (await world.store.read({ key: "ledger/a" })).documents[0]?.value ?? "",
        (await world.store.read({ key: `claim/${id}` })).documents[0]?.value ?? "",
      ];
      const { entries, fence } = JSON.parse(ledger) as LedgerDocument;
      assert.deepEqual([entries, fence], [[], 7]);
      assert.equal((JSON.parse(claim) as { readonly state: string }).state, "failed");
    }
  });

  it("empties a ledger whose claims are gone or cannot be read, whatever became of them", async () => {
    for (const text of ["{", undefined]) {
      const { world, book, id, damage } = await scene();
      if (text === undefined)
        await world.store.transact({ compares: [], writes: [{ kind: "delete", key: `claim/${id}` }] });
      else await damage(`claim/${id}`, text);
      assert.deepEqual(await book.fence("a", CALLER), []);
      const [ledger] = (await world.store.read({ key: "ledger/a" })).documents;
      const { entries, fence } = JSON.parse(ledger?.value ?? "") as LedgerDocument;
      assert.deepEqual([entries, fence], [[], 1]);
    }
  });
});
