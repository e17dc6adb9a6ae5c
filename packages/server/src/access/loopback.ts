// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";

/** Whether only this machine can reach an address or name. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost") return true;
  return isIP(bare) === 4 ? bare.startsWith("127.") : isIP(bare) === 6 && bare === "::1";
}

/**
 * Whether a Host header names this machine alone. Without tokens this is what keeps a page of a stranger, whose name was
 * made to resolve to 127.0.0.1, from reading the answers in somebody's browser.
 */
export function isLoopbackAuthority(authority: string | undefined): boolean {
  const found = /^(\[[0-9a-f:]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(authority ?? "");
  return found?.[1] !== undefined && isLoopback(found[1]);
}
