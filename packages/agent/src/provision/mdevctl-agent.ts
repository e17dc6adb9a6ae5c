// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";

import type { Step } from "@berth/core/provision/step";
import { openDirectoryTree } from "../host/directory-tree.ts";
import { makeCommandRunner } from "./command-runner.ts";
import type { CommandRunner } from "./command-runner.ts";
import type { Hands } from "./effects.ts";
import { emulateCreate, emulateRemove, openEmulatedWriter } from "./emulated-kernel.ts";
import { executeSteps } from "./execute-steps.ts";
import { openJournal } from "./journal-file.ts";
import { findMdevctl } from "./mdevctl.ts";

const UUID = "eeeeeeee-0000-4000-8000-000000000001";
const TYPE_FOLDER = "/sys/class/mdev_bus/gpu/mdev_supported_types/t-1";
const DEFINE: Step = {
  effect: { kind: "define", uuid: UUID, parent: "gpu", definition: '{"mdev_type":"t-1","start":"manual","attrs":[]}' },
  undo: { kind: "undefine", uuid: UUID, parent: "gpu" },
  text: "define",
};
const START: Step = {
  effect: { kind: "start", uuid: UUID, parent: "gpu" },
  readBack: { path: `/sys/bus/mdev/devices/${UUID}/mdev_type`, expected: "t-1", as: "link" },
  undo: { kind: "stop", uuid: UUID },
  text: "start",
};
const FAIL: Step = { effect: { kind: "write", uuid: UUID, attribute: "missing", value: "1" }, text: "fail" };
const UNMAKE: readonly Step[] = [
  { effect: { kind: "stop", uuid: UUID }, text: "stop" },
  { effect: { kind: "undefine", uuid: UUID, parent: "gpu" }, text: "undefine" },
];

/** The real mdevctl; what it writes to `create` and `remove` is carried out when it has ended. `root` is /sys's ground. */
function makeRunner(root: string): CommandRunner {
  const real = makeCommandRunner();
  return {
    run: async (command) => {
      const ran = await real.run(command);
      const asked = fs.readFileSync(`${TYPE_FOLDER}/create`, "utf8").trim();
      if (asked !== "") emulateCreate(root, asked);
      fs.writeFileSync(`${TYPE_FOLDER}/create`, "");
      const remove = `/sys/bus/mdev/devices/${UUID}/remove`;
      if (fs.existsSync(remove) && fs.readFileSync(remove, "utf8").trim() === "1") emulateRemove(root, UUID);
      return ran;
    },
  };
}

/** Runs steps through the mdevctl of this machine, and prints what came of them as JSON. Only ever in a mount namespace. */
async function runSteps(root: string, state: string): Promise<void> {
  const runner = makeRunner(root);
  const hands: Hands = {
    writer: openEmulatedWriter("/"),
    look: () => openDirectoryTree("/"),
    runner,
    mdevctl: await findMdevctl(runner, "/"),
    scratch: state,
    useOf: () => ({ kind: "free" }),
  };
  const journal = openJournal(state, "claim");
  const told: unknown[] = [hands.mdevctl];
  const tell = async (purpose: "make" | "unmake", steps: readonly Step[]): Promise<void> => {
    const outcome = await executeSteps({ purpose, steps, hands, journal });
    const defined = fs.existsSync(`/etc/mdevctl.d/gpu/${UUID}`);
    told.push({ outcome, defined, stands: fs.existsSync(`/sys/bus/mdev/devices/${UUID}`) });
  };
  await tell("make", [DEFINE, START, FAIL]);
  await tell("make", [DEFINE, START]);
  await tell("unmake", UNMAKE);
  fs.writeFileSync(`${TYPE_FOLDER}/available_instances`, "0\n");
  await tell("make", [DEFINE, START]);
  process.stdout.write(JSON.stringify(told));
}

const [verb, root, state] = process.argv.slice(2);
if (verb === "run-steps" && root !== undefined && state !== undefined) await runSteps(root, state);
