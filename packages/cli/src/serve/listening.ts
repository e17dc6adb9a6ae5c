// SPDX-License-Identifier: Apache-2.0

import type { AddressInfo } from "node:net";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isLoopback } from "@berth/server/access/loopback";
import type { makeApiServer } from "@berth/server/http/make-server";
import type { ListenAddress } from "../commands/server-run.ts";

type ApiServer = ReturnType<typeof makeApiServer>;

/** What protects a server that others can reach. */
export interface Protection {
  readonly hasTokens: boolean;
  readonly hasTls: boolean;
}

/** Refuses an address that other machines reach, unless tokens say who may ask and TLS keeps them secret. */
export function requireProtection({ host }: ListenAddress, { hasTokens, hasTls }: Protection): void {
  if (isLoopback(host)) return;
  if (!hasTokens) {
    throw new BerthError("listen_needs_tokens", `${host} can be reached from other machines`, {
      place: "--listen",
      expected: "--tokens FILE, or an address of this machine alone such as 127.0.0.1",
    });
  }
  if (hasTls) return;
  throw new BerthError(
    "listen_needs_tls",
    `${host} can be reached from other machines, and tokens would travel openly`,
    {
      place: "--listen",
      expected: "--tls-cert FILE --tls-key FILE; or --behind-tls-proxy; or an address of this machine alone",
    },
  );
}

/** Listens, and answers the address as a URL has it. Throws BerthError listen_failed. */
export async function listen(server: ApiServer, { host, port }: ListenAddress): Promise<string> {
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
export function untilStopped(): Promise<void> {
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
