// SPDX-License-Identifier: Apache-2.0

import { createHash, randomBytes } from "node:crypto";

/** Random bytes of a token. */
const TOKEN_BYTES = 32;

/** A fresh token: 43 letters, digits, dashes and underscores. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** The tokens file of a server that has none yet: one administrator. */
export function formatFirstTokens(token: string): string {
  const entry = { name: "admin", role: "admin", sha256: createHash("sha256").update(token).digest("hex") };
  return `${JSON.stringify({ tokens: "berth.tokens/v1", entries: [entry] }, undefined, 2)}\n`;
}
