// SPDX-License-Identifier: Apache-2.0

import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { BerthError } from "@berth/core/protocol/berth-error";
import packageJson from "../../package.json" with { type: "json" };
import { openFollower } from "../follow/open-follower.ts";
import type { Follower } from "../follow/follower.ts";
import { findDeviceUse } from "../host/device-users.ts";
import { openDirectoryTree } from "../host/directory-tree.ts";
import { makeFactReader } from "../host/fact-scripts.ts";
import { openUdevMonitor, type UdevMonitor } from "../host/udev-monitor.ts";
import { makeCommandRunner } from "../provision/command-runner.ts";
import { openDirectoryWriter } from "../provision/host-writer.ts";
import { findMdevctl } from "../provision/mdevctl.ts";
import type { AgentLog } from "../uplink/agent-log.ts";
import type { HintSource, RunningAgent } from "../uplink/agent-parts.ts";
import {
  openState,
  raiseGeneration,
  readCredential,
  writeCredential,
  type AgentCredential,
} from "../uplink/agent-state.ts";
import { systemClock } from "../uplink/clock.ts";
import { enrolAgent } from "../uplink/enrol-agent.ts";
import { openServerLines } from "../uplink/server-lines.ts";
import { startAgent } from "../uplink/start-agent.ts";
import { lockState } from "../uplink/state-lock.ts";
import type { AgentOptions } from "./agent-options.ts";

/** An agent with all that it holds of this machine. */
export interface HostAgent extends Pick<RunningAgent, "ended" | "stop"> {
  /** The name under which the host was enrolled. */
  readonly host: string;
}

/**
 * Starts the agent of this machine: enrols it first where it never was and a token is given. Throws BerthError where it
 * cannot be enrolled, where its state is another's or damaged, and where another agent has the state directory.
 */
export async function startHostAgent(options: AgentOptions, log: AgentLog): Promise<HostAgent> {
  const { stateDirectory, root } = options;
  openState(stateDirectory);
  const credential = await findCredential(options, log);
  const lock = await lockState(stateDirectory);
  const { host } = credential;
  const runner = makeCommandRunner();
  const say = (text: string): void => log({ level: "warning", text });
  const facts = makeFactReader({
    host,
    directory: `${root === "/" ? "" : root}${options.factsDirectory}`,
    now: Date.now,
  });
  const look = () => openDirectoryTree(root);
  const follower = openHostFollower({
    host,
    look,
    writer: openDirectoryWriter(root),
    runner,
    mdevctl: await findMdevctl(runner, root),
    tool: options.tool,
    stateDirectory,
    useOf: (identity) => findDeviceUse(look(), identity),
    readFacts: facts,
    now: Date.now,
    log: say,
  });
  const hints = root === "/" ? openHints(say) : undefined;
  const agent = startAgent({
    servers: openServerLines(credential),
    follower,
    host,
    version: packageJson.version,
    generation: raiseGeneration(stateDirectory),
    session: randomBytes(16).toString("hex"),
    rescanMs: options.rescanSeconds * 1000,
    ...(hints === undefined ? {} : { changes: hints }),
    clock: systemClock(),
    random: Math.random,
    log,
  });
  const ended = endWith(agent.ended, async () => {
    hints?.close();
    await lock.release();
  });
  const stop = async (): Promise<void> => {
    await agent.stop();
    await ended;
  };
  return { host, ended, stop };
}

/** Lets go of what an agent held, however it ended. */
async function endWith(ended: Promise<void>, letGo: () => Promise<void>): Promise<void> {
  try {
    await ended;
  } finally {
    await letGo();
  }
}

/** Enrols this machine, whether or not it was before. Throws BerthError. */
export async function enrolHost(options: AgentOptions): Promise<{ readonly host: string; readonly server: string }> {
  const { servers, token, host, stateDirectory, caFile } = options;
  const [first, ...rest] = servers;
  if (first === undefined || token === undefined) {
    throw new BerthError("usage_missing_argument", "A host is enrolled with a server and a one-time token", {
      place: first === undefined ? "--server" : "--token-file",
      expected: "--server URL --token-file FILE, as `berth agents enrol HOST` prints them",
    });
  }
  const ca = caFile === undefined ? {} : { ca: fs.readFileSync(caFile, "utf8") };
  return enrolAgent({ servers: [first, ...rest], token, host, stateDirectory, ...ca });
}

/** The credential on disk, with the servers that are named now; a host that has none is enrolled. */
async function findCredential(options: AgentOptions, log: AgentLog): Promise<AgentCredential> {
  const { stateDirectory, servers } = options;
  let found = readCredential(stateDirectory);
  if (found === undefined) {
    const { host, server } = await enrolHost(options);
    log({ level: "info", text: `Enrolled as ${host} at ${server}` });
    found = readCredential(stateDirectory);
  }
  if (found === undefined) throw new Error("An enrolled host has a credential");
  const [first, ...rest] = servers;
  if (first === undefined) return found;
  const named: AgentCredential = { ...found, servers: [first, ...rest] };
  if (named.servers.join() !== found.servers.join()) writeCredential(stateDirectory, named);
  return named;
}

/** What the follower remembers must be whole: without it old orders would be followed again. */
function openHostFollower(parts: Parameters<typeof openFollower>[0]): Follower {
  try {
    return openFollower(parts);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BerthError("agent_state_damaged", error.message, { place: parts.stateDirectory, cause: error });
  }
}

/** Kernel events of this machine. */
function openHints(log: (text: string) => void): HintSource & Pick<UdevMonitor, "close"> {
  const listeners = new Set<() => void>();
  const monitor = openUdevMonitor({
    onHint: () => {
      for (const listener of listeners) listener();
    },
    log,
  });
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => monitor.close(),
  };
}
