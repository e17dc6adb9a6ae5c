// SPDX-License-Identifier: Apache-2.0

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openServer, type ServerLink } from "../connect/server-link.ts";

const PROGRAM = fileURLToPath(new URL("../main.ts", import.meta.url));

/** How a server ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it wrote to its error output. */
  readonly complaint: string;
}

/** A `berth server` of its own process that serves. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: URL;
  /** As the administrator of its tokens file. */
  readonly link: ServerLink;
  readonly token: string;
  /** Lines of its error output so far. */
  readonly complaint: () => string;
  /** Ends it by a signal, SIGTERM unless said. */
  readonly end: (signal?: NodeJS.Signals) => Promise<Ended>;
}

/** What a server is started with. */
export interface ServerStart {
  readonly data: string;
  readonly args?: readonly string[];
  /** A shell script that ends with `exec "$@"`: what is to be prepared before. */
  readonly prepare?: string;
  /** Where the data directory is seen from here, once the server has this process id; as the server sees it unless said. */
  readonly seenAt?: (pid: number) => string;
}

/** Starts a server on a free port; answers how it ended where it ends instead of serving. */
export async function startServerProcess(given: ServerStart): Promise<ServerProcess | Ended> {
  const { data, prepare, seenAt } = given;
  const listening = ["--listen", "127.0.0.1:0", "--assume-platform", "--data", data, ...(given.args ?? [])];
  const own = [process.execPath, "--disable-warning=ExperimentalWarning", PROGRAM, "server", ...listening];
  const command = prepare === undefined ? own : ["unshare", "-m", "sh", "-ec", prepare, "sh", ...own];
  const child = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (complaint += text));
  const ended = once(child, "close").then(([code, signal]: (number | string | null)[]): Ended => {
    return { code: code as number | null, signal: signal as string | null, complaint };
  });
  const url = await Promise.race([readUrl(child), ended]);
  if (!(url instanceof URL)) return url;
  const pid = child.pid ?? 0;
  const token = readFileSync(join(seenAt?.(pid) ?? data, "admin.token"), "utf8").trim();
  return {
    pid,
    url,
    token,
    link: openServer({ url, token }),
    complaint: () => complaint,
    end: async (signal = "SIGTERM") => {
      child.kill(signal);
      return await ended;
    },
  };
}

/** The same for a server that is known to serve. Throws Error where it does not. */
export async function requireServer(given: ServerStart): Promise<ServerProcess> {
  const started = await startServerProcess(given);
  if ("url" in started) return started;
  throw new Error(`The server ended with ${started.code ?? started.signal}: ${started.complaint}`);
}

/** The address from the line that a server writes when it serves; never where it does not. */
function readUrl({ stdout }: ChildProcess): Promise<URL> {
  let written = "";
  return new Promise((resolve) => {
    stdout?.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      const found = /http:\/\/[\d.:]+(?= over)/.exec(written)?.[0];
      if (found !== undefined) resolve(new URL(found));
    });
  });
}
