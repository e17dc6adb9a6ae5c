// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Endpoint } from "@berth/core/protocol/api/endpoints";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isLoopbackAuthority } from "../access/loopback.ts";
import { findPrincipal, isAllowed, type Principal, type TokenList } from "../access/tokens.ts";

/** Says nothing to browsers but what they are to refuse: no script, no frame, no guessing of types, no other origin. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
};

/** Puts the security headers on every answer, errors too. */
export function addSecurityHeaders(server: FastifyInstance): void {
  server.addHook("onRequest", async (_request, reply) => {
    void reply.headers(SECURITY_HEADERS);
  });
}

/**
 * Lets a request through, or throws BerthError. With tokens: whose token is known and whose role may. Without: whoever
 * asked for this machine by a name of its own, because then only this machine is served.
 */
export function admit(request: FastifyRequest, role: Endpoint["role"], tokens: TokenList | undefined): void {
  if (tokens === undefined) {
    if (isLoopbackAuthority(request.headers.host)) return;
    throw new BerthError("host_header_refused", "A server without tokens answers for this machine alone", {
      place: "host",
      expected: "localhost, 127.0.0.1 or [::1] in the Host header",
    });
  }
  if (role === "anyone") return;
  const principal = findBearer(request, tokens);
  if (principal === undefined) {
    throw new BerthError("not_authenticated", "The request has no token that is known here", {
      place: "authorization",
      expected: "authorization: Bearer TOKEN",
    });
  }
  if (isAllowed(principal.role, role)) return;
  throw new BerthError("not_allowed", `The role ${principal.role} may not do this`, {
    place: "authorization",
    expected: `a token of the role ${role}`,
  });
}

function findBearer(request: FastifyRequest, tokens: TokenList): Principal | undefined {
  const found = /^Bearer ([A-Za-z0-9._~+/=-]{16,512})$/i.exec(request.headers.authorization ?? "");
  return found?.[1] === undefined ? undefined : findPrincipal(tokens, found[1]);
}
