// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";

/** A program with its arguments, each one word; no shell reads them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Variables besides PATH and LC_ALL; nothing else of this process's environment is passed on. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How a command ended. Its texts are cut at `OUTPUT_MAX` characters. */
export type Ran =
  | { readonly kind: "exited"; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: "killed"; readonly signal: string; readonly stderr: string }
  | { readonly kind: "timed-out"; readonly stderr: string }
  /** It could not be started: ENOENT where there is no such program. */
  | { readonly kind: "not-started"; readonly errno: string };

/** Runs programs of a host. */
export interface CommandRunner {
  run(command: Command): Promise<Ran>;
}

/** Most characters that are kept of each stream. */
export const OUTPUT_MAX = 4096;
/** Most bytes that are read of each stream; a program that writes more is stopped. */
const READ_MAX = 1024 * 1024;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Makes a runner of this machine's programs. A command that exceeds its time is killed. */
export function makeCommandRunner(): CommandRunner {
  return { run };
}

function run({ program, args, variables, timeoutMs }: Command): Promise<Ran> {
  const options = {
    env: { ...variables, PATH, LC_ALL: "C" },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: READ_MAX,
    encoding: "utf8",
  } as const;
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const texts = { stdout: stdout.slice(0, OUTPUT_MAX), stderr: stderr.slice(0, OUTPUT_MAX) };
      if (error === null) resolve({ kind: "exited", code: 0, ...texts });
      else if (typeof error.code === "number") resolve({ kind: "exited", code: error.code, ...texts });
      else if (child.pid === undefined) resolve({ kind: "not-started", errno: error.code ?? "EIO" });
      // Node kills by itself at the limit of time, and at that of output with a code of its own.
      else if (error.killed === true && typeof error.code !== "string")
        resolve({ kind: "timed-out", stderr: texts.stderr });
      else resolve({ kind: "killed", signal: error.signal ?? "SIGKILL", stderr: texts.stderr });
    });
    child.stdin?.end();
  });
}
