// SPDX-License-Identifier: Apache-2.0

import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Endpoint } from "@berth/core/protocol/api/endpoint";
import { BerthError } from "@berth/core/protocol/berth-error";
import { isLoopbackAuthority } from "../access/loopback.ts";
import { findPrincipal, isAllowed, type TokenList } from "../access/tokens.ts";
import { requireControl, type Control } from "./control.ts";
import type { Throttle } from "./limits.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Whom the request speaks for: the name of a token, or the host of an agent. */
    principal: string;
    /** The text of a JSON body. */
    bodyText: string;
  }
}

/** Whom a request without a token speaks for, as the audit names them; no token has such a name. */
export const LOCAL_PRINCIPAL = "(local)";

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

/** What requests are let through by. */
export interface Gate {
  /** The tokens in force; undefined: none, and only this machine is served. */
  readonly tokens: () => TokenList | undefined;
  readonly throttle: Throttle;
  readonly control: Control | undefined;
}

/**
 * Lets a request through and answers whom it speaks for, or throws BerthError. With tokens: whose token is known and whose
 * role may. Without: whoever asked for this machine by a name of its own, because then only this machine is served. Agents
 * speak by their credential, with tokens or without.
 */
export function admit(request: FastifyRequest, role: Endpoint["role"], gate: Gate): string {
  const tokens = gate.tokens();
  if (tokens === undefined) requireThisMachine(request);
  if (role === "agent") return admitAgent(request, gate);
  if (tokens === undefined) return LOCAL_PRINCIPAL;
  if (role === "anyone") {
    gate.throttle.admitCaller(`address ${request.ip}`);
    return LOCAL_PRINCIPAL;
  }
  const token = bearerOf(request);
  const principal = token === undefined ? undefined : findPrincipal(tokens, token);
  if (principal === undefined) {
    gate.throttle.countFailure(request.ip);
    throw new BerthError("not_authenticated", "The request has no token that is known here", {
      place: "authorization",
      expected: "authorization: Bearer TOKEN",
    });
  }
  gate.throttle.admitCaller(principal.name);
  if (isAllowed(principal.role, role)) return principal.name;
  throw new BerthError("not_allowed", `The role ${principal.role} may not do this`, {
    place: "authorization",
    expected: `a token of the role ${role}`,
  });
}

/** Answers the host that an agent's credential speaks for. */
function admitAgent(request: FastifyRequest, { control, throttle }: Gate): string {
  const { agents } = requireControl(control);
  const credential = bearerOf(request);
  try {
    if (credential === undefined) {
      throw new BerthError("agent_not_authenticated", "The request has no credential of an agent", {
        place: "authorization",
        expected: "authorization: Bearer CREDENTIAL",
      });
    }
    const host = agents.authenticate(credential);
    throttle.admitAgent(host);
    return host;
  } catch (error) {
    if (error instanceof BerthError && error.code === "agent_not_authenticated") throttle.countFailure(request.ip);
    throw error;
  }
}

/**
 * Refuses what a page of a stranger could send from somebody's browser: by a name that was made to resolve to this machine,
 * or straight to this machine from a page of another origin.
 */
function requireThisMachine({ headers }: FastifyRequest): void {
  const { host, origin } = headers;
  const isOwn = origin === undefined || origin === `http://${host ?? ""}` || origin === `https://${host ?? ""}`;
  if (isOwn && isLoopbackAuthority(host)) return;
  throw new BerthError("host_header_refused", "A server without tokens answers for this machine alone", {
    place: isOwn ? "host" : "origin",
    expected: isOwn ? "localhost, 127.0.0.1 or [::1] in the Host header" : "no page of another origin",
  });
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/=-]{16,512})$/i.exec(request.headers.authorization ?? "")?.[1];
}
