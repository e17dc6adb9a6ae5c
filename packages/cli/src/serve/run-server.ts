// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from "node:net";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isLoopback } from "@berth/server/access/loopback";
import { parseTokensDocument, type TokenList } from "@berth/server/access/tokens";
import { makeApiServer } from "@berth/server/http/make-server";
import type { FleetView } from "@berth/server/inventory/fleet-view";
import packageJson from "../../package.json" with { type: "json" };
import type { ListenAddress, ServerOptions } from "../commands/server-run.ts";
import { readHosts, type HostOptions } from "../input/hosts.ts";
import { readJsonFile } from "../input/json-file.ts";
import { formatFailure, type Context } from "../program.ts";
import { makeView } from "./inventory.ts";

/** Serves until SIGINT or SIGTERM. */
export async function runServer(options: ServerOptions, { output }: Context): Promise<void> {
  requireHosts(options);
  if (options.tokens === undefined && !isLoopback(options.listen.host)) {
    throw new BerthError("listen_needs_tokens", `${options.listen.host} can be reached from other machines`, {
      place: "--listen",
      expected: "--tokens FILE, or an address of this machine alone such as 127.0.0.1",
    });
  }
  let tokens = readTokens(options.tokens);
  const hosts = new RescannedHosts(options);
  const server = makeApiServer({
    view: hosts.view,
    version: packageJson.version,
    tokens: () => tokens,
    lagSeconds: () => hosts.lagSeconds(Date.now()),
    logger: { level: "error", stream: process.stderr },
  });
  const rescan = (): void => {
    for (const failure of hosts.rescan(Date.now())) output.writeError(formatFailure(failure));
  };
  const reload = (): void => {
    rescan();
    try {
      tokens = readTokens(options.tokens);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      output.writeError(formatFailure(error));
    }
  };
  const address = await listen(server, options.listen);
  output.write(`berth server: http://${address} serves ${hosts.view.hostNames.length} hosts; /docs explains the API\n`);
  const timer = setInterval(rescan, options.rescan * 1000);
  process.on("SIGHUP", reload);
  await untilStopped();
  process.off("SIGHUP", reload);
  clearInterval(timer);
  await server.close();
}

function requireHosts({ host, demo }: HostOptions): void {
  if (host.length > 0 || demo === true) return;
  throw new BerthError("bad_host_argument", "No host was given to serve", {
    place: "--host",
    expected: "--host NAME=ROOT for each host, or --demo",
  });
}

function readTokens(path: string | undefined): TokenList | undefined {
  return path === undefined ? undefined : parseTokensDocument(readJsonFile(path), path);
}

/** The hosts of a command line in a view, read again whenever that is asked for. */
class RescannedHosts {
  readonly view: FleetView;
  readonly #options: ServerOptions;
  /** When every host could last be read, milliseconds. */
  #readAtMs: number;

  /** Reads every host once; throws BerthError where one cannot be read. */
  constructor(options: ServerOptions) {
    this.#options = options;
    this.view = makeView(options);
    for (const snapshot of readHosts(options)) this.view.putSnapshot(snapshot);
    this.#readAtMs = Date.now();
  }

  /** Reads every host again, except the demo's, which do not change. One that cannot be read stays as it was seen. */
  rescan(nowMs: number): readonly BerthError[] {
    const failures: BerthError[] = [];
    for (const host of this.#options.host) {
      try {
        for (const snapshot of readHosts({ host: [host] })) this.view.putSnapshot(snapshot);
      } catch (error) {
        if (!(error instanceof BerthError)) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 0) this.#readAtMs = nowMs;
    return failures;
  }

  /** How much later than it should have been the last whole reading is. */
  lagSeconds(nowMs: number): number {
    return Math.max(0, (nowMs - this.#readAtMs) / 1000 - this.#options.rescan);
  }
}

async function listen(server: ReturnType<typeof makeApiServer>, { host, port }: ListenAddress): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw new BerthError("listen_failed", `Cannot listen on ${host} port ${port}: ${(error as Error).message}`, {
      place: "--listen",
      expected: "an address of this machine and a port that is free",
      cause: error,
    });
  }
  const bound = server.server.address() as AddressInfo;
  return bound.family === "IPv6" ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process as it always would. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
      resolve();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}
