// SPDX-License-Identifier: Apache-2.0

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** A process that is killed and started again. */
export interface Killable {
  readonly name: string;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  start(): void;
}

/** A process that ends by itself is started again after so long, milliseconds. */
const RESTART_MS = 200;

const alive = new Set<ChildProcess>();

/** A run that is broken off leaves nobody behind. */
function endAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

/** One that is cut off ends by a signal, and then without `exit`. */
function watchEnd(): void {
  process.off("exit", endAll).on("exit", endAll);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));
  }
}

/** How a program of this repository is started. */
export interface ProgramParts {
  readonly args: readonly string[];
  /** Where compiled code is kept from one start to the next: a process that is killed is soon there again. */
  readonly cache: string;
  /** Told of every line of its standard error, and when it ends by itself. */
  readonly onComplaint: (line: string) => void;
}

/** Starts a program of this repository. */
export function startKillable(name: string, { args, cache, onComplaint }: ProgramParts): Killable {
  let child: ChildProcess | undefined;
  let isKilled = false;
  const start = (): void => {
    isKilled = false;
    const started = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    });
    started.stderr.setEncoding("utf8").on("data", (text: string) => onComplaint(`${name}: ${text.trim()}`));
    started.on("exit", (code, signal) => {
      if (isKilled || child !== started) return;
      onComplaint(`${name} ended by itself: ${code ?? signal}`);
      // As a service manager does.
      setTimeout(() => {
        if (!isKilled && child === started) start();
      }, RESTART_MS);
    });
    child = started;
    watchEnd();
    alive.add(started);
    started.once("exit", () => alive.delete(started));
  };
  start();
  return {
    name,
    start,
    kill: async () => {
      const victim = child;
      isKilled = true;
      if (victim === undefined || victim.exitCode !== null || victim.signalCode !== null) return;
      const exit = once(victim, "exit");
      victim.kill("SIGKILL");
      await exit;
    },
  };
}

/** A port of 127.0.0.1 that is free now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address === null || typeof address === "string") throw new Error("A port has a number");
  return address.port;
}
