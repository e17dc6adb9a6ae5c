// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { readAhead } from "./read-ahead.ts";

/** A source that notes how far it was read, and ends when it is stopped. */
function plant(count: number): {
  readonly source: AsyncIterable<number>;
  readonly state: { read: number; stopped: boolean };
} {
  const state = { read: 0, stopped: false };
  const source = (async function* () {
    for (let at = 1; at <= count && !state.stopped; at += 1) {
      state.read = at;
      yield at;
      await turn();
    }
  })();
  return { source, state };
}

function aheadOf(state: { stopped: boolean }, most: number): Parameters<typeof readAhead<number>>[1] {
  const stop = (): void => {
    state.stopped = true;
  };
  return { most, weigh: () => 1, stop };
}

async function collect(items: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

async function settle(): Promise<void> {
  for (let at = 0; at < 50; at += 1) await turn();
}

describe("readAhead()", () => {
  test("passes everything on, in order", async () => {
    const { source, state } = plant(20);
    assert.deepEqual(
      await collect(readAhead(source, aheadOf(state, 100))),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
  });
  test("reads on while its reader takes his time", async () => {
    const { source, state } = plant(20);
    const ahead = readAhead(source, aheadOf(state, 100));
    assert.equal((await ahead.next()).value, 1);
    await settle();
    assert.equal(state.read, 20);
    assert.equal((await ahead.next()).value, 2);
    await ahead.return(undefined);
  });
  test("stops when too much waits, passes on what was read, and ends", async () => {
    const { source, state } = plant(20);
    const ahead = readAhead(source, aheadOf(state, 4));
    assert.equal((await ahead.next()).value, 1);
    await settle();
    assert.equal(state.read, 6);
    assert.deepEqual(await collect(ahead), [2, 3, 4, 5, 6]);
    assert.equal(state.stopped, true);
  });
  test("passes on an item that is too heavy alone", async () => {
    const { source, state } = plant(3);
    assert.deepEqual(await collect(readAhead(source, aheadOf(state, 0))), [1]);
  });
  test("tells of a failure after what came before it", async () => {
    const failing = (async function* () {
      yield 1;
      yield 2;
      throw new Error("broken");
    })();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of readAhead(failing, aheadOf({ stopped: false }, 9))) seen.push(item);
    })();
    await assert.rejects(reading, /broken/);
    assert.deepEqual(seen, [1, 2]);
  });
  test("stops the source when its reader leaves", async () => {
    const { source, state } = plant(1000);
    for await (const item of readAhead(source, aheadOf(state, 5000))) if (item === 3) break;
    assert.ok(state.stopped && state.read < 20);
  });
});

describe("readAhead() over a source that never notices", () => {
  async function* deaf(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }

  test("lets a reader go who leaves", async () => {
    for await (const item of readAhead(deaf(), { most: 10, weigh: () => 1, stop: () => {} })) {
      assert.equal(item, 1);
      break;
    }
  });

  test("ends with its signal", async () => {
    const ending = new AbortController();
    const seen: number[] = [];
    for await (const item of readAhead(deaf(), { most: 10, weigh: () => 1, stop: () => {}, signal: ending.signal })) {
      seen.push(item);
      ending.abort();
    }
    assert.deepEqual(seen, [1]);
  });
});
