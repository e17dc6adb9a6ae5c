// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import { openFollower } from "@berth/agent/follow/open-follower";
import { findDeviceUse } from "@berth/agent/host/device-users";
import { raiseGeneration, readCredential } from "@berth/agent/uplink/agent-state";
import { systemClock } from "@berth/agent/uplink/clock";
import { openServerLines } from "@berth/agent/uplink/server-lines";
import { startAgent } from "@berth/agent/uplink/start-agent";
import { known } from "@berth/core/device/evidence";
import { HYPERVISOR_FACTS } from "../input/demo-fleet.ts";
import { dieAsDoomed } from "./doom.ts";
import { openRemoteKernel } from "./remote-kernel.ts";

/** Runs the agent of a simulated host whose kernel is in another process, until it is killed. */
async function liveUntilKilled(folder: string): Promise<void> {
  const stateDirectory = `${folder}/state`;
  const credential = readCredential(stateDirectory);
  if (credential === undefined) throw new Error(`${stateDirectory} holds no credential`);
  const { host } = credential;
  const { tree, writer: steady } = openRemoteKernel(folder);
  const writer = dieAsDoomed(folder, steady);
  const facts = Object.entries(HYPERVISOR_FACTS).map(([name, value]) => {
    return [name, known(value, { host, source: "script", path: "simulated hypervisor", text: value })] as const;
  });
  const log = (line: string): void => void process.stderr.write(`${host}: ${line}\n`);
  const agent = startAgent({
    servers: openServerLines(credential),
    follower: openFollower({
      host,
      look: () => tree,
      writer,
      runner: { run: () => Promise.resolve({ kind: "not-started", errno: "ENOENT" }) },
      mdevctl: { kind: "unusable", why: "not there" },
      tool: "sysfs",
      stateDirectory,
      useOf: (identity) => findDeviceUse(tree, identity),
      readFacts: () => Promise.resolve({ facts: Object.fromEntries(facts), problems: [] }),
      now: Date.now,
      log,
    }),
    host,
    version: "0.0.0",
    generation: raiseGeneration(stateDirectory),
    session: randomBytes(16).toString("hex"),
    rescanMs: 1000,
    clock: systemClock(),
    random: Math.random,
    log: ({ level, text }) => {
      if (level === "error") log(text);
    },
  });
  await agent.ended;
}

const [verb, folder] = process.argv.slice(2);
if (verb === "live-until-killed" && folder !== undefined) await liveUntilKilled(folder);
