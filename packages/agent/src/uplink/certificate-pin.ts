// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import * as tls from "node:tls";
import { BerthError } from "@berth/core/protocol/berth-error";
import type { ServerAddress } from "./server-address.ts";

/** Longest chain that is looked through. */
const CHAIN_MAX = 10;

/**
 * Asks a server for its certificates and finds the pinned authority among them, as PEM. Nothing else is sent, and nothing
 * is proved by it: that the server's own certificate comes from that authority is for the next connection to check.
 *
 * Throws BerthError `server_certificate_refused` where the authority is not among them, `server_unreachable`.
 */
export async function findPinnedAuthority(
  address: ServerAddress,
  { pin, timeoutMs }: { readonly pin: string; readonly timeoutMs: number },
): Promise<string> {
  const chain = await readChain(address, timeoutMs);
  const authority = chain.find((certificate) => createHash("sha256").update(certificate).digest("hex") === pin);
  if (authority !== undefined) return toPem(authority);
  throw new BerthError(
    "server_certificate_refused",
    `${address.origin} shows ${chain.length} certificates, and none is the authority that the token names; nothing was sent to it`,
    { place: address.origin, expected: `a chain that holds the certificate with SHA-256 ${pin}` },
  );
}

/** The certificates that a server presents, its own first, each as DER. */
function readChain({ host, port, origin }: ServerAddress, timeoutMs: number): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    // Nothing is trusted yet and nothing is sent: this connection only shows what the server presents.
    const socket = tls.connect({ host, port, rejectUnauthorized: false, minVersion: "TLSv1.2", ...serverName(host) });
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(new BerthError("server_unreachable", `Cannot reach ${origin}: ${why}`, { place: origin, cause }));
    };
    socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs / 1000} s`));
    socket.once("error", (error) => fail(error.message, error));
    socket.once("close", () => fail("it ended the connection"));
    socket.once("secureConnect", () => {
      resolve(listChain(socket.getPeerCertificate(true)));
      socket.destroy();
    });
  });
}

/** An address is no name that a server could be asked for. */
function serverName(host: string): { readonly servername?: string } {
  return /^[\d.]+$/.test(host) || host.includes(":") ? {} : { servername: host };
}

function listChain(first: tls.DetailedPeerCertificate): readonly Buffer[] {
  const chain: Buffer[] = [];
  let certificate: tls.DetailedPeerCertificate | undefined = first;
  // The last of a whole chain is its own issuer.
  while (certificate?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate === certificate ? undefined : certificate.issuerCertificate;
  }
  return chain;
}

function toPem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
