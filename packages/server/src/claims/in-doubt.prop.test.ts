// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Claim } from "@berth/core/claim/claim";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { AgentClaimEvent } from "@berth/core/provision/desired-state";
import type { Turn } from "../store/memory/memory-store.ts";
import type { Caller, ClaimBook } from "./claim-book.ts";
import { cardHost, openWorld, sourceHost, SOURCES, UNITS, type TestWorld } from "./test-claims.ts";

const HOSTS = ["a", "b"];
const SERVERS = 2;
const EVENTS: readonly AgentClaimEvent[] = ["provisioned", "attached", "detached", "refused", "cleared"];

/** What a client or an agent wants of a server; each asks until it is answered. */
interface Wish {
  readonly server: number;
  readonly what: "claim" | "confirm" | "release" | "repair" | "hear" | "fence";
  readonly at: number;
}

const wish: fc.Arbitrary<Wish> = fc.record({
  server: fc.nat(SERVERS - 1),
  what: fc.constantFrom("claim", "claim", "claim", "confirm", "release", "repair", "hear", "hear", "fence"),
  at: fc.nat(9),
});

/** Loses the answer of an operation of the store every so often: it has taken effect, and nobody is told. */
function makeTurn(seed: number): { readonly turn: Turn; isCalm: boolean; lost: number } {
  let state = seed + 1;
  const draw = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  const made = {
    isCalm: true,
    lost: 0,
    turn: async (moment: "before" | "after"): Promise<void> => {
      for (let left = draw() % 4; left > 0; left -= 1) await Promise.resolve();
      if (made.isCalm || moment === "before" || draw() % 3 > 0) return;
      made.lost += 1;
      throw new BerthError("store_unavailable", "The store is away for a moment");
    },
  };
  return made;
}

function isAway(error: unknown): boolean {
  return error instanceof BerthError && error.code === "store_unavailable";
}

/** Asks again and again, as the same request, until the store answers. */
async function insist<T>(work: () => Promise<T>): Promise<T | BerthError> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      if (!isAway(error)) return error;
    }
  }
}

interface Scene {
  readonly world: TestWorld;
  readonly books: readonly ClaimBook[];
  /** Key of a request -> the claim that it was told of. */
  readonly told: Map<string, string>;
  readonly ids: string[];
}

async function act({ world, books, told, ids }: Scene, { server, what, at }: Wish, key: string): Promise<void> {
  const book = books[server] as ClaimBook;
  if (what === "claim") {
    const caller: Caller = { principal: "olga", idempotency: { key, request: key } };
    const host = HOSTS[at % 3];
    const body = { for: { host: "src", device: SOURCES[at % 3] ?? "" }, ...(host === undefined ? {} : { to: host }) };
    const answer = await insist(() => book.claim(body, caller));
    if (answer instanceof BerthError || answer.kind !== "granted") return;
    assert.equal(told.get(key) ?? answer.claim.id, answer.claim.id);
    told.set(key, answer.claim.id);
    ids.push(answer.claim.id);
    return;
  }
  const id = ids[at % Math.max(1, ids.length)];
  if (what === "fence") {
    if (at === 0) await insist(() => book.fence("a", { principal: "olga" }));
    return;
  }
  const [stored] = id === undefined ? [] : (await world.store.read({ key: `claim/${id}` })).documents;
  if (id === undefined || stored === undefined) return;
  const { host, fence } = JSON.parse(stored.value) as Claim;
  if (what === "hear") {
    // The whole story so far, told again, and more of it than one transaction holds.
    const events = Array.from({ length: 20 }, (_, index) => ({
      claim: id,
      event: EVENTS[(at + index) % 3] ?? "detached",
      fence,
    }));
    await insist(() =>
      book.hear(host, [...events, { claim: id, event: EVENTS[at % EVENTS.length] ?? "cleared", fence }]),
    );
  } else await insist(() => book[what](id, { principal: "olga" }));
}

/** Counts for itself what open claims hold, and holds the ledgers and the keys' answers against it. */
async function checkStore({ world, told }: Scene): Promise<void> {
  const list = async <T>(prefix: string): Promise<readonly T[]> =>
    (await world.store.read({ key: prefix, prefix: true })).documents.map(({ value }) => JSON.parse(value) as T);
  const claims = await list<Claim>("claim/");
  const ledgers = await list<LedgerDocument>("ledger/");
  for (const host of HOSTS) {
    const open = claims.filter((one) => one.host === host && holdsRoom(one.state));
    const units = open.flatMap(({ devices }) => devices).reduce((sum, { type }) => sum + (type === "drv-b" ? 2 : 1), 0);
    assert.ok(units <= UNITS, host);
    const entries = open.map(({ id, fence, devices }) => ({
      claim: id,
      fence,
      devices: devices.map(({ occupant }) => occupant),
    }));
    assert.deepEqual(ledgers.find((one) => one.host === host)?.entries ?? [], entries);
  }
  assert.equal(new Set(told.values()).size, told.size);
  assert.equal(claims.length, told.size);
  const audits = (await list<{ readonly action: string; readonly target: string }>("audit/")).filter(
    ({ action }) => action === "claim.create",
  );
  assert.deepEqual(audits.map(({ target }) => target).toSorted(), claims.map(({ id }) => id).toSorted());
}

it("P5: whatever answer of the store is lost, a request that is told again is carried out once, and ledgers hold what open claims hold", async () => {
  let lost = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(wish, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      async (rounds, seed) => {
        const world = await openWorld([sourceHost(), ...HOSTS.map((host) => cardHost(host))]);
        const turns = Array.from({ length: SERVERS }, (_, index) => makeTurn(seed + index));
        const books: ClaimBook[] = [];
        for (const turn of turns) books.push((await world.openBook(turn.turn)).book);
        const scene: Scene = { world, books, told: new Map(), ids: [] };
        try {
          for (const [round, wishes] of rounds.entries()) {
            for (const turn of turns) turn.isCalm = false;
            await Promise.all(wishes.map((one, at) => act(scene, one, `${round}-${at}`)));
            for (const turn of turns) turn.isCalm = true;
            await checkStore(scene);
          }
          for (const turn of turns) lost += turn.lost;
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: 25 },
  );
  assert.ok(lost > 100, String(lost));
});
