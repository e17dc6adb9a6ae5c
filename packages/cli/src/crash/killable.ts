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

/** Starts a program of this repository with these arguments; what it complains of is kept for `onComplaint`. */
export function startKillable(name: string, args: readonly string[], onComplaint: (line: string) => void): Killable {
  let child: ChildProcess | undefined;
  let isKilled = false;
  const start = (): void => {
    isKilled = false;
    const started = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
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
