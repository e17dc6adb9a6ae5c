// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { after, describe, it } from "node:test";
import { raiseGeneration, readCredential } from "./agent-state.ts";
import { enrolAgent, type Enrolment } from "./enrol-agent.ts";
import { lockState } from "./state-lock.ts";
import { readFixture, startServer, type Shown, type StartedServer } from "./started-server.ts";

const SECRET = "s".repeat(43);
const PIN = new X509Certificate(readFixture("authority.pem")).fingerprint256.replaceAll(":", "").toLowerCase();
const base = fs.mkdtempSync(`${tmpdir()}/berth-enrol-`);
const open: StartedServer[] = [];
after(async () => {
  fs.rmSync(base, { recursive: true });
  for (const server of open) await server.close();
});

let directories = 0;

function enrolment(servers: readonly [string, ...string[]], pin: string): Enrolment {
  directories += 1;
  return {
    servers,
    token: `berth1.${SECRET}.${pin}`,
    host: "h1",
    stateDirectory: `${base}/${directories}`,
    timeoutMs: 5_000,
  };
}

async function start(answer: RequestListener | object, shown?: Shown): Promise<StartedServer> {
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { secret, host } = JSON.parse(body) as { readonly secret: string; readonly host: string };
      assert.deepEqual({ secret, host }, { secret: SECRET, host: "h1" });
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answer));
    });
  };
  const server = await startServer(typeof answer === "function" ? (answer as RequestListener) : listener, shown);
  open.push(server);
  return server;
}

const GIVEN = { host: "h1.rack1", credential: "c".repeat(43), generation: 41 };
const RIGHT: Shown = { name: "server", chain: ["authority"] };

describe("enrolAgent()", () => {
  it("keeps credential and authority, 0600, and begins above the generations that were", async () => {
    const server = await start(GIVEN, RIGHT);
    const asked = enrolment([server.origin], PIN);
    assert.deepEqual(await enrolAgent(asked), { host: "h1.rack1", server: server.origin });
    assert.deepEqual(server.requests, ["POST /v1/agent/enrol"]);
    const kept = readCredential(asked.stateDirectory);
    assert.deepEqual(
      { ...kept, ca: undefined },
      { host: "h1.rack1", credential: GIVEN.credential, servers: [server.origin], ca: undefined },
    );
    assert.deepEqual(new X509Certificate(kept?.ca ?? "").raw, new X509Certificate(readFixture("authority.pem")).raw);
    assert.equal(fs.statSync(`${asked.stateDirectory}/credential.json`).mode & 0o777, 0o600);
    assert.equal(fs.statSync(asked.stateDirectory).mode & 0o777, 0o700);
    assert.ok(raiseGeneration(asked.stateDirectory) > 41);
  });

  const REFUSED: Record<string, Shown> = {
    "whose chain does not show the pinned authority": { name: "server", chain: [] },
    "that comes from another authority": { name: "impostor", chain: ["stranger"] },
    "that shows the pinned authority and does not come from it": { name: "impostor", chain: ["authority"] },
    "that comes from the pinned authority for another host": { name: "elsewhere", chain: ["authority"] },
  };
  for (const [name, shown] of Object.entries(REFUSED)) {
    it(`sends nothing to a server ${name}`, async () => {
      const server = await start(GIVEN, shown);
      const asked = enrolment([server.origin], PIN);
      await assert.rejects(enrolAgent(asked), { code: "server_certificate_refused" });
      assert.deepEqual([server.requests, server.bytes()], [[], 0]);
      assert.equal(readCredential(asked.stateDirectory), undefined);
    });
  }

  it("asks the next server where one cannot be trusted or reached", async () => {
    const impostor = await start(GIVEN, { name: "impostor", chain: [] });
    const gone = await startServer(() => undefined);
    await gone.close();
    const right = await start(GIVEN, RIGHT);
    const servers = [
      impostor.origin,
      gone.origin.replace("http://127.0.0.1", "https://localhost"),
      right.origin,
    ] as const;
    assert.equal((await enrolAgent(enrolment([...servers], PIN))).server, right.origin);
  });

  it("takes what a server says as final", async () => {
    const refusing = await start((_request, response) => {
      response.statusCode = 401;
      response.end(
        JSON.stringify({ code: "enrolment_refused", message: "Used", place: null, expected: null, details: [] }),
      );
    });
    const other = await start(GIVEN);
    const asked = enrolment([refusing.origin, other.origin], "-");
    await assert.rejects(enrolAgent(asked), { code: "enrolment_refused" });
    assert.deepEqual(other.requests, []);
  });

  it("goes without TLS to this machine alone, and only with a token that names no authority", async () => {
    const server = await start(GIVEN);
    const asked = enrolment([server.origin], "-");
    await enrolAgent(asked);
    assert.equal(readCredential(asked.stateDirectory)?.ca, undefined);
    await assert.rejects(enrolAgent(enrolment([server.origin], PIN)), { code: "usage_bad_value" });
    await assert.rejects(enrolAgent(enrolment(["http://192.0.2.7"], "-")), { code: "usage_bad_value" });
    assert.equal(server.requests.length, 1);
  });

  it("trusts a given authority where the token names none, and keeps it", async () => {
    const server = await start(GIVEN, { name: "server", chain: [] });
    const asked = { ...enrolment([server.origin], "-"), ca: readFixture("authority.pem") };
    await enrolAgent(asked);
    assert.equal(readCredential(asked.stateDirectory)?.ca, asked.ca);
    await assert.rejects(enrolAgent(enrolment([server.origin], "-")), { code: "server_certificate_refused" });
  });

  it("uses no token up where the credential could not be kept", async () => {
    const server = await start(GIVEN);
    const asked = enrolment([server.origin], "-");
    fs.mkdirSync(asked.stateDirectory, { mode: 0o755 });
    await assert.rejects(enrolAgent(asked), { code: "token_unsafe" });
    fs.chmodSync(asked.stateDirectory, 0o700);
    const lock = await lockState(asked.stateDirectory);
    await assert.rejects(enrolAgent(asked), { code: "store_locked" });
    await lock.release();
    assert.deepEqual(server.requests, []);
    await enrolAgent(asked);
  });

  it("does not show a token that is none", async () => {
    const failed = await enrolAgent({ ...enrolment(["http://127.0.0.1:1"], "-"), token: "berth1.top-secret" }).catch(
      (error: unknown) => error,
    );
    assert.equal((failed as { readonly code: string }).code, "usage_bad_value");
    assert.doesNotMatch(String((failed as Error).stack), /top-secret/);
  });

  const ANSWERS: Record<string, object> = {
    "without a credential": { host: "h1" },
    "with a credential that no header can hold": { host: "h1", credential: "a\nb" },
    "without a host": { credential: "c" },
  };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    it(`refuses an answer ${name}`, async () => {
      const asked = enrolment([(await start(answer)).origin], "-");
      await assert.rejects(enrolAgent(asked), { code: "server_answer_malformed" });
      assert.equal(readCredential(asked.stateDirectory), undefined);
    });
  }
});
