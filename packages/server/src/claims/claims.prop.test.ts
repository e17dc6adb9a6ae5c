// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Claim } from "@berth/core/claim/claim";
import type { LedgerDocument } from "@berth/core/claim/ledger-document";
import { holdsRoom } from "@berth/core/claim/transitions";
import type { ClaimDecisionAnswer } from "@berth/core/protocol/api/control-answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { AgentClaimEvent } from "@berth/core/provision/desired-state";
import type { Caller, ClaimBook } from "./claim-book.ts";
import { cardHost, openWorld, shows, sourceHost, SOURCES, UNITS, type TestWorld } from "./test-claims.ts";

const HOSTS = ["a", "b"];
const SERVERS = 3;

/** What a client, an agent, an operator or the clock does. */
type Deed =
  | {
      readonly kind: "claim";
      readonly server: number;
      readonly what: number;
      readonly key: number;
      readonly to: number;
    }
  | { readonly kind: "confirm" | "release" | "repair"; readonly server: number; readonly claim: number }
  | {
      readonly kind: "hear";
      readonly server: number;
      readonly claim: number;
      readonly event: AgentClaimEvent;
      readonly late: boolean;
    }
  | { readonly kind: "expire"; readonly server: number; readonly ms: number }
  | { readonly kind: "fence"; readonly server: number; readonly host: number }
  | { readonly kind: "report"; readonly host: number };

const server = fc.nat(SERVERS - 1);
const claim = fc.nat(12);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("claim"), server, what: fc.nat(3), key: fc.nat(9), to: fc.nat(4) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("confirm", "release", "repair"), server, claim }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("hear"),
      server,
      claim,
      event: fc.constantFrom("provisioned", "refused", "attached", "detached", "cleared"),
      late: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("expire"), server, ms: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fence"), server, host: fc.nat(HOSTS.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("report"), host: fc.nat(HOSTS.length - 1) }) },
) as fc.Arbitrary<Deed>;

/** Small, fast, and the same for one seed: who is next at the store. */
function drawFrom(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
}

interface Scene {
  readonly world: TestWorld;
  readonly books: readonly ClaimBook[];
  /** Claims that some client was told of, by id. */
  readonly acknowledged: Map<string, number>;
  readonly answers: Map<string, ClaimDecisionAnswer>;
  readonly ids: string[];
}

async function openScene(seed: number): Promise<Scene> {
  const world = await openWorld([sourceHost(), ...HOSTS.map((host) => cardHost(host))]);
  const draw = drawFrom(seed);
  const books: ClaimBook[] = [];
  for (let index = 0; index < SERVERS; index += 1) {
    const turn = async (): Promise<void> => {
      for (let left = draw() % 6; left > 0; left -= 1) await Promise.resolve();
    };
    books.push((await world.openBook(turn)).book);
  }
  return { world, books, acknowledged: new Map(), answers: new Map(), ids: [] };
}

async function act(scene: Scene, one: Deed): Promise<void> {
  const { world, books, ids } = scene;
  if (one.kind === "report") {
    // The agent reports what it has reported before: the inventory has a new revision, and nothing else is new.
    await world.put(shows(cardHost(HOSTS[one.host] ?? "")));
    return;
  }
  const book = books[one.server] as ClaimBook;
  switch (one.kind) {
    case "claim":
      return await actClaim(scene, book, one);
    case "expire":
      world.nowMs += one.ms;
      await book.expire(undefined);
      return;
    case "fence":
      await book.fence(HOSTS[one.host] ?? "", { principal: "olga" });
      return;
    case "hear": {
      const found = await stored(world, ids[one.claim % Math.max(1, ids.length)]);
      if (found === undefined) return;
      const fence = one.late ? found.fence - 1 : found.fence;
      await book.hear(found.host, [{ claim: found.id, event: one.event, fence }]);
      return;
    }
    default: {
      const id = ids[one.claim % Math.max(1, ids.length)];
      if (id !== undefined) await book[one.kind](id, { principal: "olga" });
    }
  }
}

async function actClaim(scene: Scene, book: ClaimBook, one: Extract<Deed, { kind: "claim" }>): Promise<void> {
  const { what, key, to } = one;
  const device = SOURCES[what];
  const body = {
    for: device === undefined ? { host: "src", vm: "vm-1" } : { host: "src", device },
    ttlSeconds: 10,
    ...(HOSTS[to] === undefined ? {} : { to: HOSTS[to] }),
  };
  // Half of the clients ask with a key, and some ask the same again.
  const caller: Caller = {
    principal: "olga",
    ...(key > 4 ? {} : { idempotency: { key: String(key), request: JSON.stringify(body) } }),
  };
  const answer = await book.claim(body, caller);
  if (answer.kind !== "granted") return;
  scene.acknowledged.set(answer.claim.id, answer.claim.revision);
  if (!scene.ids.includes(answer.claim.id)) scene.ids.push(answer.claim.id);
  if (caller.idempotency === undefined) return;
  const before = scene.answers.get(String(key));
  if (before !== undefined) assert.deepEqual(answer, before);
  scene.answers.set(String(key), answer);
}

async function stored(world: TestWorld, id: string | undefined): Promise<Claim | undefined> {
  const [found] = id === undefined ? [] : (await world.store.read({ key: `claim/${id}` })).documents;
  return found === undefined ? undefined : (JSON.parse(found.value) as Claim);
}

/** Counts for itself: `drv-a` one, `drv-b` two; never more than the card has. Ledgers hold what open claims hold. */
async function checkStore({ world, acknowledged }: Scene): Promise<void> {
  const claims = (await world.store.read({ key: "claim/", prefix: true })).documents.map(
    ({ value }) => JSON.parse(value) as Claim,
  );
  const ledgers = (await world.store.read({ key: "ledger/", prefix: true })).documents.map(
    ({ value }) => JSON.parse(value) as LedgerDocument,
  );
  for (const host of HOSTS) {
    const open = claims.filter((one) => one.host === host && holdsRoom(one.state));
    const types = open.flatMap(({ devices }) => devices.map(({ type }) => type));
    const units = types.reduce((sum, type) => sum + (type === "drv-b" ? 2 : 1), 0);
    assert.ok(units <= UNITS, `${host}: ${types.join()}`);
    const ledger = ledgers.find((one) => one.host === host);
    assert.deepEqual(
      ledger?.entries ?? [],
      open.map(({ id, fence, devices }) => ({ claim: id, fence, devices: devices.map(({ occupant }) => occupant) })),
    );
    const fences = claims.filter((one) => one.host === host).map(({ fence }) => fence);
    assert.equal(new Set(fences).size, fences.length);
    assert.ok(fences.every((fence) => fence <= (ledger?.fence ?? 0)));
  }
  const known = new Set(claims.map(({ id }) => id));
  for (const id of acknowledged.keys()) assert.ok(known.has(id), `claim ${id} was acknowledged`);
}

/** Answers of refused events and of crowded hosts; anything else is an error of the code. */
function isExpected(reason: unknown): boolean {
  const codes = ["claim_ended", "claim_state", "claim_in_use", "unknown_claim", "idempotency_mismatch"];
  return reason instanceof BerthError && codes.includes(reason.code);
}

it("P5: no interleaving of servers, agents and clocks oversubscribes a card, loses a claim, or tears ledger and claims apart", async () => {
  let granted = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(deed, { minLength: 1, maxLength: 6 }), { maxLength: 12 }),
      fc.nat(),
      async (rounds, seed) => {
        const scene = await openScene(seed);
        try {
          for (const round of rounds) {
            const results = await Promise.allSettled(round.map((one) => act(scene, one)));
            for (const result of results) {
              if (result.status === "rejected" && !isExpected(result.reason)) throw result.reason;
            }
            await checkStore(scene);
          }
          granted += scene.ids.length;
        } finally {
          await scene.world.close();
        }
      },
    ),
    { numRuns: 30 },
  );
  assert.ok(granted > 60, String(granted));
});

it("P19: of sixteen clients of several servers on one pool as many are granted as there are places, and all others find no room", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 4 }), async (seed, cards) => {
      const world = await openWorld([sourceHost(), cardHost("a", { cards })]);
      const draw = drawFrom(seed);
      const turn = async (): Promise<void> => {
        for (let left = draw() % 6; left > 0; left -= 1) await Promise.resolve();
      };
      const books: ClaimBook[] = [];
      for (let index = 0; index < SERVERS; index += 1) books.push((await world.openBook(turn)).book);
      const ask = (at: number): Promise<ClaimDecisionAnswer> =>
        (books[at % SERVERS] as ClaimBook).claim(
          { for: { host: "src", device: SOURCES[0] } },
          { principal: `client ${at}` },
        );
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(at)));
      const told = answers.map((answer) => (answer.kind === "granted" ? "granted" : answer.because));
      assert.deepEqual(
        told.toSorted(),
        [
          ...Array.from({ length: cards * UNITS }, () => "granted"),
          ...Array.from({ length: 20 - cards * UNITS }, () => "no-room"),
        ].toSorted(),
      );
      const places = answers.flatMap((answer) =>
        answer.kind === "granted" ? answer.claim.devices.map(({ parent }) => parent) : [],
      );
      for (const [parent, own] of Map.groupBy(places, (name) => name)) assert.equal(own.length, UNITS, parent);
      await world.close();
    }),
    { numRuns: 10 },
  );
});
