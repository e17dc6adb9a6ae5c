// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../error-codes.ts";
import type { JsonSchema } from "../json-schema.ts";
import type { AnswerName } from "./answer-schemas.ts";

/** What a caller may do, least first; each may do what those before it may. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** A parameter of a query. Its text is read as the schema's type says. */
export interface Parameter {
  readonly schema: JsonSchema;
  readonly description: string;
}

/** One resource and method: what the server serves, the client calls and the OpenAPI document describes. */
export interface Endpoint {
  readonly method: "GET" | "POST";
  /** With `{name}` for each part that a caller fills in. */
  readonly path: string;
  readonly summary: string;
  /** Whom it serves; "anyone" needs no token, "agent" the credential of an agent. */
  readonly role: Role | "agent" | "anyone";
  readonly query?: Readonly<Record<string, Parameter>>;
  readonly body?: JsonSchema;
  /** A request without a body is as good as one with an empty object. */
  readonly bodyMayLack?: true;
  /** Largest body, bytes; `BODY_MAX_BYTES` unless said. */
  readonly bodyMax?: number;
  /** It takes an idempotency key: the same request with the same key is carried out once. */
  readonly takesKey?: true;
  /** Errors that are its own; those that every operation may answer are not among them. */
  readonly errors?: readonly ErrorCode[];
  readonly answer: EndpointAnswer;
}

/** What is answered with status 200. */
export type EndpointAnswer =
  /** `also`: the answer to another kind of question. */
  | { readonly kind: "json"; readonly schema: AnswerName; readonly also?: AnswerName }
  | { readonly kind: "text"; readonly type: "text/plain" | "text/html" }
  | { readonly kind: "bytes" }
  /** Server-sent events; the data of each is a document of the schema. */
  | { readonly kind: "events"; readonly schema: AnswerName };

/** Largest body of a request unless said. */
export const BODY_MAX_BYTES: number = 1024 * 1024;

/** Entries of a page unless said, and at most. */
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1000;

/** The header of an idempotency key, and what a key is. */
export const KEY_HEADER = "idempotency-key";
export const KEY_PATTERN = "^[!-~]{1,128}$";

/** A name in a query. */
export const NAME: JsonSchema = { type: "string", minLength: 1, maxLength: 255 };

/** The query of every list. */
export const PAGED: Readonly<Record<string, Parameter>> = {
  limit: {
    schema: { type: "integer", minimum: 1, maximum: PAGE_MAX },
    description: `entries of a page, 1 to ${PAGE_MAX}; ${PAGE_DEFAULT} unless said`,
  },
  cursor: {
    schema: { type: "string", minLength: 1, maxLength: 2048 },
    description: "the `next` of the page before",
  },
};

/** The query of a list that can be cut down to one host. */
export const OF_HOST: Readonly<Record<string, Parameter>> = {
  ...PAGED,
  host: { schema: NAME, description: "entries of this host alone" },
};

/** What an endpoint does not share with others of its kind. */
interface EndpointTexts extends Pick<Endpoint, "summary" | "query" | "body" | "bodyMayLack" | "takesKey" | "errors"> {
  readonly role?: Endpoint["role"];
}

/** An endpoint that reads, for viewers unless said. */
export function reading(path: string, answer: AnswerName, texts: EndpointTexts): Endpoint {
  return { method: "GET", path, role: "viewer", ...texts, answer: { kind: "json", schema: answer } };
}

/** An endpoint that orders something, for operators unless said. */
export function ordering(path: string, answer: AnswerName, texts: EndpointTexts): Endpoint {
  return { method: "POST", path, role: "operator", ...texts, answer: { kind: "json", schema: answer } };
}
