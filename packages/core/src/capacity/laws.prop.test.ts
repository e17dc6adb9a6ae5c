// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { poolsOf } from "./build-pools.ts";
import { findBlockers } from "./free-up.ts";
import { isKnown } from "./interval.ts";
import { applyLedger } from "./ledger.ts";
import { countFitting, createDevice, showHost, statementOf } from "./made-up-driver.ts";
import type { MadeUpDriver, RealDevice } from "./made-up-driver.ts";
import type { Pool, Room } from "./pool.ts";
import { roomFor } from "./room.ts";
import type { RoomRequest } from "./room.ts";
import { giveBack, take } from "./take.ts";

const ids = ["x-a", "x-b", "x-c"] as const;

function modelOf(amounts: Record<string, number>, starts?: readonly number[]): MadeUpDriver["types"][string] {
  return starts === undefined ? { amounts } : { amounts, starts };
}

const parents = fc
  .record({ isVirtual: fc.boolean(), count: fc.integer({ min: 2, max: 4 }) })
  .map(({ isVirtual, count }) => ({
    isVirtual,
    parents: isVirtual ? Array.from({ length: count }, (_, index) => `0000:08:01.${index}`) : ["0000:08:00.0"],
  }));

const counters: fc.Arbitrary<MadeUpDriver> = fc
  .record({
    place: parents,
    total: fc.record({ p: fc.integer({ min: 0, max: 24 }), q: fc.integer({ min: 0, max: 24 }) }),
    amounts: fc.array(fc.record({ p: fc.integer({ min: 1, max: 6 }), q: fc.integer({ min: 0, max: 6 }) }), {
      minLength: 3,
      maxLength: 3,
    }),
  })
  .map(({ place, total, amounts }) => ({
    kind: "counters",
    total,
    types: Object.fromEntries(ids.map((id, index) => [id, modelOf(amounts[index] ?? {})])),
    ...place,
  }));

const oneSize: fc.Arbitrary<MadeUpDriver> = fc
  .record({
    place: parents,
    total: fc.constantFrom(4, 12, 16),
    sizes: fc.array(fc.constantFrom(1, 2, 4), { minLength: 3, maxLength: 3 }),
  })
  .map(({ place, total, sizes }) => ({
    kind: "one-size",
    total: { framebuffer: total },
    types: Object.fromEntries(ids.map((id, index) => [id, modelOf({ framebuffer: sizes[index] ?? 1 })])),
    ...place,
  }));

const slots: fc.Arbitrary<MadeUpDriver> = fc
  .record({
    place: parents,
    total: fc.integer({ min: 1, max: 8 }),
    types: fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 4 }), starts: fc.uniqueArray(fc.integer({ min: 0, max: 7 })) }),
      { minLength: 3, maxLength: 3 },
    ),
  })
  .map(({ place, total, types }) => ({
    kind: "slots",
    total: { slots: total },
    types: Object.fromEntries(
      ids.map((id, index) => [id, modelOf({ slots: types[index]?.length ?? 1 }, types[index]?.starts ?? [])]),
    ),
    ...place,
  }));

const drivers = fc.oneof(counters, oneSize, slots);
const step = fc.record({
  type: fc.constantFrom(...ids),
  parent: fc.option(fc.integer({ min: 0, max: 3 })),
  count: fc.constantFrom(1, 1, 1, 2, 3),
});
type Step = { readonly type: string; readonly parent: number | null; readonly count: number };

/** Creates what can be created of a list: the devices that a host starts with. */
function fill(driver: MadeUpDriver, steps: readonly Step[], prefix: string): readonly RealDevice[] {
  let devices: readonly RealDevice[] = [];
  for (const [index, { type, parent, count }] of steps.entries()) {
    const at = driver.parents[(parent ?? 0) % driver.parents.length] ?? "";
    devices = createDevice(driver, devices, { id: `${prefix}${index}`, type, parent: at, count }) ?? devices;
  }
  return devices;
}

/** The pool that a host with this driver shows. */
function poolOf(
  driver: MadeUpDriver,
  shown: readonly RealDevice[],
  knowledge: { readonly totals: "stated" | "derived" | "no pack"; readonly all?: readonly RealDevice[] },
): Pool {
  const { totals, all = shown } = knowledge;
  const statement = totals === "no pack" ? undefined : statementOf(driver, totals);
  const { pools } = poolsOf({ snapshot: showHost(driver, shown, all), statementFor: () => statement });
  assert.equal(pools.length, 1);
  return pools[0] as Pool;
}

function requestOf(
  driver: MadeUpDriver,
  { type, parent, count }: Step,
): { type: string; count: number; parent?: string } {
  if (parent === null) return { type, count };
  return { type, count, parent: driver.parents[parent % driver.parents.length] ?? "" };
}

const scene = fc.record({
  driver: drivers,
  held: fc.array(step, { maxLength: 5 }),
  taken: fc.array(step, { maxLength: 4 }),
  asked: step,
  totals: fc.constantFrom("stated" as const, "derived" as const, "no pack" as const),
});

function afterTakes(driver: MadeUpDriver, start: Pool, steps: readonly Step[]): Pool {
  let pool = start;
  for (const [index, one] of steps.entries()) {
    const answer = take(pool, { id: `t${index}`, ...requestOf(driver, one) });
    if (answer.kind === "taken") pool = answer.pool;
  }
  return pool;
}

it("P1: taking a device of one type never raises the room of any other", () => {
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      const pool = afterTakes(driver, poolOf(driver, fill(driver, held, "h"), { totals }), taken);
      const answer = take(pool, { id: "new", ...requestOf(driver, asked) });
      fc.pre(answer.kind === "taken");
      for (const type of ids) {
        for (const parent of [null, ...driver.parents.keys()]) {
          const request: RoomRequest = requestOf(driver, { type, parent, count: 1 });
          const before: Room = roomFor(pool, request);
          const after: Room = roomFor(answer.pool, request);
          assert.ok(after.atLeast <= before.atLeast, `${type} at least ${before.atLeast} -> ${after.atLeast}`);
          assert.ok(after.atMost <= before.atMost, `${type} at most ${before.atMost} -> ${after.atMost}`);
        }
      }
    }),
    { numRuns: 400 },
  );
});

it("P2: where room is known, it is how often take succeeds", () => {
  let known = 0;
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      let pool = afterTakes(driver, poolOf(driver, fill(driver, held, "h"), { totals }), taken);
      const request = requestOf(driver, asked);
      const room = roomFor(pool, request);
      fc.pre(isKnown(room));
      known += 1;
      for (let count = 0; count < room.atLeast; count += 1) {
        const answer = take(pool, { id: `n${count}`, ...request });
        assert.equal(answer.kind, "taken", `take ${count + 1} of ${room.atLeast}`);
        if (answer.kind === "taken") pool = answer.pool;
        assert.deepEqual(roomFor(pool, request), {
          atLeast: room.atLeast - count - 1,
          atMost: room.atMost - count - 1,
        });
      }
      const last = take(pool, { id: "last", ...request });
      assert.equal(last.kind, "short");
      if (last.kind === "short") assert.ok(Object.values(last.missing).some((missing) => missing > 0));
    }),
    { numRuns: 600 },
  );
  assert.ok(known >= 600);
});

it("P4: giving back what was taken restores the pool", () => {
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      const pool = afterTakes(driver, poolOf(driver, fill(driver, held, "h"), { totals }), taken);
      const answer = take(pool, { id: "new", ...requestOf(driver, asked) });
      fc.pre(answer.kind === "taken");
      assert.deepEqual(giveBack(answer.pool, "new"), pool);
      assert.equal(giveBack(pool, "new"), undefined);
    }),
    { numRuns: 400 },
  );
});

it("P6: what a stated law knows of a pool without unknowns is the truth of its driver", () => {
  fc.assert(
    fc.property(scene, ({ driver, held, asked }) => {
      const devices = fill(driver, held, "h");
      const request = requestOf(driver, asked);
      const pool = poolOf(driver, devices, { totals: "stated" });
      assert.equal(pool.disagreement, undefined);
      // The words of VFs count single units, and placements are not aggregated: those are upper ends, not the truth.
      fc.pre(request.count === 1 || (driver.kind !== "slots" && !driver.isVirtual));
      const truth = countFitting(driver, devices, { ...request, parents: parentsOf(driver, request) });
      assert.deepEqual(roomFor(pool, request), { atLeast: truth, atMost: truth });
    }),
    { numRuns: 400 },
  );
});

it("P7: a promised device is never refused by the driver, whatever was taken and given back before", () => {
  let promised = 0;
  const move = fc.record({ step, back: fc.option(fc.integer({ min: 0, max: 9 })) });
  const story = fc.record({
    scene,
    moves: fc.array(move, { minLength: 1, maxLength: 10 }),
    concealed: fc.array(step, { maxLength: 2 }),
    shownSlots: fc.boolean(),
  });
  fc.assert(
    fc.property(story, ({ scene: { driver, held, totals }, moves, concealed, shownSlots }) => {
      const all = fill(driver, [...held, ...concealed], "h");
      const shown = all.filter((device) => Number(device.id.slice(1)) < held.length);
      const hidden = all.filter((device) => !shown.includes(device));
      const told = shownSlots ? shown : shown.map(withoutSlot);
      let pool = poolOf(driver, told, { totals, all });
      // A law that fits every number although a device is concealed cannot be seen through by anybody.
      fc.pre(hidden.length === 0 || pool.law.kind === "unknown" || pool.disagreement !== undefined);
      let devices = all;
      for (const [index, { step: one, back }] of moves.entries()) {
        const gone = back === null ? undefined : pool.occupants[back % Math.max(1, pool.occupants.length)];
        if (gone !== undefined) {
          pool = giveBack(pool, gone.id) ?? pool;
          devices = devices.filter((device) => device.id !== gone.id);
          continue;
        }
        const request = requestOf(driver, one);
        const room = roomFor(pool, request);
        const answer = take(pool, { id: `m${index}`, ...request });
        assert.equal(answer.kind === "taken", room.atLeast >= 1);
        if (answer.kind !== "taken") continue;
        promised += 1;
        const next = createDevice(driver, devices, answer.occupant);
        assert.ok(next !== undefined, `the driver refuses ${JSON.stringify(answer.occupant)}`);
        devices = next;
        pool = answer.pool;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(promised > 500, `only ${promised} promises were tried`);
});

it("P8: room never ends below what the driver would still create", () => {
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      const devices = fill(driver, held, "h");
      let truth = devices;
      let pool = poolOf(driver, devices, { totals });
      for (const [index, one] of taken.entries()) {
        const answer = take(pool, { id: `t${index}`, ...requestOf(driver, one) });
        if (answer.kind !== "taken") continue;
        truth = createDevice(driver, truth, answer.occupant) ?? assert.fail("refused");
        pool = answer.pool;
      }
      const request = requestOf(driver, asked);
      // The words of VFs count single units.
      fc.pre(request.count === 1 || !driver.isVirtual);
      const fitting = countFitting(driver, truth, { ...request, parents: parentsOf(driver, request) });
      assert.ok(fitting <= roomFor(pool, request).atMost, `${fitting} fit, at most ${roomFor(pool, request).atMost}`);
    }),
    { numRuns: 600 },
  );
});

function parentsOf(driver: MadeUpDriver, request: { readonly parent?: string }): readonly string[] {
  return request.parent === undefined ? driver.parents : [request.parent];
}

function withoutSlot({ id, type, parent, count }: RealDevice): RealDevice {
  return { id, type, parent, count };
}

it("P9: ending the devices that are named makes room, and no device of them could stay", () => {
  let named = 0;
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      const pool = afterTakes(driver, poolOf(driver, fill(driver, held, "h"), { totals }), taken);
      const request = requestOf(driver, asked);
      const blockers = findBlockers(pool, request);
      assert.equal(blockers.kind === "none", roomFor(pool, request).atLeast >= 1);
      if (blockers.kind !== "free" && blockers.kind !== "empty") return;
      named += 1;
      const without = (gone: readonly string[]): Pool =>
        gone.reduce((left, id) => giveBack(left, id) ?? assert.fail(`${id} is not there`), pool);
      assert.ok(roomFor(without(blockers.occupants), request).atLeast >= 1);
      for (const id of blockers.occupants) {
        const fewer: readonly string[] = blockers.occupants.filter((other) => other !== id);
        assert.equal(roomFor(without(fewer), request).atLeast, 0, `${id} could stay`);
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(named > 20, `only ${named} were named`);
});

it("P10: a ledger of what is shown already changes nothing, and claims take what taking them would", () => {
  fc.assert(
    fc.property(scene, ({ driver, held, taken, asked, totals }) => {
      const pool = poolOf(driver, fill(driver, held, "h"), { totals });
      assert.deepEqual(applyLedger(pool, pool.occupants), pool);
      const after = afterTakes(driver, pool, taken);
      const claims = after.occupants.filter((occupant) => !pool.occupants.includes(occupant));
      const request = requestOf(driver, asked);
      assert.deepEqual(roomFor(applyLedger(pool, claims), request), roomFor(after, request));
    }),
    { numRuns: 300 },
  );
});
