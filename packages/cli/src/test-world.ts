// SPDX-License-Identifier: Apache-2.0

import type { Generation, Page } from "@berth/core/protocol/api/answers";
import type { ApiClient } from "@berth/core/protocol/api/client";
import type { ControlClient } from "@berth/core/protocol/api/control-client";
import type { Connection } from "./connect/connection.ts";
import type { ServerLink } from "./connect/server-link.ts";
import type { ExitCode } from "./exit-code.ts";
import { runCommand } from "./program.ts";
import type { World } from "./world.ts";

/** A server of a test: the calls that it expects. Any other fails the test. */
export interface TestServer {
  readonly control?: Partial<ControlClient>;
  readonly inventory?: Partial<ApiClient>;
  readonly read?: ServerLink["read"];
}

/** What a command did. */
export interface Ran {
  readonly code: ExitCode;
  readonly written: string;
  readonly complaint: string;
  /** Each call with its arguments, in order. */
  readonly calls: readonly (readonly [name: string, ...args: readonly unknown[]])[];
  readonly connections: readonly Connection[];
  readonly waits: readonly number[];
}

export const GENERATION: Generation = { epoch: "e", revision: 7 };
/** 2026-11-20 14:41:00Z. */
export const NOW_MS: number = Date.UTC(2026, 10, 20, 14, 41);

/** All items on one page. */
export function pageOf<T>(...items: readonly T[]): Promise<Page<T>> {
  return Promise.resolve({ generation: GENERATION, items });
}

/** Runs a command against a server of a test, in a world without an environment of its own. */
export async function runWith(
  args: readonly string[],
  server: TestServer = {},
  world: Partial<World> = {},
): Promise<Ran> {
  process.env["NO_COLOR"] = "1";
  const calls: [string, ...unknown[]][] = [];
  const connections: Connection[] = [];
  const waits: number[] = [];
  let written = "";
  let complaint = "";
  const openServer = (connection: Connection): ServerLink => {
    connections.push(connection);
    return {
      url: connection.url,
      control: expectCalls(server.control ?? {}, calls) as ControlClient,
      inventory: expectCalls(server.inventory ?? {}, calls) as ApiClient,
      read: server.read ?? (() => Promise.reject(new Error("nothing is to be read"))),
    };
  };
  const code = await runCommand(
    args,
    { write: (text) => void (written += text), writeError: (text) => void (complaint += text) },
    {
      env: {},
      homeDirectory: "/nowhere",
      isRoot: false,
      openServer,
      nowMs: () => NOW_MS,
      wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
      drawSecret: () => "drawn-secret",
      ...world,
    },
  );
  return { code, written, complaint, calls, connections, waits };
}

function expectCalls(expected: object, calls: [string, ...unknown[]][]): unknown {
  return new Proxy(expected, {
    get: (target, name) => {
      const call = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
      if (call === undefined) throw new Error(`${String(name)} is not expected`);
      return (...args: unknown[]) => {
        calls.push([String(name), ...args]);
        return call(...args);
      };
    },
  });
}
