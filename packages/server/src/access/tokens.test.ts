// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { ROLES } from "@berth/core/protocol/api/endpoint";
import { BerthError } from "@berth/core/protocol/berth-error";
import { testServer, testView } from "../http/test-server.ts";
import { isLoopback, isLoopbackAuthority } from "./loopback.ts";
import { findPrincipal, isAllowed, parseTokensDocument } from "./tokens.ts";

const VIEWER = "viewer-token-of-the-test-0123456789";
const ADMIN = "admin-token-of-the-test-0123456789";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

const DOCUMENT = {
  tokens: "berth.tokens/v1",
  entries: [
    { name: "pages", role: "viewer", sha256: sha256(VIEWER) },
    { name: "root", role: "admin", sha256: sha256(ADMIN) },
  ],
};

describe("parseTokensDocument()", () => {
  it("reads names and roles", () => {
    const list = parseTokensDocument(DOCUMENT, "tokens.json");
    assert.deepEqual(findPrincipal(list, VIEWER), { name: "pages", role: "viewer" });
    assert.deepEqual(findPrincipal(list, ADMIN), { name: "root", role: "admin" });
    assert.equal(findPrincipal(list, sha256(ADMIN)), undefined);
    assert.equal(findPrincipal(list, ""), undefined);
  });

  const [first, second] = DOCUMENT.entries;
  const BAD: Record<string, unknown> = {
    "no document": [],
    "no entry": { ...DOCUMENT, entries: [] },
    "an unknown role": { ...DOCUMENT, entries: [{ ...first, role: "root" }] },
    "a token in place of its hash": { ...DOCUMENT, entries: [{ ...first, sha256: VIEWER }] },
    "a name twice": { ...DOCUMENT, entries: [first, { ...second, name: "pages" }] },
    "a name that stands for the server itself": { ...DOCUMENT, entries: [{ ...first, name: "berth" }] },
    "a hash twice": { ...DOCUMENT, entries: [first, { ...second, sha256: first?.sha256 }] },
  };
  for (const [name, document] of Object.entries(BAD)) {
    it(`refuses ${name}, and shows no hash`, () => {
      assert.throws(
        () => parseTokensDocument(document, "tokens.json"),
        (error) => {
          assert.ok(error instanceof BerthError);
          assert.equal(error.code, "tokens_malformed");
          assert.doesNotMatch(error.details.join(), new RegExp(sha256(VIEWER)));
          return true;
        },
      );
    });
  }
});

describe("isAllowed()", () => {
  it("lets each role do what those before it may, and no more", () => {
    const allowed = ROLES.map((role) => ROLES.map((needed) => isAllowed(role, needed)));
    assert.deepEqual(allowed, [
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });
});

describe("a server with tokens", () => {
  const list = parseTokensDocument(DOCUMENT, "tokens.json");
  const server = testServer(testView(), { tokens: () => list });
  const ask = async (url: string, authorization?: string): Promise<number> =>
    (await server.inject({ url, headers: authorization === undefined ? {} : { authorization } })).statusCode;

  it("answers whoever has one", async () => {
    assert.equal(await ask("/v1/hosts", `Bearer ${VIEWER}`), 200);
    assert.equal(await ask("/v1/hosts", `bearer ${ADMIN}`), 200);
    assert.equal(await ask("/metrics", `Bearer ${VIEWER}`), 200);
  });

  it("refuses who has none, a wrong one, or another scheme", async () => {
    for (const header of [
      undefined,
      "",
      "Bearer ",
      `Bearer ${VIEWER}x`,
      `Basic ${VIEWER}`,
      `Bearer ${sha256(VIEWER)}`,
    ]) {
      for (const url of ["/v1/hosts", "/v1/events", "/metrics"])
        assert.equal(await ask(url, header), 401, String(header));
    }
    const answer = await server.inject({ url: "/v1/hosts" });
    assert.equal(answer.headers["www-authenticate"], "Bearer");
    assert.equal(answer.json<{ code: string }>().code, "not_authenticated");
  });

  it("tells anyone that it lives, and what its API is", async () => {
    for (const url of ["/healthz", "/readyz", "/openapi.json", "/docs"]) assert.equal(await ask(url), 200, url);
  });
});

describe("isLoopback()", () => {
  it("is true of this machine's own names alone", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"])
      assert.ok(isLoopback(host), host);
    for (const host of [
      "0.0.0.0",
      "::",
      "10.0.0.1",
      "127.0.0.1.example",
      "localhost.example",
      "",
      "::ffff:127.0.0.1",
    ]) {
      assert.ok(!isLoopback(host), host);
    }
  });

  it("reads a Host header with and without a port", () => {
    for (const host of ["localhost", "localhost:80", "127.0.0.1:7411", "[::1]:7411"])
      assert.ok(isLoopbackAuthority(host), host);
    for (const host of [
      undefined,
      "",
      "evil.example",
      "localhost:80:80",
      "localhost@evil.example",
      "127.0.0.1.evil.example:1",
    ]) {
      assert.ok(!isLoopbackAuthority(host), String(host));
    }
  });
});
