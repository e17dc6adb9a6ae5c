// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What of a systemd unit concerns a program that runs without systemd. */
export interface Unit {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string | undefined;
  /** Names below /var/lib. */
  readonly stateDirectories: readonly string[];
}

/** Reads a unit and the files that it names. `place` says where a path of the system really is. */
export function readUnit(path: string, place: (text: string) => string): Unit {
  const text = readFileSync(path, "utf8");
  const values = (key: string): readonly string[] =>
    [...text.matchAll(new RegExp(`^${key}=-?(.*)$`, "gm"))].map(([, value = ""]) => place(value));
  const files = values("EnvironmentFile").filter((file) => existsSync(file));
  // As systemd does it: a file overrules the unit.
  const lines = [...values("Environment"), ...files.flatMap((file) => readFileSync(file, "utf8").split("\n"))];
  const pairs = lines.flatMap((line) => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  const [command = ""] = values("ExecStart");
  return {
    command: command.split(" "),
    environment: Object.fromEntries(pairs),
    user: values("User")[0],
    stateDirectories: values("StateDirectory"),
  };
}

/** A program that runs as its unit says. */
export interface Service {
  readonly pid: number;
  output(): string;
  commandLine(): readonly string[];
  signal(name: NodeJS.Signals): void;
  /** Ends it; it has to end well. */
  stop(): Promise<void>;
}

/** Where and as whom a program runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** User and group; the caller's unless said. */
  readonly user?: number;
}

const PATIENCE_MS = 30_000;

/** Starts a program and waits until it has said that it is ready. */
export async function startService(
  command: readonly string[],
  { cwd, env, user }: Surroundings,
  ready: RegExp,
): Promise<Service> {
  const [program = "", ...args] = command;
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(program, args, { cwd, env, stdio, ...(user === undefined ? {} : { uid: user, gid: user }) });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text));
  const ended = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "nothing"));
  });
  for (const end = Date.now() + PATIENCE_MS; !ready.test(output); await sleep(50)) {
    if (child.exitCode === null && Date.now() < end) continue;
    child.kill("SIGKILL");
    assert.fail(`${program} does not start: ${output}`);
  }
  const { pid = 0 } = child;
  return {
    pid,
    output: () => output,
    commandLine: () => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"),
    signal: (name) => void child.kill(name),
    stop: async () => {
      child.kill("SIGTERM");
      assert.equal(await ended, 0, output);
    },
  };
}
