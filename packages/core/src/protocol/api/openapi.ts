// SPDX-License-Identifier: Apache-2.0

import { groupBy } from "../../device/group-by.ts";
import type { JsonSchema } from "../json-schema.ts";
import { POLICY_SCHEMA } from "../policy-schema.ts";
import { PROFILE_SCHEMA } from "../profile-json-schema.ts";
import { HELLO_DOCUMENT, REPORT_DOCUMENT } from "../agent/agent-schemas.ts";
import { ERROR_CODES, type ErrorCode } from "../error-codes.ts";
import { HELLO_SCHEMA, REPORT_SCHEMA } from "../report-json-schema.ts";
import { GENERATION, PROFILE_DOCUMENT } from "./answer-parts.ts";
import { ANSWER_SCHEMAS } from "./answer-schemas.ts";
import { CLAIM, CLAIM_ITEM, CLAIM_REASON, PROBE_REPLY, TRIED, WANTED_PROBE } from "./claim-schemas.ts";
import { DEVICE, EVIDENCE, PARENT, POOL, PROBLEM, REMEDY, ROOM, VERDICT } from "./domain-schemas.ts";
import { KEY_HEADER, KEY_PATTERN, type Endpoint } from "./endpoint.ts";
import { OPERATIONS, pathNames, type OperationName } from "./endpoints.ts";
import { CANDIDATES_REQUEST, CHECK_REQUEST, POLICY_DOCUMENT } from "./requests.ts";

/** Schemas that stand once in the document, under a name. */
const NAMED: ReadonlyMap<JsonSchema, string> = new Map<JsonSchema, string>([
  ...Object.entries(ANSWER_SCHEMAS).map(([name, schema]): [JsonSchema, string] => [schema, name]),
  [CHECK_REQUEST, "CheckRequest"],
  [CANDIDATES_REQUEST, "CandidatesRequest"],
  [GENERATION, "Generation"],
  [PROFILE_DOCUMENT, "Profile"],
  [POLICY_DOCUMENT, "Policy"],
  [EVIDENCE, "Evidence"],
  [VERDICT, "Verdict"],
  [REMEDY, "Remedy"],
  [ROOM, "Room"],
  [PROBLEM, "Problem"],
  [POOL, "Pool"],
  [PARENT, "Parent"],
  [DEVICE, "HostDevice"],
  [CLAIM, "ToldClaim"],
  [CLAIM_ITEM, "ClaimItem"],
  [CLAIM_REASON, "ClaimReason"],
  [TRIED, "TriedHosts"],
  [WANTED_PROBE, "WantedProbe"],
  [PROBE_REPLY, "ProbeReply"],
  [HELLO_DOCUMENT, "Hello"],
  [REPORT_DOCUMENT, "Report"],
]);

/** What an answer says loosely and the OpenAPI document in full: documents with a published schema of their own. */
const IN_FULL: ReadonlyMap<JsonSchema, JsonSchema> = new Map([
  [PROFILE_DOCUMENT, PROFILE_SCHEMA],
  [POLICY_DOCUMENT, POLICY_SCHEMA],
  [HELLO_DOCUMENT, HELLO_SCHEMA],
  [REPORT_DOCUMENT, REPORT_SCHEMA],
]);

/** The whole API as an OpenAPI 3.1 document, assembled from the schemas that requests and answers are held against. */
export function formatOpenApi(version: string): object {
  const paths = new Map<string, object>();
  for (const [name, endpoint] of OPERATIONS) {
    const others = paths.get(endpoint.path) ?? {};
    paths.set(endpoint.path, { ...others, [endpoint.method.toLowerCase()]: formatOperation(name, endpoint) });
  }
  const schemas = [...NAMED].map(([schema, name]) => [name, formatNamed(IN_FULL.get(schema) ?? schema)]);
  return {
    openapi: "3.1.0",
    info: {
      title: "Berth",
      version,
      summary: "May this VFIO device migrate there, is there room, where can it go",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths: Object.fromEntries(paths),
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "a token of the tokens file" },
        credential: { type: "http", scheme: "bearer", description: "what an agent was given when it was enrolled" },
      },
    },
  };
}

function formatOperation(name: OperationName, endpoint: Endpoint): object {
  const { summary, role, body, bodyMayLack } = endpoint;
  const description = ROLE_TEXTS[role];
  return {
    operationId: name,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: formatParameters(endpoint),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: bodyMayLack !== true,
            content: { "application/json": { schema: refer(body) } },
          },
        }),
    responses: {
      200: formatAnswer(endpoint),
      ...formatErrors(endpoint.errors ?? []),
      ...(name === "readReadiness" ? { 503: formatAnswer(endpoint) } : {}),
      default: formatError("Any other error"),
    },
    security: role === "anyone" ? [] : role === "agent" ? [{ credential: [] }] : [{ token: [] }],
  };
}

/** Whom an operation serves, in words. */
const ROLE_TEXTS: Readonly<Record<Endpoint["role"], string | undefined>> = {
  viewer: "Needs a token of the role viewer.",
  operator: "Needs a token of the role operator.",
  admin: "Needs a token of the role admin.",
  agent: "For agents, with the credential of their host.",
  anyone: undefined,
};

function formatParameters({ path, query = {}, takesKey }: Endpoint): readonly object[] {
  const inPath = pathNames(path).map((part) => ({
    name: part,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([part, { schema, description }]) => ({
    name: part,
    in: "query",
    description,
    schema,
  }));
  const key = {
    name: KEY_HEADER,
    in: "header",
    description: "the same request with the same key is carried out once, and answered alike for a day",
    schema: { type: "string", pattern: KEY_PATTERN },
  };
  return [...inPath, ...inQuery, ...(takesKey === true ? [key] : [])];
}

/** The errors of an operation by status, with the meaning of each code. */
function formatErrors(codes: readonly ErrorCode[]): Readonly<Record<number, object>> {
  const byStatus = groupBy(codes, (code) => ERROR_CODES[code].httpStatus);
  const texts = [...byStatus].map(([status, found]): [number, object] => {
    const lines = found.toSorted().map((code) => `\`${code}\`: ${ERROR_CODES[code].meaning}`);
    return [status, formatError(lines.join("; "))];
  });
  return Object.fromEntries(texts);
}

function formatError(description: string): object {
  return { description, content: { "application/json": { schema: refer(ANSWER_SCHEMAS.Error) } } };
}

function formatAnswer({ answer, summary }: Endpoint): object {
  if (answer.kind === "text") {
    return { description: summary, content: { [answer.type]: { schema: { type: "string" } } } };
  }
  if (answer.kind === "bytes") return { description: summary, content: { "application/octet-stream": {} } };
  const schema = refer(ANSWER_SCHEMAS[answer.schema]);
  if (answer.kind === "json") {
    const also = answer.also === undefined ? undefined : refer(ANSWER_SCHEMAS[answer.also]);
    const either = also === undefined ? schema : { anyOf: [schema, also] };
    return { description: summary, content: { "application/json": { schema: either } } };
  }
  const description = `${summary}. The data of each event is such a document:`;
  return { description, content: { "text/event-stream": { schema } } };
}

function refer(schema: JsonSchema): unknown {
  const name = NAMED.get(schema);
  return name === undefined ? formatParts(schema) : { $ref: `#/components/schemas/${name}` };
}

/** A named schema itself: it names no base of its own, and what it holds is referred to. */
function formatNamed(schema: JsonSchema): unknown {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return formatParts(rest);
}

function formatParts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(formatPart);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, formatPart(part)]));
}

function formatPart(part: unknown): unknown {
  return typeof part === "object" && part !== null && !Array.isArray(part)
    ? refer(part as JsonSchema)
    : formatParts(part);
}
