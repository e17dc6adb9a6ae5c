// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { makePoolLocks } from "./pool-lock.ts";

describe("makePoolLocks()", () => {
  it("lets nobody in while an owner is held, and serves in the order of asking", async () => {
    const locks = makePoolLocks();
    const log: string[] = [];
    const task = (name: string) => async () => {
      log.push(`${name} begins`);
      await setImmediate();
      log.push(`${name} ends`);
    };
    await Promise.all(["a", "b", "c"].map((name) => locks.withOwners(["gpu"], task(name))));
    assert.deepEqual(log, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  it("does not hold up other owners", async () => {
    const locks = makePoolLocks();
    let release = (): void => undefined;
    const held = locks.withOwners(["one"], () => new Promise<void>((resolve) => void (release = resolve)));
    assert.equal(await locks.withOwners(["two"], () => Promise.resolve("done")), "done");
    release();
    await held;
  });

  it("goes on after a task that throws", async () => {
    const locks = makePoolLocks();
    await assert.rejects(
      locks.withOwners(["gpu"], () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await locks.withOwners(["gpu", "gpu"], () => Promise.resolve(1)), 1);
  });

  it("gives up waiting when it is called off, and leaves the queue whole", async () => {
    const locks = makePoolLocks();
    const log: string[] = [];
    let release = (): void => undefined;
    const stop = new AbortController();
    const first = locks.withOwners(["gpu"], () => new Promise<void>((resolve) => void (release = resolve)));
    const second = locks.withOwners(["gpu"], () => Promise.resolve(log.push("second")), stop.signal);
    const third = locks.withOwners(["gpu"], () => Promise.resolve(log.push("third")));
    await setImmediate();
    stop.abort(new Error("called off"));
    await assert.rejects(second, /called off/);
    await assert.rejects(
      locks.withOwners(["new"], () => Promise.resolve(1), stop.signal),
      /called off/,
    );
    release();
    await Promise.all([first, third]);
    assert.deepEqual(log, ["third"]);
    assert.equal(await locks.withOwners(["new", "gpu"], () => Promise.resolve(2)), 2);
  });

  it("P1: tasks over any owners all end, and no two hold the same at once", async () => {
    const owners = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
    const check = async (asked: readonly (readonly string[])[]): Promise<void> => {
      const locks = makePoolLocks();
      const busy = new Set<string>();
      const tasks = asked.map((wanted) =>
        locks.withOwners(wanted, async () => {
          for (const owner of wanted) assert.ok(!busy.has(owner));
          for (const owner of wanted) busy.add(owner);
          await setImmediate();
          for (const owner of wanted) busy.delete(owner);
        }),
      );
      await Promise.all(tasks);
      assert.equal(busy.size, 0);
    };
    await fc.assert(fc.asyncProperty(fc.array(owners, { maxLength: 12 }), check), { numRuns: 100 });
  });
});
