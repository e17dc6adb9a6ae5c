// SPDX-License-Identifier: Apache-2.0

import { BerthError } from "@berth/core/protocol/berth-error";

/** Where a server listens. */
export interface ServerAddress {
  readonly protocol: "http:" | "https:";
  /** Name or address, an IPv6 one without brackets. */
  readonly host: string;
  readonly port: number;
  /** As a person writes it: `https://berth.example:7443`. */
  readonly origin: string;
}

const EXPECTED = "https://HOST[:PORT], or http:// to this machine itself";

/**
 * Reads the address of a server. Plain http is taken to this machine alone: anybody on the way could read the
 * credential. Throws BerthError `usage_bad_value`, which does not show what stands before an `@`.
 */
export function parseServerAddress(text: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw refuse(text, "is no address of a server");
  if (url.username !== "" || url.password !== "") throw refuse(url.host, "holds a name or a password");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw refuse(text, "holds more than a host and a port");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const { protocol } = url;
  if (protocol === "http:" && !isThisMachine(host))
    throw refuse(text, "is reached without TLS, and is not this machine");
  const port = url.port === "" ? (protocol === "http:" ? 80 : 443) : Number(url.port);
  return { protocol, host, port, origin: url.origin };
}

/** Names are not looked up: what one of them means may change. */
function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

function refuse(text: string, why: string): BerthError {
  const shown = JSON.stringify(text.slice(0, 100));
  return new BerthError("usage_bad_value", `Cannot use server ${shown}: it ${why}`, { expected: EXPECTED });
}
