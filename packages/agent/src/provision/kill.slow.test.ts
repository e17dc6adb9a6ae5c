// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DOOMED, openHands, UNMAKE } from "./doomed-agent.ts";
import { makeEmulatedHost } from "./emulated-kernel.ts";
import { executeSteps } from "./execute-steps.ts";
import { forgetJournal, openJournal } from "./journal-file.ts";
import { recoverClaim } from "./recover.ts";

const AGENT = fileURLToPath(new URL("./doomed-agent.ts", import.meta.url));
const ROUNDS = 60;
const base = fs.mkdtempSync(`${tmpdir()}/berth-kill-`);
after(() => fs.rmSync(base, { recursive: true }));

/** Lets an agent run for so long, and kills it. */
async function killAgentAfter(root: string, state: string, ms: number): Promise<void> {
  const child = spawn(process.execPath, [AGENT, "live-until-killed", root, state], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  await once(child.stdout, "data");
  await sleep(ms);
  child.kill("SIGKILL");
  const [, signal] = (await exit) as [number | null, string | null];
  assert.equal(signal, "SIGKILL", "the agent ended by itself");
}

/** The devices that stand, with their units. */
function listDevices(root: string): readonly string[] {
  const folder = `${root}/sys/bus/mdev/devices`;
  const names = fs.readdirSync(folder).sort();
  return names.map((name) => `${name} ${fs.readFileSync(`${folder}/${name}/aggregator`, "utf8").trim()}`);
}

describe("an agent killed with SIGKILL", () => {
  it(`leaves all devices or none after its recovery, ${ROUNDS} times at random instants`, async () => {
    const root = `${base}/host`;
    makeEmulatedHost(root);
    const all = DOOMED.map((uuid) => `${uuid} 4`);
    const ends = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const state = `${base}/state-${round}`;
      const ms = Math.random() * 60;
      await killAgentAfter(root, state, ms);
      const hands = openHands(root);
      const journal = openJournal(state, "doomed");
      const open = journal.records.at(-1)?.kind !== "end" ? "interrupted" : "between runs";
      const recovered = await recoverClaim({ hands, journal });
      const purpose = recovered.kind === "nothing" ? "none" : recovered.purpose;
      const told = `${open}, ${purpose} ${recovered.kind}`;
      ends.set(told, (ends.get(told) ?? 0) + 1);
      const stands = recovered.kind === "completed" && purpose === "make";
      assert.deepEqual(listDevices(root), stands ? all : [], `round ${round}, killed after ${ms} ms: ${told}`);
      assert.notEqual(recovered.kind, "stuck");
      if (stands) await executeSteps({ purpose: "unmake", steps: UNMAKE, hands, journal });
      journal.close();
      forgetJournal(state, "doomed");
    }
    assert.ok(ends.has("interrupted, make undone"), JSON.stringify([...ends]));
    assert.ok(ends.has("interrupted, unmake completed"), JSON.stringify([...ends]));
  });
});
