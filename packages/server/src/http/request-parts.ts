// SPDX-License-Identifier: Apache-2.0

import type { FastifyRequest } from "fastify";
import { KEY_HEADER, KEY_PATTERN, type Endpoint, type Parameter } from "@berth/core/protocol/api/endpoint";
import { BerthError } from "@berth/core/protocol/berth-error";
import { closedObject, type JsonSchema } from "@berth/core/protocol/json-schema";
import { findProblems, formatProblem, type DocumentProblem } from "@berth/core/protocol/validate-document";
import type { Caller } from "../claims/claim-book.ts";
import { sha256 } from "../documents/keys.ts";

/** Most problems that one error lists. */
const LISTED_MAX = 20;

/** What a query holds, read. */
export type Query = Readonly<Record<string, string | number>>;

/** What a query holds, its numbers read. Throws BerthError `request_malformed` for anything that the endpoint does not take. */
export function parseQuery(endpoint: Endpoint, query: unknown): Query {
  const parameters = endpoint.query ?? {};
  const values = Object.entries((query ?? {}) as object).map(([name, value]): [string, unknown] => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    return [name, parameter === undefined ? value : readParameter(parameter, value)];
  });
  const schemas = Object.entries(parameters).map(([name, { schema }]) => [name, schema] as const);
  const parsed = Object.fromEntries(values);
  requireFit(closedObject({}, Object.fromEntries(schemas)), parsed, "query");
  return parsed as Query;
}

/** The number that a text writes where one is wanted; anything else as it is, for the schema to refuse. */
function readParameter({ schema }: Parameter, value: unknown): unknown {
  return schema["type"] === "integer" && typeof value === "string" && /^-?\d{1,9}$/.test(value) ? Number(value) : value;
}

/** Refuses a body that is not what the endpoint takes. Throws BerthError `request_malformed`. */
export function requireBody(endpoint: Endpoint, body: unknown): void {
  if (endpoint.body === undefined || (endpoint.bodyMayLack === true && body === undefined)) return;
  requireFit(endpoint.body, body ?? null, "body");
}

/** The parts of a path that a caller filled in, percent-decoded. */
export function partsOf(request: FastifyRequest): Readonly<Record<string, string>> {
  return request.params as Readonly<Record<string, string>>;
}

/** The text of a query's value. */
export function textOf(value: string | number | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

const KEY = new RegExp(KEY_PATTERN);

/**
 * Who orders something, and under which key. The key is bound to method, path and body as they were sent. Throws BerthError
 * `idempotency_key_malformed`.
 */
export function callerOf(endpoint: Endpoint, request: FastifyRequest): Caller {
  const { principal, bodyText, method, url } = request;
  const key = endpoint.takesKey === true ? request.headers[KEY_HEADER] : undefined;
  if (key === undefined) return { principal };
  if (typeof key !== "string" || !KEY.test(key)) {
    throw new BerthError("idempotency_key_malformed", "The idempotency key is not one that the API takes", {
      place: KEY_HEADER,
      expected: "1 to 128 printable ASCII characters without spaces, in one header",
    });
  }
  const path = url.replace(/\?.*$/s, "");
  return { principal, idempotency: { key, request: sha256(`${method} ${path}\n${bodyText}`) } };
}

function requireFit(schema: JsonSchema, value: unknown, place: string): void {
  const problems = findProblems(schema, value);
  if (problems.length > 0) throw refuse(problems, place);
}

function refuse(problems: readonly DocumentProblem[], place: string): BerthError {
  const lines = problems.slice(0, LISTED_MAX - 1).map(formatProblem);
  const more = problems.length - lines.length;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new BerthError("request_malformed", `The ${place} of the request is not what is expected here: ${count}`, {
    place,
    expected: "what /openapi.json describes",
    details: more > 0 ? [...lines, `and ${more} more`] : lines,
  });
}
