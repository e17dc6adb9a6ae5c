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
import { nameErrno } from "../provision/errno-name.ts";
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
import { lockState, type StateLock } from "../uplink/state-lock.ts";
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
  return withState(options, () => startWithState(options, log));
}

async function startWithState(options: AgentOptions, log: AgentLog): Promise<HostAgent> {
  const { stateDirectory } = options;
  openState(stateDirectory);
  // Enrolling takes the directory for itself as long as it lasts.
  if (readCredential(stateDirectory) === undefined) {
    const { host, server } = await enrolHost(options);
    log({ level: "info", text: `Enrolled as ${host} at ${server}` });
  }
  const lock = await lockState(stateDirectory);
  try {
    return await startLocked(options, { lock, log });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Starts the agent of a host that has been enrolled, and whose state directory this process has. */
async function startLocked(
  options: AgentOptions,
  { lock, log }: { readonly lock: StateLock; readonly log: AgentLog },
): Promise<HostAgent> {
  const { stateDirectory, root } = options;
  const credential = takeServers(options);
  const { host } = credential;
  const say = (text: string): void => log({ level: "warning", text });
  const follower = await openHostFollower(options, { host, say });
  const servers = openServerLines(credential);
  const generation = raiseGeneration(stateDirectory);
  const hints = root === "/" ? openHints(say) : undefined;
  const agent = startAgent({
    servers,
    follower,
    host,
    version: packageJson.version,
    generation,
    session: randomBytes(16).toString("hex"),
    rescanMs: options.rescanSeconds * 1000,
    ...(hints === undefined ? {} : { changes: hints }),
    rest: giveMemoryBack,
    clock: systemClock(),
    random: Math.random,
    log,
  });
  const untilEnded = async (): Promise<void> => {
    try {
      await agent.ended;
    } finally {
      hints?.close();
      await lock.release();
    }
  };
  const ended = untilEnded();
  return { host, ended, stop: async () => Promise.all([agent.stop(), ended]).then(() => undefined) };
}

/** Where Node was started so that it may be asked to; the second time gives back the pages that the first has freed. */
function giveMemoryBack(): void {
  globalThis.gc?.();
  globalThis.gc?.();
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
  const ca = caFile === undefined ? {} : { ca: readAuthority(caFile) };
  return withState(options, () => enrolAgent({ servers: [first, ...rest], token, host, stateDirectory, ...ca }));
}

/** What the file system has against the state directory is told with the directory and the kernel's error. */
async function withState<T>({ stateDirectory }: AgentOptions, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof BerthError || !isFileError(error)) throw error;
    const message = `The agent's state directory ${stateDirectory} cannot be used: ${nameErrno(error)}`;
    const expected = "a directory on a disk with room, that the agent's user may write";
    throw new BerthError("agent_state_unusable", message, { place: stateDirectory, expected, cause: error });
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error && "errno" in error;
}

function readAuthority(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (cause) {
    if (!isFileError(cause)) throw cause;
    const code = cause.code === "ENOENT" ? "file_not_found" : "file_unreadable";
    throw new BerthError(code, `Cannot read ${path}: ${nameErrno(cause)}`, { place: path, expected: "PEM", cause });
  }
}

/** The credential on disk, with the servers that are named now, which are kept from now on. */
function takeServers({ stateDirectory, servers }: AgentOptions): AgentCredential {
  const found = readCredential(stateDirectory);
  if (found === undefined) throw new Error("An enrolled host has a credential");
  const [first, ...rest] = servers;
  if (first === undefined || servers.join() === found.servers.join()) return found;
  const named: AgentCredential = { ...found, servers: [first, ...rest] };
  // Lines are opened to them before they are kept: an address that is none must not outlive its mistake.
  for (const line of openServerLines(named)) line.close?.();
  writeCredential(stateDirectory, named);
  return named;
}

/** What the follower remembers must be whole: without it old orders would be followed again. */
async function openHostFollower(
  { stateDirectory, root, tool, factsDirectory }: AgentOptions,
  { host, say }: { readonly host: string; readonly say: (text: string) => void },
): Promise<Follower> {
  const runner = makeCommandRunner();
  const look = () => openDirectoryTree(root);
  const mdevctl = await findMdevctl(runner, root);
  const directory = `${root === "/" ? "" : root}${factsDirectory}`;
  try {
    return openFollower({
      host,
      look,
      writer: openDirectoryWriter(root),
      runner,
      mdevctl,
      tool,
      stateDirectory,
      useOf: (identity) => findDeviceUse(look(), identity),
      readFacts: makeFactReader({ host, directory, now: Date.now }),
      now: Date.now,
      log: say,
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BerthError("agent_state_damaged", error.message, { place: stateDirectory, cause: error });
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
