// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import type { SysfsTree } from "@berth/agent/host/sysfs-tree";
import type { HostWriter } from "@berth/agent/provision/host-writer";
import type { SimulatedTree } from "@berth/simulator/tree/simulated-tree";

/**
 * A simulated kernel in one process and its user in another one, who may be killed at any instant: what the kernel was
 * told it does whole, as a real one would. They talk over two pipes with names, a line for each call.
 */
type Call = "list" | "read" | "readBytes" | "resolve" | "write";

interface Question {
  readonly id: string;
  readonly call: Call;
  readonly args: readonly unknown[];
}

function pipesOf(folder: string): { readonly asked: string; readonly answered: string } {
  return { asked: `${folder}/asked`, answered: `${folder}/answered` };
}

/** Serves one kernel until it is closed. `onWrite` is told of every write and what came of it. */
export function serveKernel(
  folder: string,
  tree: SimulatedTree,
  onWrite: (path: string, text: string, outcome: string) => void,
): { close(): void } {
  const { asked, answered } = pipesOf(folder);
  execFileSync("mkfifo", ["-m", "600", asked, answered]);
  // Open for both ways: neither end ever sees the other one go.
  const answers = openSync(answered, constants.O_RDWR | constants.O_NONBLOCK);
  const questions = openSync(asked, constants.O_RDWR | constants.O_NONBLOCK);
  let rest = "";
  // A file stream would keep one of the few threads of this process waiting for each silent agent.
  const stream = new Socket({ fd: questions, readable: true, writable: false });
  stream.setEncoding("utf8").on("data", (chunk) => {
    const lines = `${rest}${String(chunk)}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) writeAll(answers, `${answer(tree, line, onWrite)}\n`);
  });
  return {
    close: () => {
      stream.destroy();
      closeSync(answers);
    },
  };
}

/** A caller that was killed in the middle of a line leaves half of it before the next one's first. */
function parseQuestion(line: string): Question | undefined {
  const start = line.lastIndexOf('{"id":"');
  try {
    return JSON.parse(line.slice(Math.max(start, 0))) as Question;
  } catch {
    return undefined;
  }
}

function answer(
  tree: SimulatedTree,
  line: string,
  onWrite: (path: string, text: string, outcome: string) => void,
): string {
  const question = parseQuestion(line);
  if (question === undefined) return "{}";
  const { id, call, args } = question;
  const [path, second] = args as readonly [string, never];
  const value = tree[call](path, second);
  if (call === "write") onWrite(path, String(second), "errno" in value ? String(value.errno) : "written");
  const bytes = "bytes" in value ? { base64: Buffer.from(value.bytes).toString("base64") } : {};
  return JSON.stringify({ id, value: { ...value, ...bytes } });
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(file, bytes, at);
    } catch (error) {
      // Nobody reads, because the caller was killed: its answer is not wanted any more.
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return;
      throw error;
    }
  }
}

/** The kernel of another process, as an agent uses one: each call waits for its answer. */
export function openRemoteKernel(folder: string): { readonly tree: SysfsTree; readonly writer: HostWriter } {
  const { asked, answered } = pipesOf(folder);
  const questions = openSync(asked, "w");
  const answers = openSync(answered, constants.O_RDWR);
  const buffer = Buffer.alloc(1024 * 1024);
  let count = 0;
  let rest = "";
  const ask = (call: Call, ...args: readonly unknown[]): never => {
    count += 1;
    const id = `${process.pid}-${count}`;
    writeSync(questions, `${JSON.stringify({ id, call, args })}\n`);
    for (;;) {
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      // What is of another id was the answer to a caller that is dead.
      const found = lines.map(parseAnswer).find((one) => one?.id === id);
      if (found !== undefined) return found.value as never;
      rest += buffer.toString("utf8", 0, readSync(answers, buffer, 0, buffer.length, null));
    }
  };
  return {
    tree: {
      list: (path) => ask("list", path),
      read: (path, maxBytes) => ask("read", path, maxBytes),
      readBytes: (path, maxBytes) => {
        const value: { kind: string; base64?: string } = ask("readBytes", path, maxBytes);
        if (value.base64 === undefined) return value as never;
        return { kind: "bytes", bytes: Buffer.from(value.base64, "base64") };
      },
      resolve: (path) => ask("resolve", path),
    },
    writer: { write: (path, text) => ask("write", path, text) },
  };
}

function parseAnswer(line: string): { readonly id?: string; readonly value?: unknown } | undefined {
  try {
    return JSON.parse(line) as { readonly id?: string; readonly value?: unknown };
  } catch {
    return undefined;
  }
}
