// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualAlarm } from "../store/memory/manual-alarm.ts";
import { makeTextAsks } from "./text-asks.ts";

function open() {
  const alarm = new ManualAlarm();
  const woken: string[] = [];
  return { alarm, woken, asks: makeTextAsks({ alarm: alarm.set, wake: (host) => void woken.push(host) }) };
}

describe("makeTextAsks()", () => {
  it("asks the agent once, and tells all who wait", async () => {
    const { asks, woken } = open();
    const both = Promise.all([asks.ask("a", "/proc/1/x"), asks.ask("a", "/proc/1/x")]);
    assert.deepEqual(woken, ["a", "a"]);
    assert.deepEqual([asks.takeUnasked("a"), asks.takeUnasked("a"), asks.takeUnasked("b")], [["/proc/1/x"], [], []]);
    asks.hear("a", [{ path: "/proc/1/x", text: "on" }]);
    assert.deepEqual(await both, ["on", "on"]);
  });

  it("says so where the agent keeps no such text", async () => {
    const { asks } = open();
    const asked = asks.ask("a", "/x");
    asks.hear("a", [{ path: "/x", text: null }]);
    assert.equal(await asked, null);
  });

  it("takes another host's answer for none, and ends after ten seconds", async () => {
    const { asks, alarm } = open();
    const asked = asks.ask("a", "/x");
    asks.hear("b", [{ path: "/x", text: "false" }]);
    asks.hear("a", [{ path: "/y", text: "false" }]);
    alarm.advance(9_999);
    alarm.advance(1);
    await assert.rejects(asked, { code: "host_silent" });
    assert.deepEqual(asks.takeUnasked("a"), []);
  });

  it("waits for so many texts of a host and no more", async () => {
    const { asks } = open();
    const asked = Array.from({ length: 64 }, async (_, at) => asks.ask("a", `/${at}`));
    await assert.rejects(asks.ask("a", "/64"), { code: "too_many_streams" });
    asks.hear(
      "a",
      asked.map((_, at) => ({ path: `/${at}`, text: "" })),
    );
    assert.equal((await Promise.all(asked)).length, 64);
  });
});
