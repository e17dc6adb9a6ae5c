// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { makeApiServer } from "@berth/server/http/make-server";
import { startControlPlane } from "@berth/server/control-plane/start-control-plane";
import packageJson from "../../package.json" with { type: "json" };
import type { ServerOptions } from "../commands/server-run.ts";
import { adminTokenFile, findDataDirectory } from "../connect/data-directory.ts";
import { readPacks, readPolicy } from "../input/statements.ts";
import type { Context } from "../program.ts";
import { makeDataDirectory, makeFirstTokens } from "./first-tokens.ts";
import { listen, requireProtection, untilStopped } from "./listening.ts";
import { openStore } from "./open-store.ts";
import { readServerTls } from "./server-tls.ts";
import { readTokens, reloadTokens } from "./tokens-file.ts";

/** Runs the control plane over its store until SIGINT, SIGTERM or a failure of the store that only a restart mends. */
export async function runControlPlane(options: ServerOptions, { output, world }: Context): Promise<void> {
  const tls = readServerTls(options);
  requireProtection(options.listen, { hasTokens: true, hasTls: tls !== undefined || options.behindTlsProxy === true });
  const directory = options.data ?? findDataDirectory(world).value;
  makeDataDirectory(directory);
  const { store, name, backup } = await openStore(options, directory);
  const tokensPath = options.tokens ?? join(directory, "tokens.json");
  if (options.tokens === undefined && makeFirstTokens(directory, tokensPath)) {
    output.write(`berth server: an administrator's token was made: ${adminTokenFile(directory)}\n`);
  }
  let tokens = readTokens(tokensPath);
  const failed = makeFailure();
  const plane = await startControlPlane({
    store,
    policy: readPolicy(options),
    packs: readPacks(options),
    ...(tls === undefined ? {} : { pin: tls.pin }),
    ...(backup === undefined ? {} : { backup }),
    log: (line) => output.writeError(`berth server: ${line}\n`),
    onFatal: failed.tell,
  });
  const server = makeApiServer({
    view: plane.control.replica.view,
    control: plane.control,
    version: packageJson.version,
    tokens: () => tokens,
    lagSeconds: () => plane.control.replica.lagSeconds(),
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    logger: { level: "error", stream: process.stderr },
  });
  const reload = (): void => {
    tokens = reloadTokens(tokensPath, output) ?? tokens;
  };
  process.on("SIGHUP", reload);
  try {
    const address = await listen(server, options.listen);
    const hosts = plane.control.replica.view.hostNames.length;
    const scheme = tls === undefined ? "http" : "https";
    // Whoever reads that it serves may end it at once.
    const stopped = untilStopped();
    output.write(`berth server: ${scheme}://${address} over ${name}, ${hosts} hosts; /docs explains the API\n`);
    await Promise.race([stopped, failed.wait]);
  } finally {
    process.off("SIGHUP", reload);
    await server.close();
    await plane.close();
    await store.close();
  }
}

/** A failure that ends the server, told once. */
function makeFailure(): { readonly wait: Promise<never>; readonly tell: (error: Error) => void } {
  let tell: (error: Error) => void = () => undefined;
  const wait = new Promise<never>((_, reject) => {
    tell = reject;
  });
  wait.catch(() => undefined);
  return { wait, tell };
}
