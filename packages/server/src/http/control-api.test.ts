// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { FastifyInstance } from "fastify";
import { claimOf } from "@berth/core/claim/test-claim";
import { makeClient, readAllPages } from "@berth/core/protocol/api/client";
import { makeControlClient, type ControlClient } from "@berth/core/protocol/api/control-client";
import { OPERATIONS } from "@berth/core/protocol/api/endpoints";
import { ROLES } from "@berth/core/protocol/api/endpoint";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import { parseTokensDocument } from "../access/tokens.ts";
import { auditWrite } from "../audit/audit-trail.ts";
import type { FleetView } from "../inventory/fleet-view.ts";
import { fetchInProcess } from "./in-process.ts";
import { testAgent, testControl, testProbe, type TestControl } from "./test-control.ts";
import { TEST_DEVICE, TEST_TEXT_PATH, TEST_VM, testServer, testView } from "./test-server.ts";

interface Fixture {
  readonly view: FleetView;
  readonly control: TestControl;
  readonly server: FastifyInstance;
  readonly client: ControlClient;
}

function fixture(): Fixture {
  const view = testView();
  const control = testControl(view);
  const server = testServer(view, { control });
  return { view, control, server, client: makeControlClient(fetchInProcess(server), { newKey: () => "key-1" }) };
}

const CALLER = { principal: "(local)" };

describe("orders", () => {
  it("reach the control plane with what the request says, and who gave them", async () => {
    const { client, control } = fixture();
    control.claimsShown.push({ document: claimOf(), revision: 3 });
    await client.confirmClaim("claim-1");
    await client.releaseClaim("claim-1");
    await client.repairClaim("claim-1");
    await client.commitClaim("claim-1", { source: "vacate" });
    await client.clearOrphans("a", TEST_DEVICE.device);
    await assert.rejects(client.clearOrphans("a", "claim-1"), { code: "unknown_claim" });
    await client.cordonHost("b c", { reason: "disk" });
    await client.cordonHost("b");
    await client.uncordonHost("b/c");
    await client.forgetHost("b");
    await client.adopt({ host: "b", parent: "p0" });
    await client.disown({ host: "a", vm: TEST_VM.id });
    await client.makeEnrolment({ host: "z", ttlSeconds: 60 });
    assert.deepEqual(control.told, [
      ["confirm", "claim-1", CALLER],
      ["release", "claim-1", CALLER],
      ["repair", "claim-1", CALLER],
      ["commit vacate", "claim-1", CALLER],
      ["clearOrphans", "a", TEST_DEVICE.device, ["x"], CALLER],
      ["cordon", "b c", { reason: "disk" }, CALLER],
      ["cordon", "b", {}, CALLER],
      ["uncordon", "b/c", CALLER],
      ["forget", "b", CALLER],
      ["adopt", "b", { host: "b", parent: "p0" }, CALLER],
      ["disown", "a", { host: "a", vm: TEST_VM.id }, CALLER],
      ["makeEnrolment", { host: "z", ttlSeconds: 60 }, CALLER],
    ]);
  });

  it("need no body where there is nothing to say", async () => {
    const { server, control } = fixture();
    const headers = { "content-type": "application/json" };
    for (const request of [{}, { headers, body: "" }, { headers, body: "{}" }]) {
      const { statusCode } = await server.inject({ method: "POST", url: "/v1/hosts/b/cordon", ...request });
      assert.equal(statusCode, 200);
    }
    assert.equal(control.told.length, 3);
    const { statusCode } = await server.inject({ method: "POST", url: "/v1/hosts/b/cordon", body: { why: "x" } });
    assert.equal(statusCode, 400);
  });

  it("fence a host that is known, and say which claims that ended", async () => {
    const { client, control } = fixture();
    assert.deepEqual((await client.fenceHost("b")).claims, ["claim-1"]);
    await assert.rejects(client.fenceHost("nowhere"), { code: "unknown_host", place: "host" });
    control.adopted.set("stored", { host: "stored", parents: [], vms: [] });
    assert.equal((await client.fenceHost("stored")).changed, true);
  });

  it("revoke an agent once", async () => {
    const { client, control } = fixture();
    control.agentsShown.push(testAgent("a", { life: "revoked" }), testAgent("b"));
    assert.equal((await client.revokeAgent("a")).changed, false);
    assert.equal((await client.revokeAgent("b")).changed, true);
  });

  it("are refused by a server that keeps no claims, whose lists are empty", async () => {
    const server = testServer(testView());
    const client = makeControlClient(fetchInProcess(server));
    const refused = { code: "read_only_server" };
    await assert.rejects(client.claim({ for: TEST_DEVICE }), refused);
    await assert.rejects(client.cordonHost("b"), refused);
    await assert.rejects(client.releaseClaim("x"), refused);
    await assert.rejects(client.adopt({ host: "b", parent: "p0" }), refused);
    await assert.rejects(client.makeEnrolment({ host: "b" }), refused);
    for (const [name, { method, path, role }] of OPERATIONS) {
      if (method === "GET" || role === "viewer") continue;
      const headers = { authorization: `Bearer ${"c".repeat(43)}` };
      const answer = await server.inject({ method, url: path.replace(/\{\w+\}/, "b"), headers, body: {} });
      assert.equal(answer.json<ErrorAnswer>().code, "read_only_server", name);
    }
    for (const page of [client.listClaims(), client.listProbes(), client.listAgents(), client.listAdoptions()]) {
      assert.deepEqual((await page).items, []);
    }
    assert.deepEqual((await client.listAudit()).items, []);
    await assert.rejects(client.readClaim("x"), { code: "unknown_claim" });
    await assert.rejects(client.readProbe("x"), { code: "unknown_probe" });
  });
});

describe("POST /v1/claims", () => {
  it("binds the idempotency key to method, path and body as they were sent", async () => {
    const { client, control, server } = fixture();
    await client.claim({ for: TEST_DEVICE });
    const digest = createHash("sha256")
      .update(`POST /v1/claims\n${JSON.stringify({ for: TEST_DEVICE })}`)
      .digest("hex");
    const idempotency = { key: "key-1", request: digest };
    assert.deepEqual(control.told.at(-1), ["claim", { for: TEST_DEVICE }, { ...CALLER, idempotency }]);
    await client.claim({ for: TEST_DEVICE, dryRun: true }, { idempotencyKey: "mine" });
    const other = (control.told.at(-1) ?? [])[2] as { readonly idempotency: typeof idempotency };
    assert.equal(other.idempotency.key, "mine");
    assert.notEqual(other.idempotency.request, digest);
    await server.inject({ method: "POST", url: "/v1/claims", body: { for: TEST_DEVICE } });
    assert.deepEqual(control.told.at(-1)?.[2], CALLER);
  });

  it("refuses a key that is none", async () => {
    const { server, control } = fixture();
    for (const key of ["", "a b", "x".repeat(129), "é"]) {
      const headers = { "idempotency-key": key };
      const answer = await server.inject({ method: "POST", url: "/v1/claims", headers, body: { for: TEST_DEVICE } });
      assert.equal(answer.json<ErrorAnswer>().code, "idempotency_key_malformed", key);
    }
    assert.equal(control.told.length, 0);
  });

  it("takes a device, a VM or a profile, and nothing that it does not know", async () => {
    const { server, control } = fixture();
    const post = async (body: object): Promise<number> =>
      (await server.inject({ method: "POST", url: "/v1/claims", body })).statusCode;
    assert.equal(await post({ for: { host: "a", vm: TEST_VM.id }, to: "b", ttlSeconds: 86_400, make: true }), 200);
    assert.equal(await post({ for: { profile: {} }, exceptHosts: ["c"], strategy: "pack" }), 200);
    assert.equal(control.told.length, 2);
    for (const wrong of [
      {},
      { for: { host: "a" } },
      { for: TEST_DEVICE, ttl: 1 },
      { for: TEST_DEVICE, ttlSeconds: 0 },
    ]) {
      assert.equal(await post(wrong), 400, JSON.stringify(wrong));
    }
  });
});

describe("GET /v1/claims", () => {
  const STATES = ["held", "attached", "released", "held"] as const;

  it("gives every claim once, filtered by host and state, with what is in its way", async () => {
    const { client, control } = fixture();
    for (const [at, state] of STATES.entries()) {
      const document = claimOf({ id: `claim-${at}`, state, host: at === 3 ? "c" : "b" });
      control.claimsShown.push({ document, revision: at });
    }
    const ids = async (query: object): Promise<readonly string[]> =>
      (await readAllPages((page) => client.listClaims({ ...query, ...page, limit: 1 }))).items.map(({ id }) => id);
    assert.deepEqual(await ids({}), ["claim-0", "claim-1", "claim-2", "claim-3"]);
    assert.deepEqual(await ids({ state: "open" }), ["claim-0", "claim-1", "claim-3"]);
    assert.deepEqual(await ids({ state: "held" }), ["claim-0", "claim-3"]);
    assert.deepEqual(await ids({ state: "held", host: "c" }), ["claim-3"]);
    await assert.rejects(client.listClaims({ state: "gone" }), { code: "request_malformed" });
    await assert.rejects(client.listClaims({ host: "nowhere" }), { code: "unknown_host" });
    const { claim } = await client.readClaim("claim-1");
    assert.deepEqual([claim.revision, claim.notice?.code], [1, "driver_changed"]);
    assert.equal((await client.readClaim("claim-0")).claim.notice, undefined);
  });
});

describe("what Berth holds", () => {
  it("is shown with the host, its VMs and its agent", async () => {
    const { client, control, server } = fixture();
    control.agentsShown.push(testAgent("a", { life: "silent" }));
    control.adopted.set("a", { host: "a", parents: ["p0"], vms: [TEST_VM.id] });
    control.claimsShown.push({ document: claimOf({ host: "a" }), revision: 3 });
    control.claimsShown.push({ document: claimOf({ id: "claim-2", host: "a", state: "expired" }), revision: 4 });
    const host = await makeClient(fetchInProcess(server)).readHost("a");
    assert.deepEqual([host.agent, host.adopted], ["silent", { parents: ["p0"], vms: [TEST_VM.id] }]);
    assert.deepEqual(
      host.claims.map(({ id }) => id),
      ["claim-1"],
    );
    const hosts = (await makeClient(fetchInProcess(server)).listHosts()).items;
    assert.deepEqual([hosts[0]?.agent, hosts[1]?.agent], ["silent", null]);
    assert.equal((await client.readVm("a", TEST_VM.id)).vm.adopted, true);
    control.adopted.clear();
    assert.deepEqual(
      (await client.listVms({ host: "a" })).items.map(({ id, adopted }) => [id, adopted]),
      [[TEST_VM.id, false]],
    );
    await assert.rejects(client.readVm("a", "constructor"), { code: "unknown_vm" });
  });

  it("tells a text that stayed on its host, and no other file", async () => {
    const { client } = fixture();
    const { text } = await client.readText("a", TEST_TEXT_PATH);
    assert.equal(text, "the text on a");
    await assert.rejects(client.readText("a", "/etc/shadow"), { code: "unknown_text" });
    await assert.rejects(client.readText("b", TEST_TEXT_PATH), { code: "unknown_text" });
    await assert.rejects(client.readText("none", TEST_TEXT_PATH), { code: "unknown_host" });
  });

  it("lists probes newest first, whatever the page size", async () => {
    const { client, control } = fixture();
    for (const [id, createdAtMs] of [
      ["p1", 1_000],
      ["p3", 1_700_000_000_000],
      ["p2", 2_000],
      ["p0", 2_000],
    ] as const) {
      control.probesShown.push(testProbe(id, { createdAtMs }));
    }
    const { items } = await readAllPages((page) => client.listProbes({ ...page, limit: 1 }));
    assert.deepEqual(
      items.map(({ id }) => id),
      ["p3", "p0", "p2", "p1"],
    );
  });
});

describe("GET /v1/audit", () => {
  it("gives every change once, of all days or of one, to operators", async () => {
    const { client, control } = fixture();
    const day = Date.UTC(2026, 10, 20);
    for (const [at, atMs] of [day, day + 1, day + 86_400_000].entries()) {
      const entry = { id: `e${at}`, atMs, principal: "ops", action: "host.cordon", target: "b", after: { at } };
      await control.replica.store.transact({ compares: [], writes: [auditWrite(entry)] });
    }
    const read = async (query: object): Promise<readonly string[]> =>
      (await readAllPages((page) => client.listAudit({ ...query, ...page, limit: 1 }))).items.map(({ id }) => id);
    assert.deepEqual(await read({}), ["e0", "e1", "e2"]);
    assert.deepEqual(await read({ day: "2026-11-20" }), ["e0", "e1"]);
    assert.deepEqual(await read({ day: "2026-11-19" }), []);
    const { next = "" } = await client.listAudit({ limit: 1 });
    await assert.rejects(client.listAudit({ day: "2026-11-20", cursor: next }), { code: "cursor_malformed" });
    await assert.rejects(client.listAudit({ day: "yesterday" }), { code: "request_malformed" });
  });
});

describe("GET /v1/backup", () => {
  it("sends the whole file and leaves nothing behind", async () => {
    const view = testView();
    const path = join(tmpdir(), `berth-backup-${randomUUID()}`);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
    const backup = async (): Promise<string> => {
      writeFileSync(path, bytes);
      return path;
    };
    const server = testServer(view, { control: testControl(view, { backup }) });
    for (let time = 0; time < 2; time += 1) {
      const answer = await server.inject({ url: "/v1/backup" });
      assert.equal(answer.headers["content-type"], "application/octet-stream");
      assert.ok(answer.rawPayload.equals(bytes));
      assert.equal(existsSync(path), false);
    }
    const without = testServer(view, { control: testControl(view) });
    assert.equal((await without.inject({ url: "/v1/backup" })).json<ErrorAnswer>().code, "not_found");
  });

  it("makes one at a time", async () => {
    const view = testView();
    const failure = Promise.withResolvers<string>();
    const server = testServer(view, { control: testControl(view, { backup: () => failure.promise }) });
    const first = server.inject({ url: "/v1/backup" }).then((answer) => answer.statusCode);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await server.inject({ url: "/v1/backup" })).json<ErrorAnswer>().code, "too_many_streams");
    failure.reject(new Error("disk"));
    assert.equal(await first, 500);
  });
});

describe("roles", () => {
  const entries = ROLES.map((role) => {
    return { name: role, role, sha256: createHash("sha256").update(role.padEnd(20, "-")).digest("hex") };
  });
  const tokens = parseTokensDocument({ tokens: "berth.tokens/v1", entries }, "tokens");

  it("may do what the operation says, and no token is an agent's credential", async () => {
    const view = testView();
    const server = testServer(view, { control: testControl(view), tokens: () => tokens });
    const WANTED: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };
    for (const [name, { method, path, role, answer }] of OPERATIONS) {
      if (role === "anyone" || answer.kind !== "json") continue;
      for (const [at, asking] of ROLES.entries()) {
        const headers = { authorization: `Bearer ${asking.padEnd(20, "-")}`, host: "elsewhere" };
        const { statusCode } = await server.inject({ method, url: path.replace(/\{\w+\}/g, "b"), headers, body: {} });
        const isLetIn = ![401, 403].includes(statusCode);
        assert.equal(isLetIn, role !== "agent" && at >= (WANTED[role] ?? 9), `${name} as ${asking}: ${statusCode}`);
      }
    }
  });

  it("are told to the audit by the name of the token", async () => {
    const view = testView();
    const control = testControl(view);
    const server = testServer(view, { control, tokens: () => tokens });
    await makeControlClient(fetchInProcess(server), { token: "operator".padEnd(20, "-") }).uncordonHost("b");
    assert.deepEqual(control.told, [["uncordon", "b", { principal: "operator" }]]);
  });
});

describe("a page of another origin", () => {
  it("orders nothing of a server without tokens", async () => {
    const { server, control } = fixture();
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await server.inject({ method: "POST", url: "/v1/hosts/b/fence", headers })).statusCode;
    const host = "127.0.0.1:7411";
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:7411"]) {
      assert.equal(await post({ host, origin }), 421, origin);
    }
    assert.equal(control.told.length, 0);
    assert.equal(await post({ host, origin: "http://127.0.0.1:7411" }), 200);
    assert.equal(await post({ host }), 200);
  });
});
