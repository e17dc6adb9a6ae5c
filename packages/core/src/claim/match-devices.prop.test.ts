// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type { Pool } from "../capacity/pool.ts";
import type { UsableOffer } from "./judge-offer.ts";
import { matchDevices, TRIES_MAX, type Seeker } from "./match-devices.ts";
import { listSlots, takeOffer } from "./take-offer.ts";
import { offerTo, portsPool, uuidOf } from "./test-claim.ts";

const PAIR = offerTo();

function offer(parent: string, type: string, count = 1): UsableOffer {
  return {
    pair: PAIR,
    verdict: {} as UsableOffer["verdict"],
    framework: "mdev",
    parent,
    type,
    count,
    fingerprint: { deviceApi: "vfio-pci" },
  };
}

/** Every way, one after the other, without a thought: the first that works. */
function searchAll(seekers: readonly Seeker[], pools: readonly Pool[]): readonly string[] | undefined {
  const [seeker, ...rest] = seekers;
  if (seeker === undefined) return [];
  for (const option of seeker.offers) {
    for (const slot of listSlots(pools, option)) {
      const at = { uuid: seeker.uuid, ...(slot === undefined ? {} : { slot }) };
      const answer = takeOffer({ pools, taken: new Set() }, option, at);
      if (answer.kind !== "taken") continue;
      const others = searchAll(rest, answer.pools);
      if (others !== undefined) return [`${option.parent}/${option.type}`, ...others];
    }
  }
  return undefined;
}

const PARENTS = ["p1", "p2", "p3", "p4"] as const;
const offers = fc.uniqueArray(
  fc.record({
    parent: fc.constantFrom(...PARENTS),
    type: fc.constantFrom("mtty-1", "mtty-2"),
    count: fc.constantFrom(1, 1, 2),
  }),
  { minLength: 1, maxLength: 4, selector: ({ parent, type }) => `${parent}/${type}` },
);

const SLOTS: Pick<Pool, "law" | "types"> = {
  law: { kind: "slots", slots: 3 },
  types: [
    { type: "mtty-1", consumption: { counters: {}, slots: { length: 1, starts: [0, 1, 2] } } },
    { type: "mtty-2", consumption: { counters: {}, slots: { length: 2, starts: [0, 1] } } },
  ],
};

/** Pools of one to four parents, under every kind of law that parents can share by. */
const pools = fc
  .array(
    fc.record({
      ports: fc.integer({ min: 0, max: 3 }),
      perParent: fc.constantFrom(undefined, 1),
      law: fc.constantFrom("counters", "slots", "unknown"),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) =>
    parts.map(({ ports, perParent, law }, index): Pool => {
      const parents = index === parts.length - 1 ? PARENTS.slice(index) : [PARENTS[index] ?? "p1"];
      const pool = portsPool({ ports, parents, ...(perParent === undefined ? {} : { perParent }) });
      if (law === "slots") return { ...pool, ...SLOTS };
      return law === "unknown" ? { ...pool, law: { kind: "unknown", why: "made up" } } : pool;
    }),
  );

function seekersOf(wishes: readonly (readonly { parent: string; type: string; count: number }[])[]): readonly Seeker[] {
  return wishes.map((wish, index) => ({
    uuid: uuidOf(index + 1),
    offers: wish.map(({ parent, type, count }) => offer(parent, type, count)),
  }));
}

it("P17: a match is the first of all ways in the order of devices and offers, and is found if there is one", () => {
  const wishes = fc.array(offers, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(wishes, pools, (wished, all) => {
      const seekers = seekersOf(wished);
      const match = matchDevices(seekers, all, new Set());
      const expected = searchAll(seekers, all);
      const found =
        match.kind === "matched" ? match.placed.map(({ offer: { parent, type } }) => `${parent}/${type}`) : undefined;
      assert.deepEqual(found, expected);
    }),
    { numRuns: 600 },
  );
});

it("P17: like devices that all want the same places are matched as by hand", () => {
  const wishes = fc.tuple(offers, fc.integer({ min: 2, max: 4 }));
  fc.assert(
    fc.property(wishes, pools, ([wish, count], all) => {
      const seekers = seekersOf(Array.from({ length: count }, () => wish));
      const match = matchDevices(seekers, all, new Set());
      const expected = searchAll(seekers, all);
      const found =
        match.kind === "matched" ? match.placed.map(({ offer: { parent, type } }) => `${parent}/${type}`) : undefined;
      assert.deepEqual(found, expected);
    }),
    { numRuns: 600 },
  );
});

it("P18: what is matched stands in the pools once, in the order of the devices", () => {
  const wishes = fc.array(offers, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(wishes, pools, (wished, all) => {
      const match = matchDevices(seekersOf(wished), all, new Set());
      if (match.kind !== "matched") return;
      const ids = match.pools.flatMap(({ occupants }) => occupants.map(({ id }) => id)).toSorted();
      assert.deepEqual(
        ids,
        wished.map((_, index) => uuidOf(index + 1)),
      );
      assert.deepEqual(
        match.placed.map(({ occupant }) => occupant.id),
        ids,
      );
    }),
    { numRuns: 200 },
  );
});

it("finds without trying everything that sixteen like devices do not fit on sixteen like functions", () => {
  const functions = Array.from({ length: 16 }, (_, index) => `0000:08:00.${index}`);
  const pool = portsPool({ ports: 15, parents: functions, perParent: 1 });
  const wish = functions.map((parent) => ({ parent, type: "mtty-1", count: 1 }));
  assert.equal(matchDevices(seekersOf(Array.from({ length: 16 }, () => wish)), [pool], new Set()).kind, "none");
});

it("says so where it stops before all ways are tried", () => {
  // Nine devices for eight unlike parents, each of which lacks one of the offers that the others have.
  const parents = Array.from({ length: 8 }, (_, index) => `p${index}`);
  const many = parents.map((parent) => portsPool({ ports: 1, parents: [parent] }));
  const wishes = Array.from({ length: 9 }, (_, skipped) =>
    parents.filter((_parent, index) => index !== skipped).map((parent) => ({ parent, type: "mtty-1", count: 1 })),
  );
  assert.deepEqual(matchDevices(seekersOf(wishes), many, new Set()), { kind: "bounded", tries: TRIES_MAX });
});
