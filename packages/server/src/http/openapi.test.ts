// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { findProblems, formatProblem } from "@berth/core/protocol/validate-document";
import type { JsonSchema } from "@berth/core/protocol/json-schema";
import { TEST_DEVICE, testServer, testView } from "./test-server.ts";

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
}

const server = testServer(testView());
const document = (await server.inject({ url: "/openapi.json" })).json<OpenApi>();

/** A schema of the document with every reference followed. */
function resolve(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(resolve);
  if (typeof schema !== "object" || schema === null) return schema;
  if ("$ref" in schema) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(String(schema.$ref))?.[1] ?? "";
    assert.ok(Object.hasOwn(document.components.schemas, name), `nothing is named ${String(schema.$ref)}`);
    return resolve(document.components.schemas[name]);
  }
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, resolve(part)]));
}

function schemaOf(path: string, method: string, status: string): JsonSchema {
  const content = document.paths[path]?.[method]?.responses[status]?.content["application/json"];
  assert.ok(content, `${method} ${path} ${status}`);
  return resolve(content.schema) as JsonSchema;
}

describe("/openapi.json", () => {
  it("describes every operation once, with the parameters of its path", () => {
    assert.equal(document.openapi, "3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, method.toUpperCase(), path]),
    );
    assert.deepEqual(
      described,
      OPERATIONS.map(([name, { method, path }]) => [name, method, path]),
    );
    const names = document.paths["/v1/devices/{host}/{id}"]?.["get"]?.parameters.map(({ name }) => name);
    assert.deepEqual(names, ["host", "id"]);
  });

  it("has a schema behind every reference, and no schema that nothing refers to", () => {
    const text = JSON.stringify(document);
    for (const name of Object.keys(document.components.schemas)) {
      assert.ok(text.includes(`"#/components/schemas/${name}"`), `nothing refers to ${name}`);
    }
    for (const [, reference] of text.matchAll(/"\$ref":"([^"]+)"/g)) resolve({ $ref: reference });
  });

  it("holds for real answers and real requests, profiles in full included", async () => {
    for (const path of ["/v1/hosts", "/v1/parents", "/v1/pools", "/v1/devices", "/v1/classes", "/v1/capacity"]) {
      const answer = (await server.inject({ url: path })).json<object>();
      assert.deepEqual(findProblems(schemaOf(path, "get", "200"), answer).map(formatProblem), [], path);
    }
    const body = { source: TEST_DEVICE };
    const answer = (await server.inject({ method: "POST", url: "/v1/candidates", body })).json<{ source: object }>();
    assert.deepEqual(findProblems(schemaOf("/v1/candidates", "post", "200"), answer).map(formatProblem), []);
    const { requestBody } = document.paths["/v1/candidates"]?.["post"] ?? {};
    const schema = resolve(requestBody?.content["application/json"]?.schema) as JsonSchema;
    assert.deepEqual(findProblems(schema, { source: { profile: answer.source } }).map(formatProblem), []);
    assert.notDeepEqual(findProblems(schema, { source: { profile: { ...answer.source, kind: "x" } } }), []);
  });
});

describe("an operation of /openapi.json", () => {
  it("names the idempotency key, its own errors by status, and whom it serves", () => {
    const claim = document.paths["/v1/claims"]?.["post"] ?? assert.fail();
    assert.deepEqual(
      claim.parameters.map((parameter) => [parameter.name, parameter.in]),
      [["idempotency-key", "header"]],
    );
    const { 404: missing, 422: wrong } = claim.responses as Record<string, { description?: string }>;
    assert.match(missing?.description ?? "", /`unknown_vm`: No host given has this VM/);
    assert.match(wrong?.description ?? "", /idempotency_mismatch/);
    const security = (path: string, method: string): unknown =>
      (document.paths[path]?.[method] as { readonly security?: unknown } | undefined)?.security;
    assert.deepEqual(security("/v1/agent/reports", "post"), [{ credential: [] }]);
    assert.deepEqual(security("/v1/agent/enrol", "post"), []);
    assert.deepEqual(security("/v1/claims", "post"), [{ token: [] }]);
  });
});

describe("the schema of a change", () => {
  const schema = resolve(document.components.schemas["ChangeMessage"]) as JsonSchema;
  const message = (change: object): object => ({ generation: { epoch: "e", revision: 1 }, changes: [change] });
  const FINE = [
    ...["host-put", "host-removed", "host-cordoned", "host-uncordoned", "host-adopted", "agent-changed"].map((kind) => {
      return { kind, host: "a" };
    }),
    { kind: "claim-changed", host: "a", claim: "c", state: "held" },
    { kind: "probe-changed", host: "a", probe: "p" },
  ];
  for (const change of FINE) {
    it(`takes ${change.kind}`, () => assert.deepEqual(findProblems(schema, message(change)), []));
  }

  it("takes no other kind, no other state, and nothing that lacks what it is about", () => {
    for (const change of [
      { kind: "host-moved", host: "a" },
      { kind: "host-put" },
      { kind: "claim-changed", host: "a", claim: "c", state: "gone" },
      { kind: "probe-changed", host: "a" },
    ]) {
      assert.notDeepEqual(findProblems(schema, message(change)), [], JSON.stringify(change));
    }
  });
});

describe("/docs", () => {
  it("names every operation and loads nothing", async () => {
    const { body } = await server.inject({ url: "/docs" });
    for (const [, { path }] of OPERATIONS) assert.ok(body.includes(`<code>${path}</code>`), path);
    assert.doesNotMatch(body, /<script|<img|<link|src=|https?:/);
  });
});
