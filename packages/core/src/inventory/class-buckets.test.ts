// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MOST_PLACES, type Bucket } from "./class-buckets.ts";
import { findBest } from "./find-best.ts";
import type { Judge } from "./judgement.ts";
import { profileOf } from "./made-up-profile.ts";
import {
  addClass,
  addPlace,
  changePlace,
  compileSource,
  createMigrationIndex,
  placeAt,
  removePlace,
  type MigrationIndex,
} from "./migration-index.ts";
import type { PlaceId } from "./place-table.ts";

/** R4 as the index itself knows it, so that thousands of places cost nothing to judge. */
const judge: Judge = (source, destination) => {
  const [from, to] = [source.attributes.softwareVersion, destination.attributes.softwareVersion];
  const isOlder = from.kind === "known" && to.kind === "known" && to.value.minor < from.value.minor;
  return isOlder ? { kind: "never", rule: 4, code: "older" } : { kind: "compatible", grade: 0 };
};

interface Filled {
  readonly index: MigrationIndex;
  /** Minor version by place. */
  readonly minors: Map<PlaceId, number>;
}

/** An index whose places have the minor versions that `minorOf` deals. */
function fill(count: number, minorOf: (at: number) => number): Filled {
  const index = createMigrationIndex({ judge });
  const minors = new Map<PlaceId, number>();
  for (let at = 0; at < count; at += 1) {
    const minor = minorOf(at);
    const own = addClass(index, { profile: profileOf({ version: `1.${minor}.0` }) });
    const room = { atLeast: at % 9, atMost: at % 9 };
    minors.set(addPlace(index, { host: `h${(at * 31) % 211}`, name: `p${at}`, class: own, room }), minor);
  }
  return { index, minors };
}

function bucketsOf(index: MigrationIndex): readonly Bucket[] {
  return [...new Set(index.columns.buckets)];
}

function assertBuckets({ index, minors }: Filled): void {
  const buckets = bucketsOf(index);
  assert.equal(
    buckets.reduce((sum, bucket) => sum + bucket.run.count, 0),
    minors.size,
  );
  for (const bucket of buckets) {
    assert.ok(bucket.classes.length === 1 || bucket.run.count <= MOST_PLACES, `${bucket.run.count} places`);
    for (const [member, id] of bucket.classes.entries()) {
      assert.equal(index.columns.buckets[id], bucket);
      assert.equal(index.columns.members[id], member);
    }
  }
}

function assertAnswers({ index, minors }: Filled, minor: number): void {
  const source = compileSource(index, profileOf({ kind: "device", version: `1.${minor}.0` }));
  const places = [...minors].filter(([, own]) => own >= minor).map(([id]) => placeAt(index, id));
  const query = { source, atLeastFree: 3, limit: 25, order: "pack" } as const;
  const expected = places
    .filter(({ room }) => room.atLeast >= 3)
    .toSorted(
      (a, b) =>
        a.room.atLeast - b.room.atLeast || (a.host < b.host ? -1 : a.host > b.host ? 1 : a.name < b.name ? -1 : 1),
    )
    .slice(0, 25);
  assert.deepEqual(
    findBest(index, query).map((id) => placeAt(index, id).name),
    expected.map(({ name }) => name),
  );
}

const FLEETS: Readonly<
  Record<string, { readonly count: number; readonly minorOf: (at: number) => number; readonly buckets: number }>
> = {
  "keeps few places of many classes together": { count: 2_000, minorOf: (at) => at % 50, buckets: 1 },
  "splits many places of many classes": { count: 9_000, minorOf: (at) => at % 50, buckets: 4 },
  "leaves one class alone, however large": { count: 9_000, minorOf: () => 7, buckets: 1 },
  "parts a large class from small ones on both sides": {
    count: 9_000,
    minorOf: (at) => (at < 20 ? at : 9),
    buckets: 3,
  },
};

describe("class buckets", () => {
  for (const [name, { count, minorOf, buckets }] of Object.entries(FLEETS)) {
    it(name, () => {
      const filled = fill(count, minorOf);
      assert.equal(bucketsOf(filled.index).length, buckets);
      assertBuckets(filled);
      for (const minor of [0, 5, 9, 10, 49]) assertAnswers(filled, minor);
    });
  }

  it("gives a new class beside a large one a bucket of its own", () => {
    const filled = fill(5_000, () => 7);
    const own = addClass(filled.index, { profile: profileOf({ version: "1.7.0" }), numaNode: 1 });
    const room = { atLeast: 4, atMost: 4 };
    filled.minors.set(addPlace(filled.index, { host: "a", name: "late", class: own, room }), 7);
    assert.equal(bucketsOf(filled.index).length, 2);
    assertBuckets(filled);
    assertAnswers(filled, 7);
  });

  it("finds places where they were moved to, to change and to remove them", () => {
    const filled = fill(6_000, (at) => at % 20);
    for (const id of [...filled.minors.keys()].filter((one) => one % 3 === 0)) {
      changePlace(filled.index, id, { room: { atLeast: 3, atMost: 5 } });
    }
    for (const id of [...filled.minors.keys()].filter((one) => one % 7 === 0)) {
      removePlace(filled.index, id);
      filled.minors.delete(id);
    }
    assertBuckets(filled);
    for (const minor of [0, 10, 19]) assertAnswers(filled, minor);
  });
});
