// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import type { Step } from "@berth/core/provision/step";
import fc from "fast-check";
import { Crash, doomHands, openDoomedJournal } from "./crash-points.ts";
import type { Disk } from "./crash-points.ts";
import { executeSteps } from "./execute-steps.ts";
import type { Purpose } from "./journal.ts";
import { describeHost, makeUpHost } from "./made-up-host.ts";
import type { MadeUpHost } from "./made-up-host.ts";
import { recoverClaim } from "./recover.ts";
import type { Recovered, Repair } from "./recover.ts";

const scratch = mkdtempSync(`${tmpdir()}/berth-`);
after(() => rmSync(scratch, { recursive: true }));

function uuidOf(number: number): string {
  return `aaaaaaaa-0000-4000-8000-00000000000${number}`;
}

/** Makes one device in one of the ways there are, with values set afterwards. */
function listDeviceSteps(number: number, way: "sysfs" | "mdevctl" | "aggregate", values: readonly string[]): Step[] {
  const uuid = uuidOf(number);
  const remove: Step["effect"] = { kind: "remove", uuid };
  const made: Step[] =
    way === "mdevctl"
      ? [
          {
            effect: { kind: "define", uuid, parent: "gpu", definition: "{}" },
            undo: { kind: "undefine", uuid, parent: "gpu" },
            text: "define",
          },
          { effect: { kind: "start", uuid, parent: "gpu" }, undo: { kind: "stop", uuid }, text: "start" },
        ]
      : [
          {
            effect: {
              kind: "create",
              parent: "gpu",
              type: "t-1",
              uuid,
              ...(way === "aggregate" ? { aggregate: 2 } : {}),
            },
            undo: remove,
            text: "create",
          },
        ];
  const set = values.map((value): Step => {
    const attribute = value.startsWith("0x") ? "ap_config" : "aggregator";
    const path = `/sys/bus/mdev/devices/${uuid}/${attribute}`;
    const effect: Step["effect"] =
      attribute === "ap_config"
        ? { kind: "set-ap-config", uuid, config: value }
        : { kind: "write", uuid, attribute, value };
    return { effect, readBack: { path, expected: value }, skipWhenEqual: true, text: "set" };
  });
  return [...made, ...set];
}

const TYPE_STEP: Step = {
  effect: { kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 746 },
  undo: { kind: "set-vgpu-type", address: "0000:08:00.4", typeNumber: 0 },
  text: "set the type",
};

/** Makings of up to three devices; some cannot succeed, for want of room or a value that is not taken. */
const makings = fc
  .tuple(
    fc.array(
      fc.record({
        way: fc.constantFrom("sysfs" as const, "mdevctl" as const, "aggregate" as const),
        values: fc.array(fc.constantFrom("4", "7", "0x6,0x6,0x0", "garbage"), { maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    fc.boolean(),
  )
  .map(([devices, withType]) => [
    ...(withType ? [TYPE_STEP] : []),
    ...devices.flatMap(({ way, values }, index) => listDeviceSteps(index + 1, way, values)),
  ]);

interface Life {
  readonly purpose: Purpose;
  readonly steps: readonly Step[];
  /** Instants that each agent lives; the one after them lives on. */
  readonly lives: readonly number[];
  readonly repair: Repair;
}

/** Lets agents die one after the other, the first while it executes, the others while they recover. */
async function liveThrough(host: MadeUpHost, { purpose, steps, lives, repair }: Life): Promise<Recovered> {
  const disk: Disk = { text: "" };
  const [first = Number.POSITIVE_INFINITY, ...others] = lives;
  const doom = { left: first };
  try {
    await executeSteps({ purpose, steps, hands: doomHands(host.hands, doom), journal: openDoomedJournal(disk, doom) });
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  for (const left of [...others, Number.POSITIVE_INFINITY]) {
    const next = { left };
    const hands = doomHands(host.hands, next);
    try {
      return await recoverClaim({ hands, journal: openDoomedJournal(disk, next), planRepair: () => repair });
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
  throw new Error("The last agent does not die");
}

const life = fc.record({
  steps: makings,
  lives: fc.array(fc.nat(45), { minLength: 1, maxLength: 3 }),
  repair: fc.constantFrom<Repair>("finish", "undo"),
  room: fc.constantFrom(1, 2, 3),
});

describe("recovery", () => {
  it("P1: whenever agents die, in the end all steps are done or the host is as it was before", async () => {
    const seen = new Set<string>();
    const check = async ({ steps, lives, repair, room }: Omit<Life, "purpose"> & { readonly room: number }) => {
      const host = makeUpHost(room, scratch);
      const before = describeHost(host);
      const recovered = await liveThrough(host, { purpose: "make", steps, lives, repair });
      seen.add(recovered.kind);
      if (recovered.kind === "completed") {
        const whole = makeUpHost(room, scratch);
        assert.deepEqual(await liveThrough(whole, { purpose: "make", steps, lives: [], repair }), recovered);
        assert.equal(describeHost(host), describeHost(whole));
      } else {
        assert.notEqual(recovered.kind, "stuck");
        assert.equal(describeHost(host), before);
      }
    };
    await fc.assert(fc.asyncProperty(life, check), { numRuns: 400 });
    assert.deepEqual([...seen].sort(), ["completed", "nothing", "undone"]);
  });

  it("P2: whenever agents die while they take devices away, in the end all are gone", async () => {
    const check = async (count: number, lives: readonly number[]): Promise<void> => {
      const host = makeUpHost(9, scratch);
      const before = describeHost(host);
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      const make = numbers.flatMap((number) => listDeviceSteps(number, "mdevctl", ["4"]));
      await liveThrough(host, { purpose: "make", steps: make, lives: [], repair: "undo" });
      const steps = numbers.flatMap((number): Step[] => [
        { effect: { kind: "stop", uuid: uuidOf(number) }, text: "stop" },
        { effect: { kind: "undefine", uuid: uuidOf(number), parent: "gpu" }, text: "undefine" },
      ]);
      const recovered = await liveThrough(host, { purpose: "unmake", steps, lives, repair: "finish" });
      if (recovered.kind === "nothing") return;
      assert.deepEqual(recovered, { kind: "completed", purpose: "unmake" });
      assert.equal(describeHost(host), before);
    };
    const lives = fc.array(fc.nat(45), { minLength: 1, maxLength: 3 });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 3 }), lives, check), { numRuns: 150 });
  });

  it("P3: a stranger's device is there afterwards, whenever agents die", async () => {
    const check = async (steps: readonly Step[], lives: readonly number[], repair: Repair): Promise<void> => {
      const host = makeUpHost(9, scratch);
      const made = { purpose: "make", lives: [], repair } as const;
      await liveThrough(host, { ...made, steps: listDeviceSteps(2, "sysfs", ["4"]) });
      await liveThrough(host, { ...made, steps: listDeviceSteps(9, "sysfs", ["7"]) });
      const before = describeHost(host);
      // The second of three devices stands already under the same UUID.
      const recovered = await liveThrough(host, { purpose: "make", steps, lives, repair });
      if (recovered.kind !== "completed") assert.equal(describeHost(host), before);
    };
    const lives = fc.array(fc.nat(45), { minLength: 1, maxLength: 3 });
    await fc.assert(fc.asyncProperty(makings, lives, fc.constantFrom("finish", "undo"), check), { numRuns: 150 });
  });
});
