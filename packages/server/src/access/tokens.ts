// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";
import { ROLES, type Role } from "@berth/core/protocol/api/endpoint";
import type { JsonSchema } from "@berth/core/protocol/json-schema";
import { closedObject, exactly, listOf, oneOfTexts, textLike } from "@berth/core/protocol/json-schema";
import { requireDocument } from "@berth/core/protocol/parse-document";

/** Whom a request speaks for. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}

/** The tokens that a server knows; it holds their hashes alone. */
export interface TokenList {
  readonly tokens: readonly (Principal & { readonly hash: Buffer })[];
}

const TOKENS: JsonSchema = closedObject({
  tokens: exactly("berth.tokens/v1"),
  entries: listOf(
    closedObject({
      name: textLike(
        "^[a-z][a-z0-9._-]{0,63}$",
        "a name: lower case, digits, dot, dash, underscore, at most 64 characters",
      ),
      role: oneOfTexts(ROLES),
      sha256: textLike("^[0-9a-f]{64}$", "the SHA-256 of the token as 64 hexadecimal digits, lower case"),
    }),
    { minItems: 1 },
  ),
});

interface TokensDocument {
  readonly entries: readonly (Principal & { readonly sha256: string })[];
}

/** Reads a tokens file. Throws BerthError `tokens_malformed`, also where a name or a token stands in it twice. */
export function parseTokensDocument(value: unknown, place: string): TokenList {
  const kind = {
    noun: "tokens file",
    schema: TOKENS,
    formatKey: "tokens",
    format: "berth.tokens/v1",
    malformed: "tokens_malformed",
    check: findMistakes,
  } as const;
  requireDocument(kind, value, place);
  const { entries } = value as TokensDocument;
  return { tokens: entries.map(({ name, role, sha256 }) => ({ name, role, hash: Buffer.from(sha256, "hex") })) };
}

/** What the audit calls the server itself: a token of that name would pass for it. */
const OWN_NAME = "berth";

function findMistakes(value: unknown): ReturnType<NonNullable<Parameters<typeof requireDocument>[0]["check"]>> {
  const { entries } = value as TokensDocument;
  const owned = entries.flatMap(({ name }, at) => {
    const problem = {
      kind: "other" as const,
      expected: "another name: the audit calls the server so",
      found: `"${name}"`,
    };
    return name === OWN_NAME ? [{ pointer: `/entries/${at}/name`, ...problem }] : [];
  });
  const repeated = (["name", "sha256"] as const).flatMap((key) => {
    const seen = new Set<string>();
    return entries.flatMap((entry, at) => {
      const isNew = !seen.has(entry[key]);
      seen.add(entry[key]);
      if (isNew) return [];
      const found = key === "name" ? JSON.stringify(entry.name) : "the hash of another entry";
      return [{ pointer: `/entries/${at}/${key}`, kind: "other" as const, expected: "each only once", found }];
    });
  });
  return [...owned, ...repeated];
}

/**
 * Whom a token belongs to, or undefined where it is not known. Its hash is compared with every hash in constant time: how
 * long it takes says neither whether nor where one was near.
 */
export function findPrincipal({ tokens }: TokenList, token: string): Principal | undefined {
  const hash = createHash("sha256").update(token).digest();
  let found: Principal | undefined;
  for (const entry of tokens) {
    if (timingSafeEqual(entry.hash, hash)) found = { name: entry.name, role: entry.role };
  }
  return found;
}

/** Whether a role may do what another one may. */
export function isAllowed(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
