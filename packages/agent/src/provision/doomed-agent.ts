// SPDX-License-Identifier: Apache-2.0

import type { Step } from "@berth/core/provision/step";
import { openDirectoryTree } from "../host/directory-tree.ts";
import { makeCommandRunner } from "./command-runner.ts";
import type { Hands } from "./effects.ts";
import { openEmulatedWriter } from "./emulated-kernel.ts";
import { executeSteps } from "./execute-steps.ts";
import { openJournal } from "./journal-file.ts";

/** UUIDs of the devices that the doomed agent makes and unmakes. */
export const DOOMED: readonly string[] = [1, 2, 3].map((number) => `dddddddd-0000-4000-8000-00000000000${number}`);

/** Makes the devices, each of four units. */
export const MAKE: readonly Step[] = DOOMED.flatMap((uuid): Step[] => [
  { effect: { kind: "create", parent: "gpu", type: "t-1", uuid }, undo: { kind: "remove", uuid }, text: "create" },
  {
    effect: { kind: "write", uuid, attribute: "aggregator", value: "4" },
    readBack: { path: `/sys/bus/mdev/devices/${uuid}/aggregator`, expected: "4" },
    text: "set",
  },
]);

export const UNMAKE: readonly Step[] = DOOMED.map((uuid) => ({ effect: { kind: "remove", uuid }, text: "remove" }));

/** Hands on a directory with an emulated kernel. */
export function openHands(root: string): Hands {
  return {
    writer: openEmulatedWriter(root),
    look: () => openDirectoryTree(root),
    runner: makeCommandRunner(),
    mdevctl: { kind: "unusable", why: "not asked for" },
    scratch: root,
    useOf: () => ({ kind: "free" }),
  };
}

/** Makes and unmakes the devices of one claim until it is killed; says on stdout when it begins. */
async function liveUntilKilled(root: string, state: string): Promise<never> {
  const journal = openJournal(state, "doomed");
  const hands = openHands(root);
  process.stdout.write("ready\n");
  for (;;) {
    await executeSteps({ purpose: "make", steps: MAKE, hands, journal });
    await executeSteps({ purpose: "unmake", steps: UNMAKE, hands, journal });
  }
}

const [verb, root, state] = process.argv.slice(2);
if (verb === "live-until-killed" && root !== undefined && state !== undefined) await liveUntilKilled(root, state);
