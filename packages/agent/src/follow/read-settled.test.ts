// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { VGPU_PATH } from "../provision/made-up-host.ts";
import { follow, FUNCTION, makeUpPlace, mdevOf, openPlace, slowDown, uuidOf, want } from "./made-up-place.ts";
import type { MadeUpPlace } from "./made-up-place.ts";

const base = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

function place(): MadeUpPlace {
  return makeUpPlace(mkdtempSync(`${base}/state-`));
}

describe("readSnapshot()", () => {
  it("joins what fact scripts say with what the host shows", async () => {
    const at = place();
    const evidence = { host: "b", source: "script", path: "/etc/berth/facts.d/x" } as const;
    const problem = { code: "fact_script_failed", host: "b", path: "/etc/berth/facts.d/y", message: "no" } as const;
    const facts = { rack: { kind: "known", value: "r1", evidence } } as const;
    const readFacts = () => Promise.resolve({ facts, problems: [problem] });
    const snapshot = await openPlace(at, { readFacts }).readSnapshot();
    assert.deepEqual([snapshot.host, snapshot.facts], ["b", facts]);
    assert.ok(snapshot.problems.includes(problem));
  });

  it("reads a host that holds still once, and looks once more whether it did", async () => {
    const at = place();
    let looks = 0;
    const look = () => {
      looks += 1;
      return at.hands.look();
    };
    const follower = openPlace(at, { look });
    await follower.readSnapshot();
    await follower.readSnapshot();
    assert.equal(looks, 4);
  });

  it("reads again until nothing has changed meanwhile", async () => {
    const at = place();
    let looks = 0;
    const look = () => {
      looks += 1;
      if (looks === 2) at.hands.writer.write("/x/create", uuidOf(5));
      return at.hands.look();
    };
    const snapshot = await openPlace(at, { look }).readSnapshot();
    assert.deepEqual(
      snapshot.devices.filter(({ kind }) => kind === "mdev").map(({ id }) => id),
      [uuidOf(5)],
    );
    assert.ok(!snapshot.problems.some(({ code }) => code === "changed_while_read"));
  });

  it("says so when the host never holds still", async () => {
    const at = place();
    let number = 0;
    const look = () => {
      number += 1;
      at.entries.set(VGPU_PATH, `${number}\n`);
      return at.hands.look();
    };
    const { problems } = await openPlace(at, { look }).readSnapshot();
    const [problem] = problems.filter(({ code }) => code === "changed_while_read");
    assert.match(problem?.message ?? "", new RegExp(`the type of ${FUNCTION} was changed`));
  });

  it("waits for a claim that is being made", async () => {
    const at = place();
    want(at, { devices: [mdevOf(1), mdevOf(2)] });
    const runs = slowDown(at);
    const follower = openPlace(at, { tool: "mdevctl", runner: runs });
    const followed = follow(at, follower);
    await runs.begun;
    const snapshot = follower.readSnapshot();
    runs.release();
    assert.deepEqual(await followed, ["c1 provisioned"]);
    assert.equal((await snapshot).devices.filter(({ kind }) => kind === "mdev").length, 2);
  });
});
