// SPDX-License-Identifier: Apache-2.0

import { homedir } from "node:os";
import { setTimeout as waitFor } from "node:timers/promises";
import { newToken } from "@berth/server/access/first-token";
import type { Connection } from "./connect/connection.ts";
import { openServer, type ServerLink } from "./connect/server-link.ts";

/** What a command meets outside of its arguments: tests bring their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly isRoot: boolean;
  /** Opens the way to a server; nothing is sent yet. */
  readonly openServer: (connection: Connection) => ServerLink;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  /** A fresh secret of 256 bits as text. */
  readonly drawSecret: () => string;
}

/** The world of this process. */
export function worldOfProcess(): World {
  return {
    env: process.env,
    homeDirectory: homedir(),
    isRoot: process.geteuid?.() === 0,
    openServer,
    nowMs: () => Date.now(),
    wait: (milliseconds) => waitFor(milliseconds),
    drawSecret: newToken,
  };
}
