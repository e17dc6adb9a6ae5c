// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/** How a script is run. */
export interface ScriptRun {
  readonly path: string;
  readonly timeoutMs: number;
  /** Whom it runs as; absent: as this process. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** What a script came to. */
export type ScriptEnd =
  { readonly kind: "said"; readonly stdout: string } | { readonly kind: "failed"; readonly why: string };

/** Most bytes that a script may write. */
export const SCRIPT_OUTPUT_MAX = 65_536;
const COMPLAINT_MAX = 512;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/**
 * Runs one script: without a shell, arguments or input, in `/`, with nothing of this process's environment, as the
 * leader of a process group of its own. The whole group is killed when its time is over, when it writes too much, and
 * when the script itself has ended.
 */
export function runFactScript({ path, timeoutMs, user }: ScriptRun): Promise<ScriptEnd> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      const ids = user === undefined ? {} : { uid: user.uid, gid: user.gid };
      child = spawn(path, [], {
        cwd: "/",
        detached: true,
        env: ENVIRONMENT,
        stdio: ["ignore", "pipe", "pipe"],
        ...ids,
      });
    } catch (error) {
      resolve({ kind: "failed", why: `it cannot be started: ${explain(error)}` });
      return;
    }
    const output = collect(child);
    const settle = (end: ScriptEnd): void => {
      clearTimeout(timer);
      killGroup(child);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(end);
    };
    const timer = setTimeout(() => settle({ kind: "failed", why: `it takes longer than ${timeoutMs} ms` }), timeoutMs);
    child.stdout?.on("data", () => {
      if (output.length > SCRIPT_OUTPUT_MAX) {
        settle({ kind: "failed", why: `it writes more than ${SCRIPT_OUTPUT_MAX} bytes` });
      }
    });
    child.once("error", (error) => settle({ kind: "failed", why: `it cannot be started: ${explain(error)}` }));
    // What it leaves running must not keep the pipes open.
    child.once("exit", () => killGroup(child));
    child.once("close", (code, signal) => {
      if (code === 0) settle({ kind: "said", stdout: output.read() });
      else
        settle({
          kind: "failed",
          why: `${code === null ? `killed by ${signal}` : `exit ${code}`}${output.complaint()}`,
        });
    });
  });
}

interface Output {
  readonly length: number;
  read(): string;
  complaint(): string;
}

function collect(child: ChildProcess): Output {
  const chunks: Buffer[] = [];
  let length = 0;
  let complaint = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= SCRIPT_OUTPUT_MAX) chunks.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("latin1")).slice(0, COMPLAINT_MAX);
  });
  return {
    get length() {
      return length;
    },
    read: () => Buffer.concat(chunks).toString("utf8"),
    complaint: () => (complaint.trim() === "" ? "" : `, saying ${JSON.stringify(complaint.trim().slice(0, 200))}`),
  };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody of the group is left.
  }
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
