// SPDX-License-Identifier: Apache-2.0

import type { JsonSchema } from "../json-schema.ts";
import { POLICY_SCHEMA } from "../policy-schema.ts";
import { PROFILE_SCHEMA } from "../profile-json-schema.ts";
import { ANSWER_SCHEMAS, GENERATION, PROFILE_DOCUMENT } from "./answer-schemas.ts";
import { DEVICE, EVIDENCE, PARENT, POOL, PROBLEM, REMEDY, ROOM, VERDICT } from "./domain-schemas.ts";
import { OPERATIONS, pathNames, type Endpoint, type OperationName } from "./endpoints.ts";
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
]);

/** What an answer says loosely and the OpenAPI document in full: documents with a published schema of their own. */
const IN_FULL: ReadonlyMap<JsonSchema, JsonSchema> = new Map([
  [PROFILE_DOCUMENT, PROFILE_SCHEMA],
  [POLICY_DOCUMENT, POLICY_SCHEMA],
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
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function formatOperation(name: OperationName, endpoint: Endpoint): object {
  const { path, summary, role, query = {}, body } = endpoint;
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
  return {
    operationId: name,
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: refer(body) } } } }),
    responses: {
      200: formatAnswer(endpoint),
      ...(name === "readReadiness" ? { 503: formatAnswer(endpoint) } : {}),
      default: { description: "An error", content: { "application/json": { schema: refer(ANSWER_SCHEMAS.Error) } } },
    },
    security: role === "anyone" ? [] : [{ token: [] }],
  };
}

function formatAnswer({ answer, summary }: Endpoint): object {
  if (answer.kind === "text") {
    return { description: summary, content: { [answer.type]: { schema: { type: "string" } } } };
  }
  const schema = refer(ANSWER_SCHEMAS[answer.schema]);
  if (answer.kind === "json") return { description: summary, content: { "application/json": { schema } } };
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
