// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { ClaimedDevice } from "@berth/core/claim/claim";
import fc from "fast-check";
import { Crash, doomHands, openDoomedJournal } from "../provision/crash-points.ts";
import type { Disk, Doom } from "../provision/crash-points.ts";
import type { Followed, Follower } from "./follower.ts";
import type { JournalShelf } from "./journal-book.ts";
import {
  desiredOf,
  listMakes,
  listStanding,
  makeUpPlace,
  mdevOf,
  openPlace,
  rebootPlace,
  uuidOf,
  vgpuOf,
  want,
} from "./made-up-place.ts";
import type { MadeUpPlace } from "./made-up-place.ts";

// Bringing to disk costs nothing in memory, and here nothing but the agents dies.
const base = mkdtempSync(`${existsSync("/dev/shm") ? "/dev/shm" : tmpdir()}/berth-`);
after(() => rmSync(base, { recursive: true }));

/** A disk of journals that outlives its agents; they die before, in the middle of and after a record. */
function layShelf(disks: Map<string, Disk>, doom: Doom): JournalShelf {
  return {
    list: () => [...disks.keys()].sort(),
    open: (claim) => {
      const disk = disks.get(claim) ?? { text: "" };
      disks.set(claim, disk);
      return Object.assign(openDoomedJournal(disk, doom), { close: () => undefined });
    },
    forget: (claim) => void disks.delete(claim),
  };
}

/** A host with the disk of its journals. */
interface Home {
  readonly at: MadeUpPlace;
  readonly disks: Map<string, Disk>;
}

function openDoomed({ at, disks }: Home, tool: "sysfs" | "mdevctl", left: number): Follower {
  const doom = { left };
  const { writer, runner } = doomHands(at.hands, doom);
  return openPlace(at, { tool, writer, runner, shelf: layShelf(disks, doom) });
}

interface Life {
  readonly tool: "sysfs" | "mdevctl";
  /** Instants at which one agent after the other dies, while the claims are made, and while they are unmade. */
  readonly dooms: readonly number[];
}

/** Agents live and die until one is left that says what became of the host. */
async function live(home: Home, { tool, dooms }: Life): Promise<Followed> {
  for (const left of [...dooms, Number.POSITIVE_INFINITY]) {
    try {
      const follower = openDoomed(home, tool, left);
      assert.deepEqual(await follower.recover(), []);
      return await follower.follow(desiredOf(home.at));
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
  throw new Error("The last agent lives for ever");
}

interface Story extends Life {
  readonly room: number;
  readonly value: string;
  readonly laterDooms: readonly number[];
  readonly boots: boolean;
}

/** Two claims are made; one is given back, and perhaps the host boots meanwhile. What was said and stands after each. */
async function tellStory(story: Story): Promise<readonly unknown[]> {
  const at = makeUpPlace(mkdtempSync(`${base}/state-`), story.room);
  const home: Home = { at, disks: new Map() };
  const values: ClaimedDevice["values"] = [{ attribute: "aggregator", value: story.value, rule: "R6" }];
  want(at, { devices: [mdevOf(1), mdevOf(2, { values })] });
  want(at, { id: "c2", devices: [vgpuOf()], fence: 4 });
  const first = await live(home, story);
  const made = listStanding(at);
  if (story.tool === "sysfs" && story.room === 3) checkMakes(at);
  if (first.events[0]?.event === "refused") at.claims.delete("c1");
  else want(at, { state: "releasing" });
  want(at, { id: "c2", state: "bound" });
  if (story.boots) rebootPlace(at);
  const second = await live(home, { tool: story.tool, dooms: story.laterDooms });
  if (story.tool === "sysfs" && story.room === 3 && !story.boots) checkMakes(at);
  const definitions = [...at.entries.keys()].filter((path) => path.startsWith("/etc/mdevctl.d/"));
  return [first.events, first.notices, made, second.events, second.notices, listStanding(at), definitions];
}

/** Where every `create` succeeds: as often as a device was made and does not stand, it was taken away. */
function checkMakes(at: MadeUpPlace): void {
  const standing = listStanding(at);
  for (const id of [uuidOf(1), uuidOf(2)]) {
    const made = listMakes(at).filter((one) => one === id).length;
    const removed = at.log.filter((line) => line === `/sys/bus/mdev/devices/${id}/remove 1`).length;
    assert.equal(made - removed, standing.includes(id) ? 1 : 0, at.log.join("\n"));
  }
}

const STORY = fc.record({
  tool: fc.constantFrom("sysfs" as const, "mdevctl" as const),
  room: fc.integer({ min: 1, max: 3 }),
  value: fc.constantFrom("4", "garbage"),
  boots: fc.boolean(),
});
const DOOMS = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 0, maxLength: 3 });

describe("follow()", () => {
  it("P40: whatever instants agents die at, the host ends, and is told, as if none had died", async () => {
    await fc.assert(
      fc.asyncProperty(STORY, DOOMS, DOOMS, async (story, dooms, laterDooms) => {
        const wanted = await tellStory({ ...story, dooms: [], laterDooms: [] });
        assert.deepEqual(await tellStory({ ...story, dooms, laterDooms }), wanted);
      }),
      { numRuns: 30 },
    );
  });

  it("P41: an agent that dies at any one instant of making leaves what the next one makes whole", async () => {
    for (const tool of ["sysfs", "mdevctl"] as const) {
      const story = { tool, room: 3, value: "4", boots: false, laterDooms: [] };
      const wanted = await tellStory({ ...story, dooms: [] });
      for (let left = 0; left < 52; left++) {
        assert.deepEqual(await tellStory({ ...story, dooms: [left] }), wanted, `${tool}, instant ${left}`);
      }
    }
  });
});
