// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { internName } from "./ordered-names.ts";
import { createPlaceTable, takePlaceId, writeRoomRow, type PlaceId, type PlaceTable } from "./place-table.ts";
import { createSlotArena, LARGEST_BLOCK, SLOT, type SlotArena } from "./slot-arena.ts";
import {
  createSortedRun,
  deletePlace,
  fillRun,
  findRoom,
  highestRoomBelow,
  insertPlace,
  placesOf,
  type SortedRun,
} from "./sorted-run.ts";

interface Kept {
  readonly id: PlaceId;
  readonly key: readonly [room: number, score: number, host: string, name: string];
}

function addRow(places: PlaceTable, key: Kept["key"]): Kept {
  const id = takePlaceId(places);
  places.hosts[id] = internName(places.hostNames, key[2]);
  places.names[id] = internName(places.placeNames, key[3]);
  writeRoomRow(places, id, { atLeast: key[0], atMost: key[0], score: key[1] });
  return { id, key };
}

function compareKeys(a: Kept, b: Kept): number {
  const at = a.key.findIndex((part, index) => part !== b.key[index]);
  const [left = 0, right = 0] = [a.key[at], b.key[at]];
  return left < right ? -1 : left > right ? 1 : 0;
}

function assertRun(arena: SlotArena, run: SortedRun, kept: readonly Kept[]): void {
  const sorted = kept.toSorted(compareKeys);
  assert.deepEqual(
    placesOf(arena, run),
    sorted.map(({ id }) => id),
  );
  assert.equal(run.count, kept.length);
  const isShort = run.starts.length <= 1;
  assert.ok(run.lengths.every((length) => length <= 1 << run.log && (isShort || length > 0)));
  for (const room of [0, 1, 5, 9, 10, 16, Number.POSITIVE_INFINITY]) {
    const first = sorted.findIndex(({ key }) => key[0] >= room);
    assert.equal(placeAtPosition(arena, run, findRoom(arena, run, room)), sorted[first]?.id);
    assert.equal(highestRoomBelow(arena, run, room), sorted.findLast(({ key }) => key[0] < room)?.key[0] ?? -1);
  }
}

function placeAtPosition(arena: SlotArena, run: SortedRun, position: number): PlaceId | undefined {
  if (position < 0) return undefined;
  const slot = (run.starts[Math.floor(position / LARGEST_BLOCK)] ?? 0) + (position % LARGEST_BLOCK);
  return arena.words[slot * SLOT + 2];
}

/** A long sequence from few numbers: phases of growing and shrinking, so that blocks are split, joined and resized. */
const phases = fc.array(fc.record({ count: fc.integer({ min: 1, max: 700 }), isGrowing: fc.boolean() }), {
  maxLength: 5,
});

describe("SortedRun", () => {
  it("S1: holds its places in order through any insertions and deletions, and finds rooms as a list does", () => {
    fc.assert(
      fc.property(phases, fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 16 }), (plan, seed, rooms) => {
        const places = createPlaceTable();
        const arena = createSlotArena();
        const run = createSortedRun();
        const kept: Kept[] = [];
        let next = seed;
        const below = (bound: number): number => {
          next = (next * 48_271) % 2_147_483_647;
          return next % bound;
        };
        for (const { count, isGrowing } of [
          { count: 300, isGrowing: true },
          ...plan,
          // More than can have been inserted: the last phase always empties the run.
          { count: 4_000, isGrowing: false },
        ]) {
          for (let at = 0; at < count; at += 1) {
            if (isGrowing) {
              const one = addRow(places, [
                below(rooms + 1),
                below(3),
                `h${below(50)}`,
                `${kept.length}-${at}-${below(1e6)}`,
              ]);
              insertPlace(arena, run, { places, id: one.id, member: below(100) });
              kept.push(one);
            } else if (kept.length > 0) {
              const [gone] = kept.splice(below(kept.length), 1);
              deletePlace(arena, run, { places, id: gone?.id ?? -1, member: 0 });
            }
          }
          assertRun(arena, run, kept);
        }
        assert.equal(run.count, 0);
        assert.equal(run.starts.length, 1, "an empty run keeps one block");
      }),
      { numRuns: 40 },
    );
  });

  it("S2: fillRun makes the run that insertions would have made", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (count) => {
        const places = createPlaceTable();
        const arena = createSlotArena();
        const run = createSortedRun();
        const kept = Array.from({ length: count }, (_, at) =>
          addRow(places, [at % 7, at % 2, `h${at % 13}`, `p${at}`]),
        );
        const ids = kept.toSorted(compareKeys).map(({ id }) => id);
        fillRun(arena, run, { places, ids, memberOf: () => 0 });
        assertRun(arena, run, kept);
        const one = addRow(places, [3, 1, "h5", "late"]);
        insertPlace(arena, run, { places, id: one.id, member: 0 });
        assertRun(arena, run, [...kept, one]);
      }),
      { numRuns: 40 },
    );
  });

  it("uses the slots of deleted places again", () => {
    const places = createPlaceTable();
    const arena = createSlotArena();
    const run = createSortedRun();
    const kept = Array.from({ length: 3_000 }, (_, at) => addRow(places, [at % 5, 0, `h${at % 100}`, `p${at}`]));
    for (const { id } of kept) insertPlace(arena, run, { places, id, member: 0 });
    const used = arena.used;
    for (let round = 0; round < 20; round += 1) {
      for (const { id } of kept) deletePlace(arena, run, { places, id, member: 0 });
      for (const { id } of kept.toReversed()) insertPlace(arena, run, { places, id, member: 0 });
    }
    assert.ok(arena.used <= used * 2, `${arena.used} slots after ${used}`);
  });

  it("leaves no empty block beside one that is too full to be joined", () => {
    const places = createPlaceTable();
    const arena = createSlotArena();
    const run = createSortedRun();
    const kept = Array.from({ length: 328 }, (_, at) => addRow(places, [at, 0, "h", `p${at}`]));
    for (const { id } of kept) insertPlace(arena, run, { places, id, member: 0 });
    assert.deepEqual(run.lengths, [128, 200]);
    for (const { id } of kept.splice(0, 128)) deletePlace(arena, run, { places, id, member: 0 });
    assertRun(arena, run, kept);
    assert.deepEqual(run.lengths, [200]);
  });

  it("refuses to delete a place that it does not hold", () => {
    const places = createPlaceTable();
    const arena = createSlotArena();
    const run = createSortedRun();
    const [held, other] = [addRow(places, [1, 0, "h", "a"]), addRow(places, [1, 0, "h", "b"])];
    insertPlace(arena, run, { places, id: held.id, member: 0 });
    assert.throws(() => deletePlace(arena, run, { places, id: other.id, member: 0 }), /not in its run/);
    assertRun(arena, run, [held]);
  });
});
