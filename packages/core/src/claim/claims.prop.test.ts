// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { applyLedger } from "../capacity/ledger.ts";
import type { Occupant, Pool, PoolLaw } from "../capacity/pool.ts";
import { roomFor } from "../capacity/room.ts";
import { applyEvent } from "./apply-event.ts";
import type { Claim } from "./claim.ts";
import type { ClaimEvent } from "./claim-state.ts";
import { decideClaim } from "./decide-claim.ts";
import { findExpired } from "./expiry.ts";
import { addClaim, emptyLedger, ledgerOccupants, nextFence, type LedgerDocument } from "./ledger-document.ts";
import { offerTo, portsPool, requestOf, uuidOf, wanted } from "./test-claim.ts";
import { holdsRoom, isSeenByAgents } from "./transitions.ts";

/** A document with the revision that wrote it last. */
interface Document<T> {
  readonly value: T;
  readonly revision: number;
}

/** What a process has decided and not yet written: it is written only if nothing that it read has changed. */
interface Pending {
  readonly claim: Claim;
  readonly reads: ReadonlyMap<string, number>;
}

/** What the agent tells; any message may be lost, told twice, or come in any order. */
type Message =
  | { readonly kind: "event"; readonly claim: string; readonly event: ClaimEvent; readonly fence: number }
  | { readonly kind: "inventory"; readonly occupants: readonly Occupant[] };

/** What the agent knows of the claims: a copy of what the store held at one revision. */
interface Desired {
  readonly revision: number;
  readonly claims: readonly Claim[];
}

/** A control plane, one agent with its host, and everything that is under way between them. */
interface World {
  readonly ports: number;
  readonly law: PoolLaw | undefined;
  revision: number;
  nowMs: number;
  issued: number;
  readonly claims: Map<string, Document<Claim>>;
  ledger: Document<LedgerDocument>;
  inventory: Document<readonly Occupant[]>;
  pending: Pending[];
  /** What is really there: nobody but the host sees it. */
  readonly truth: Map<string, Occupant>;
  readonly used: Set<string>;
  /** The agent's durable memory. */
  readonly refused: Set<string>;
  seen: Desired;
  toAgent: Desired[];
  toServer: Message[];
}

function newWorld(ports: number, law: PoolLaw | undefined): World {
  return {
    ports,
    law,
    revision: 0,
    nowMs: 0,
    issued: 0,
    claims: new Map(),
    ledger: { value: emptyLedger("b"), revision: 0 },
    inventory: { value: [], revision: 0 },
    pending: [],
    truth: new Map(),
    used: new Set(),
    refused: new Set(),
    seen: { revision: 0, claims: [] },
    toAgent: [],
    toServer: [],
  };
}

const WEIGHTS: Readonly<Record<string, number>> = { "mtty-1": 1, "mtty-2": 2 };

function weigh(occupants: Iterable<Occupant>): number {
  return [...occupants].reduce((sum, { type }) => sum + (WEIGHTS[type] ?? 0), 0);
}

/** The pool as the control plane sees it: what the host last showed, and the ledger. */
function poolOf(world: World): Pool {
  const { ports, law } = world;
  const shown = portsPool({ ports, occupants: world.inventory.value, ...(law === undefined ? {} : { law }) });
  return applyLedger(shown, ledgerOccupants(world.ledger.value));
}

function liveClaims(world: World): readonly Claim[] {
  return [...world.claims.values()].map(({ value }) => value).filter(({ state }) => holdsRoom(state));
}

/** Reads, decides, and has the answer ready to be written. */
function beginClaim(world: World, types: readonly string[]): void {
  const devices = types.map((type, index) => {
    const offer = offerTo("mtty", { source: { type }, destination: { type } });
    return wanted(world.issued * 10 + index + 1, [offer]);
  });
  const [first, ...rest] = devices;
  if (first === undefined) return;
  const decision = decideClaim(
    requestOf({
      id: `claim-${world.issued}`,
      devices: [first, ...rest],
      pools: [poolOf(world)],
      nowMs: world.nowMs,
      ttlMs: 5,
      fence: nextFence(world.ledger.value),
    }),
  );
  world.issued += 1;
  if (decision.kind === "refused") return;
  const reads = new Map([
    ["ledger", world.ledger.revision],
    ["inventory", world.inventory.revision],
  ]);
  world.pending.push({ claim: decision.claim, reads });
}

function beginEvent(world: World, claim: Claim, event: ClaimEvent, fence?: number): void {
  const read = world.claims.get(claim.id);
  if (read === undefined) return;
  const applied = applyEvent(read.value, event, { nowMs: world.nowMs, ...(fence === undefined ? {} : { fence }) });
  if (applied.kind === "refused") return;
  const reads = new Map([
    [claim.id, read.revision],
    ["ledger", world.ledger.revision],
  ]);
  world.pending.push({ claim: applied.claim, reads });
}

/** One transaction: claim and ledger, or nothing where anything that was read has changed. */
function commit(world: World, index: number): void {
  const [pending] = world.pending.splice(index, 1);
  if (pending === undefined) return;
  const current = (key: string): number | undefined =>
    key === "ledger"
      ? world.ledger.revision
      : key === "inventory"
        ? world.inventory.revision
        : world.claims.get(key)?.revision;
  if ([...pending.reads].some(([key, revision]) => current(key) !== revision)) return;
  world.revision += 1;
  const { revision } = world;
  world.claims.set(pending.claim.id, { value: pending.claim, revision });
  const ledger = addClaim(world.ledger.value, pending.claim);
  if (ledger !== world.ledger.value) world.ledger = { value: ledger, revision };
  const claims = [...world.claims.values()].map(({ value }) => value).filter(({ state }) => isSeenByAgents(state));
  world.toAgent.push({ revision, claims });
}

function deliverToAgent(world: World, index: number): void {
  const [desired] = world.toAgent.splice(index, 1);
  // Older than what the agent has seen: refused.
  if (desired !== undefined && desired.revision > world.seen.revision) world.seen = desired;
}

function deliverToServer(world: World, index: number, fate: "once" | "twice" | "lost"): void {
  const message = world.toServer[index];
  if (message === undefined) return;
  if (fate !== "twice") world.toServer.splice(index, 1);
  if (fate === "lost") return;
  if (message.kind === "inventory") {
    world.revision += 1;
    world.inventory = { value: message.occupants, revision: world.revision };
    return;
  }
  const claim = world.claims.get(message.claim)?.value;
  if (claim !== undefined) beginEvent(world, claim, message.event, message.fence);
}

function tell(world: World, { id, fence }: Claim, event: ClaimEvent): void {
  world.toServer.push({ kind: "event", claim: id, event, fence });
}

/** The agent looks after one claim: makes what is wanted, takes away what is not, and says what it proves. */
function agentStep(world: World, index: number): void {
  const claim = world.seen.claims[index % Math.max(1, world.seen.claims.length)];
  if (claim === undefined) return;
  const occupants = claim.devices.map(({ occupant }) => occupant);
  const isThere = occupants.every(({ id }) => world.truth.has(id));
  if (claim.state === "releasing") {
    if (occupants.some(({ id }) => world.used.has(id))) return tell(world, claim, "attached");
    for (const { id } of occupants) world.truth.delete(id);
    return tell(world, claim, "cleared");
  }
  if (world.refused.has(claim.id)) return tell(world, claim, "refused");
  if (!isThere) {
    if (weigh([...world.truth.values(), ...occupants]) > world.ports) {
      world.refused.add(claim.id);
      return tell(world, claim, "refused");
    }
    for (const occupant of occupants) world.truth.set(occupant.id, occupant);
  }
  tell(world, claim, "provisioned");
  tell(world, claim, occupants.some(({ id }) => world.used.has(id)) ? "attached" : "detached");
}

/** An operator declares the host fenced when it is dead, and all messages to it with it. */
function fenceHost(world: World): void {
  world.truth.clear();
  world.used.clear();
  world.toAgent = [];
  for (const claim of liveClaims(world)) {
    beginEvent(world, claim, "fenced");
    commit(world, world.pending.length - 1);
  }
  world.seen = { revision: world.revision, claims: [] };
}

/** What must be true at every instant. */
function checkSafe(world: World): void {
  const live = liveClaims(world);
  const held = live.flatMap(({ devices }) => devices.map(({ occupant }) => occupant.id));
  const ledger = ledgerOccupants(world.ledger.value);
  assert.ok(weigh(ledger) <= world.ports, "claims oversubscribe the pool");
  assert.deepEqual(ledger.map(({ id }) => id).toSorted(), held.toSorted(), "ledger and claims differ");
  for (const id of world.truth.keys()) {
    if (!id.startsWith("stranger")) assert.ok(held.includes(id), `${id} exists, and its room was given away`);
  }
}

const index = fc.nat({ max: 12 });
const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      types: fc.constantFrom(["mtty-1"], ["mtty-2"], ["mtty-1", "mtty-1"]),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("commit" as const), index }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("confirm" as const, "release" as const, "expire" as const), index }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("tell-agent" as const), index }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("agent" as const, "agent" as const, "drive" as const), index }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("tell-server" as const),
      index,
      fate: fc.constantFrom("once" as const, "once" as const, "twice" as const, "lost" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("report" as const, "stranger" as const, "use" as const, "unuse" as const),
      index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 6 }) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** One round in which everything goes well, so that runs come far: what is written arrives, is done, and is told. */
function drive(world: World, index: number): void {
  for (const claim of liveClaims(world))
    if (claim.state === "held" && index % 3 > 0) beginEvent(world, claim, "confirm");
  while (world.pending.length > 0) commit(world, 0);
  while (world.toAgent.length > 0) deliverToAgent(world, world.toAgent.length - 1);
  agentStep(world, index);
  while (world.toServer.length > 0) {
    deliverToServer(world, 0, "once");
    while (world.pending.length > 0) commit(world, 0);
  }
}

function act(world: World, step: Action): void {
  const pick = (size: number): number => ("index" in step ? step.index % Math.max(1, size) : 0);
  switch (step.do) {
    case "claim":
      return beginClaim(world, step.types);
    case "commit":
      return commit(world, pick(world.pending.length));
    case "confirm":
    case "release": {
      const claims = [...world.claims.values()];
      const claim = claims[pick(claims.length)]?.value;
      return claim && beginEvent(world, claim, step.do);
    }
    case "expire": {
      // Also claims that nobody would think of: the table is all that keeps them.
      const claims = [...world.claims.values()].map(({ value }) => value);
      const odd = claims[pick(claims.length)];
      return [...findExpired(claims, world.nowMs), ...(odd === undefined ? [] : [odd])].forEach((claim) =>
        beginEvent(world, claim, "expire"),
      );
    }
    case "tell-agent":
      return deliverToAgent(world, pick(world.toAgent.length));
    case "agent":
      return agentStep(world, step.index);
    case "tell-server":
      return deliverToServer(world, pick(world.toServer.length), step.fate);
    case "drive":
      return drive(world, step.index);
    case "report":
      world.toServer.push({ kind: "inventory", occupants: [...world.truth.values()] });
      return;
    case "stranger": {
      const stranger = { id: `stranger-${world.truth.size}`, type: "mtty-1", count: 1, parent: "mtty" };
      if (weigh(world.truth.values()) < world.ports) world.truth.set(stranger.id, stranger);
      return;
    }
    case "use":
    case "unuse": {
      const id = [...world.truth.keys()][pick(world.truth.size)];
      if (id !== undefined && step.do === "use") world.used.add(id);
      else if (id !== undefined) world.used.delete(id);
      return;
    }
    case "wait":
      world.nowMs += step.ms;
  }
}

/** Everybody lets go, and everything under way arrives. */
function settle(world: World): void {
  world.used.clear();
  world.nowMs += 100;
  for (let round = 0; round < 8; round += 1) {
    for (const claim of liveClaims(world)) {
      beginEvent(world, claim, claim.state === "held" ? "expire" : "release");
      while (world.pending.length > 0) commit(world, world.pending.length - 1);
    }
    while (world.toAgent.length > 0) deliverToAgent(world, world.toAgent.length - 1);
    for (let at = 0; at < world.seen.claims.length; at += 1) agentStep(world, at);
    while (world.toServer.length > 0) {
      deliverToServer(world, 0, "once");
      while (world.pending.length > 0) commit(world, 0);
    }
  }
  world.inventory = { value: [...world.truth.values()], revision: (world.revision += 1) };
}

const worlds = fc.record({
  ports: fc.integer({ min: 1, max: 4 }),
  law: fc.constantFrom<PoolLaw | undefined>(undefined, { kind: "unknown", why: "made up" }),
});

it("P5: no interleaving of claims, confirms, expiries, releases and messages oversubscribes a pool or frees room in use", () => {
  fc.assert(
    fc.property(worlds, fc.array(action, { minLength: 20, maxLength: 120 }), ({ ports, law }, steps) => {
      const world = newWorld(ports, law);
      for (const step of steps) {
        act(world, step);
        checkSafe(world);
      }
    }),
    { numRuns: 500 },
  );
});

it("P5: nor does an operator who declares the host fenced at any time", () => {
  const withFence = fc.array(action, { minLength: 10, maxLength: 60 });
  fc.assert(
    fc.property(worlds, withFence, withFence, ({ ports, law }, before, after) => {
      const world = newWorld(ports, law);
      for (const step of before) act(world, step);
      fenceHost(world);
      assert.deepEqual(liveClaims(world), []);
      for (const step of after) {
        act(world, step);
        checkSafe(world);
      }
    }),
    { numRuns: 200 },
  );
});

it("P4: once everybody has let go and every message has come, all room is back and nothing is left behind", () => {
  fc.assert(
    fc.property(worlds, fc.array(action, { minLength: 10, maxLength: 80 }), ({ ports, law }, steps) => {
      const world = newWorld(ports, law);
      for (const step of steps) act(world, step);
      settle(world);
      checkSafe(world);
      assert.deepEqual(
        liveClaims(world).map(({ id, state }) => `${id} ${state}`),
        [],
      );
      assert.deepEqual(
        [...world.truth.keys()].filter((id) => !id.startsWith("stranger")),
        [],
      );
      const free = roomFor(poolOf(world), { type: "mtty-1" });
      assert.equal(free.atMost, ports - weigh(world.truth.values()));
      assert.equal(free.atLeast, free.atMost);
    }),
    { numRuns: 300 },
  );
});

it("P19: of two claims for the last place exactly one is granted, whoever reads and writes first", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), fc.integer({ min: 1, max: 3 }), (order, ports) => {
      const world = newWorld(ports, undefined);
      world.inventory = {
        value: Array.from({ length: ports - 1 }, (_, at) => ({
          id: uuidOf(900 + at),
          type: "mtty-1",
          count: 1,
          parent: "mtty",
        })),
        revision: 1,
      };
      // Two clients read (0, 1) and write (2, 3) in any order; a write without a decision is an attempt for nothing.
      for (const step of order) {
        if (step < 2) beginClaim(world, ["mtty-1"]);
        else commit(world, 0);
      }
      // Whoever was told that its data was stale reads again and decides again.
      for (let round = 0; round < 3; round += 1) {
        while (world.pending.length > 0) commit(world, 0);
        beginClaim(world, ["mtty-1"]);
      }
      assert.equal(world.pending.length, 0);
      assert.equal(liveClaims(world).length, 1);
      checkSafe(world);
    }),
  );
});
