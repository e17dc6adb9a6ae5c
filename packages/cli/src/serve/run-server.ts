// SPDX-License-Identifier: Apache-2.0

import { makeApiServer } from "@berth/server/http/make-server";
import packageJson from "../../package.json" with { type: "json" };
import type { ServerOptions } from "../commands/server-run.ts";
import { formatFailure, type Context } from "../program.ts";
import { CapturedView } from "./captured-view.ts";
import { listen, requireProtection, untilStopped } from "./listening.ts";
import { runControlPlane } from "./run-control-plane.ts";
import { readTokens, reloadTokens } from "./tokens-file.ts";

/** Serves until SIGINT or SIGTERM: captured hosts where some are named, else the control plane. */
export async function runServer(options: ServerOptions, context: Context): Promise<void> {
  if (options.host.length > 0 || options.demo === true) await runCaptured(options, context);
  else await runControlPlane(options, context);
}

/** The read side of the API over captured hosts. */
async function runCaptured(options: ServerOptions, { output }: Context): Promise<void> {
  requireProtection(options.listen, { hasTokens: options.tokens !== undefined, hasTls: true });
  let tokens = options.tokens === undefined ? undefined : readTokens(options.tokens);
  const hosts = new CapturedView(options);
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
    if (options.tokens !== undefined) tokens = reloadTokens(options.tokens, output) ?? tokens;
  };
  const address = await listen(server, options.listen);
  const stopped = untilStopped();
  output.write(`berth server: http://${address} serves ${hosts.view.hostNames.length} hosts; /docs explains the API\n`);
  const timer = setInterval(rescan, options.rescan * 1000);
  process.on("SIGHUP", reload);
  await stopped;
  process.off("SIGHUP", reload);
  clearInterval(timer);
  await server.close();
}
