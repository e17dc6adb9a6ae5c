// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as net from "node:net";
import { BerthError } from "@berth/core/protocol/berth-error";

/** What an agent holds while it uses a state directory. */
export interface StateLock {
  release(): Promise<void>;
}

/**
 * Takes a state directory for this process. The lock is a Unix socket with a name in the kernel's abstract name space,
 * made of the directory's device and inode: it ends with the process however that ends, and other paths to the same
 * directory meet it. Processes in another network namespace do not meet it, so a state directory is not to be given to
 * two containers.
 *
 * Throws BerthError `store_locked` where another process has it, or holds its name.
 */
export async function lockState(directory: string): Promise<StateLock> {
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  const socket = net.createServer((connection) => connection.destroy());
  // It keeps no process alive.
  socket.unref();
  await new Promise<void>((resolve, reject) => {
    socket.once("error", (error: NodeJS.ErrnoException) => reject(toCodedError(directory, error)));
    socket.listen({ path: `\0berth-agent-${dev}-${ino}`, exclusive: true }, resolve);
  });
  return {
    release: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function toCodedError(directory: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== "EADDRINUSE") return error;
  const message = `Another agent uses ${directory}`;
  return new BerthError("store_locked", message, {
    place: directory,
    expected: "one agent for each host",
    cause: error,
  });
}
