// SPDX-License-Identifier: Apache-2.0

import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type * as tls from "node:tls";
import { fileURLToPath } from "node:url";

const FIXTURES = fileURLToPath(new URL("../../../../fixtures/tls/", import.meta.url));

/** A file of fixtures/tls. */
export function readFixture(name: string): string {
  return fs.readFileSync(`${FIXTURES}${name}`, "utf8");
}

/** A server of a test, on a port of this machine that was free. */
export interface StartedServer {
  /** With the name `localhost` where it speaks TLS. */
  readonly origin: string;
  /** Requests that reached it, each as `METHOD path`. */
  readonly requests: string[];
  /** How many connections it has seen. */
  readonly connections: Socket[];
  /** Decrypted bytes that reached it, of whatever kind. */
  readonly bytes: () => number;
  close(): Promise<void>;
}

/** Which certificates a server shows: `pem` with the key of `name`. */
export interface Shown {
  readonly name: "server" | "elsewhere" | "impostor";
  /** Names of further certificates of the chain. */
  readonly chain: readonly string[];
}

/** Starts a server of plain HTTP, or of HTTPS where it is told what to show. */
export async function startServer(listener: http.RequestListener, shown?: Shown): Promise<StartedServer> {
  const requests: string[] = [];
  const connections: Socket[] = [];
  let bytes = 0;
  const note: http.RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    listener(request, response);
  };
  const server = shown === undefined ? http.createServer(note) : https.createServer(certificateOf(shown), note);
  server.on(shown === undefined ? "connection" : "secureConnection", (socket: Socket | tls.TLSSocket) => {
    connections.push(socket);
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    socket.on("error", () => undefined);
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: shown === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    requests,
    connections,
    bytes: () => bytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function certificateOf({ name, chain }: Shown): https.ServerOptions {
  const pems = [name, ...chain].map((part) => readFixture(`${part}.pem`));
  return { cert: pems.join(""), key: readFixture(`${name}.key`) };
}
