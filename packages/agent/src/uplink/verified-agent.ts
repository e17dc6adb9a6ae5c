// SPDX-License-Identifier: Apache-2.0

import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import type { Duplex } from "node:stream";
import type { ServerAddress } from "./server-address.ts";

const OPTIONS: http.AgentOptions = { keepAlive: true, maxSockets: 8, maxFreeSockets: 4 };

/**
 * Makes what keeps the connections to one server. Over TLS a connection is handed out only after the certificate was
 * found to come from `ca` (PEM; the system's authorities unless given) and to be of the host's name: a request, and the
 * credential in it, never meets a server that was not checked.
 */
export function makeVerifiedAgent({ protocol }: ServerAddress, ca: string | undefined): http.Agent {
  if (protocol === "http:") return new http.Agent(OPTIONS);
  // The environment can switch the check off for connections that do not say that they want it.
  const checked = { rejectUnauthorized: true, minVersion: "TLSv1.2", ...(ca === undefined ? {} : { ca }) } as const;
  const agent = new https.Agent({ ...OPTIONS, ...checked });
  const opened = agent as { createConnection: OpenConnection };
  opened.createConnection = (options, take) => {
    const socket = tls.connect({ ...options, ...checked });
    const fail = (error: Error): void => take(error);
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      socket.off("error", fail);
      take(null, socket);
    });
    return undefined;
  };
  return agent;
}

type OpenConnection = (
  options: tls.ConnectionOptions,
  take: (error: Error | null, socket?: Duplex) => void,
) => undefined;

/** OpenSSL's names of what is wrong with a chain (X509_V_ERR_*, as Node shortens them), and Node's own for the name. */
const CERTIFICATE_ERROR =
  /^(ERR_TLS_CERT_|CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_|UNABLE_TO_|ERROR_IN_CERT_|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)/;

/** Whether a connection failed because of the server's certificate. */
export function isCertificateError({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && CERTIFICATE_ERROR.test(code);
}
