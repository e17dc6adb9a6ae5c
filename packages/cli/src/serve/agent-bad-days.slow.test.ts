// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeAgentClient, type AgentClient } from "@berth/core/protocol/agent/agent-client";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import type { FetchLike } from "@berth/core/protocol/api/client";
import { PROTOCOL } from "@berth/core/report/hello";
import type { Report } from "@berth/core/report/report";
import { requireServer, type ServerProcess } from "./server-process.ts";
import { startSimulatedAgent } from "./simulated-agent.ts";
import * as small from "./small-fleet.ts";

const base = fs.mkdtempSync(join(tmpdir(), "berth-bad-agents-"));
const endings: (() => Promise<unknown>)[] = [];
let server: ServerProcess;
before(async () => {
  server = await requireServer({ data: join(base, "data") });
  endings.push(async () => server.end("SIGKILL"));
  await startHost(small.SOURCE);
});
after(async () => {
  for (const end of endings.toReversed()) await end();
  assert.equal(server.complaint(), "");
  fs.rmSync(base, { recursive: true });
});

async function startHost(host: string): Promise<small.SmallHost> {
  const started = await small.startSmallHost(host, { server: server.link, directory: base });
  endings.push(async () => started.agent.stop());
  return started;
}

const MOVED = { for: { host: small.SOURCE, device: small.SOURCE_DEVICE } } as const;

/** The code that a request is refused with; fails where it is not. */
async function codeOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    return String((error as { code?: string }).code);
  }
  return "none";
}

async function lifeOf(host: string): Promise<string | undefined> {
  const { items } = await server.link.control.listAgents();
  return items.find((item) => item.host === host)?.life;
}

/** Why a host is given no claim. */
async function whyNoClaim(host: string): Promise<readonly string[]> {
  const answer = await server.link.control.claim({ ...MOVED, to: host });
  return answer.tried.flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

async function refusedWith(agent: small.SmallHost["agent"], code: string): Promise<void> {
  await small.insistOn(async () => agent.status.state === "unwelcome" && agent.status.code === code);
}

/** Hands over what is sent, and lets it go. */
function spyOn(fetchLike: FetchLike, path: string) {
  const bodies: string[] = [];
  const spying: FetchLike = async (request) => {
    if (request.path === path && request.body !== undefined) bodies.push(request.body);
    return await fetchLike(request);
  };
  return { bodies, fetchLike: spying };
}

describe("a credential with two lives", () => {
  it("is refused to a thief and to the agent alike with agent_conflict, until the host is enrolled anew", async () => {
    const own = await startHost("stolen");
    const stateDirectory = join(base, "stolen-thief");
    fs.mkdirSync(stateDirectory, { mode: 0o700 });
    fs.writeFileSync(join(stateDirectory, "generation.json"), JSON.stringify({ format: 1, generation: 7 }), {
      mode: 0o600,
    });
    const { credential } = own;
    const fetchLike = small.fetchFrom(server.url);
    const place = { fetchLike, credential, stateDirectory, rescanMs: 500, log: () => undefined };
    const thief = startSimulatedAgent(small.agentHostOf(small.makeSmallHost("stolen")), place);
    endings.push(async () => thief.stop());
    await Promise.all([refusedWith(own.agent, "agent_conflict"), refusedWith(thief, "agent_conflict")]);
    assert.equal(await lifeOf("stolen"), "conflict");
    assert.deepEqual(await whyNoClaim("stolen"), ["host_silent"]);
    const { items } = await server.link.control.listAudit({ limit: 1000 });
    const found = items.filter(({ action, target }) => action === "agent.conflict" && target === "stolen");
    assert.deepEqual(
      found.map(({ principal }) => principal),
      ["berth"],
    );
    await small.enrolHost(server.link, fetchLike, "stolen");
    assert.equal(
      await codeOf(helloAs(makeAgentClient(fetchLike, { credential }), "stolen")),
      "agent_not_authenticated",
    );
  });

  it("is found out where a machine was cloned with its state directory", async () => {
    const own = await startHost("cloned");
    const stateDirectory = join(base, "clone");
    fs.cpSync(own.stateDirectory, stateDirectory, { recursive: true });
    const { credential } = own;
    const place = { fetchLike: small.fetchFrom(server.url), credential, stateDirectory, rescanMs: 500 };
    const host = small.agentHostOf(small.makeSmallHost("cloned"));
    const clone = startSimulatedAgent(host, { ...place, log: () => undefined });
    endings.push(async () => clone.stop());
    await Promise.all([refusedWith(own.agent, "agent_conflict"), refusedWith(clone, "agent_conflict")]);
    assert.equal(await lifeOf("cloned"), "conflict");
  });

  it("is refused with hello_old_generation where an old image of a machine that is dead is started", async () => {
    const own = await startHost("image");
    await own.agent.stop();
    const client = makeAgentClient(small.fetchFrom(server.url), { credential: own.credential });
    assert.equal(await codeOf(helloAs(client, "image", 5)), "none");
    assert.equal(await codeOf(helloAs(client, "image", 4, "another")), "hello_old_generation");
  });
});

describe("a credential that was revoked", () => {
  it("is refused with agent_revoked at once, nothing is claimed there, and what was claimed stays", async () => {
    const own = await startHost("revoked");
    const first = await server.link.control.claim({ ...MOVED, to: "revoked", make: true });
    assert.ok(first.kind === "granted");
    const { id } = first.claim;
    const stateOf = async (): Promise<string> => (await server.link.control.readClaim(id)).claim.state;
    await small.insistOn(async () => (await stateOf()) === "bound");
    await server.link.control.revokeAgent("revoked");
    await refusedWith(own.agent, "agent_revoked");
    assert.equal(await lifeOf("revoked"), "revoked");
    assert.deepEqual(await whyNoClaim("revoked"), ["host_silent"]);
    await server.link.control.releaseClaim(id);
    assert.equal(await stateOf(), "releasing");
    assert.equal(small.listStanding(own.kernel).length, 1);
  });
});

describe("an agent that speaks of another host", () => {
  it("is refused with report_wrong_host, hello_wrong_host, and unknown_claim for its claims", async () => {
    await startHost("victim");
    const { credential } = await small.enrolHost(server.link, small.fetchFrom(server.url), "liar");
    const client = makeAgentClient(small.fetchFrom(server.url), { credential });
    assert.equal(await codeOf(helloAs(client, "victim")), "hello_wrong_host");
    await helloAs(client, "liar");
    const spied = await captureReport("victim-copy");
    const report = { ...spied, host: "victim", generation: 5 } as Report;
    assert.equal(await codeOf(client.report({ session: "s", report })), "report_wrong_host");
    const granted = await server.link.control.claim({ ...MOVED, to: "victim", make: true });
    assert.ok(granted.kind === "granted");
    const { id, fence } = granted.claim;
    const events = [{ claim: id, fence, event: "refused" as const, reason: { code: "lie", text: "a lie" } }];
    const answer = await client.tell({ session: "s", events, notices: [], probes: [] });
    assert.deepEqual(
      answer.events.map(({ kind, code }) => [kind, code]),
      [["refused", "unknown_claim"]],
    );
    assert.notEqual((await server.link.control.readClaim(id)).claim.state, "failed");
  });
});

/** A whole report as an agent sends one. */
async function captureReport(host: string): Promise<Report> {
  const { fetchLike, bodies } = spyOn(small.fetchFrom(server.url), "/v1/agent/reports");
  const { credential } = await small.enrolHost(server.link, fetchLike, host);
  const stateDirectory = join(base, host);
  fs.mkdirSync(stateDirectory, { mode: 0o700 });
  const place = { fetchLike, credential, stateDirectory, rescanMs: 500, log: () => undefined };
  const agent = startSimulatedAgent(small.agentHostOf(small.makeSmallHost(host)), place);
  await small.insistOn(async () => bodies.length > 0 && (await lifeOf(host)) === "connected");
  await agent.stop();
  const { report } = JSON.parse(bodies.at(-1) ?? "") as { report: Report };
  return report;
}

function helloAs(client: AgentClient, host: string, generation = 5, session = "s"): Promise<unknown> {
  const hello = { hello: "berth.hello/v1", host, version: "1", protocol: PROTOCOL, features: [], generation } as const;
  return client.hello({ session, hello, fence: 0 });
}

describe("a request that is sent again", () => {
  it("changes nothing: reports by their order, events by their fence, enrolments by their token", async () => {
    const transport = small.fetchFrom(server.url);
    const sent = new Map<string, string[]>();
    const recording: FetchLike = async (request) => {
      sent.set(request.path, [...(sent.get(request.path) ?? []), request.body ?? ""]);
      return await transport(request);
    };
    const { token } = await server.link.control.makeEnrolment({ host: "again" });
    const { secret } = parseEnrolmentToken(token);
    const { credential } = await makeAgentClient(recording).enrol({ secret, host: "again" });
    const stateDirectory = join(base, "again");
    fs.mkdirSync(stateDirectory, { mode: 0o700 });
    const kernel = small.makeSmallHost("again");
    const place = { fetchLike: recording, credential, stateDirectory, rescanMs: 200, log: () => undefined };
    const agent = startSimulatedAgent(small.agentHostOf(kernel), place);
    endings.push(async () => agent.stop());
    await small.insistOn(() => server.link.control.adopt({ host: "again", parent: small.PARENT }));
    const granted = await server.link.control.claim({ ...MOVED, to: "again", make: true });
    assert.ok(granted.kind === "granted");
    const stateOf = async (): Promise<string> => (await server.link.control.readClaim(granted.claim.id)).claim.state;
    await small.insistOn(async () => (await stateOf()) === "bound");
    await server.link.control.releaseClaim(granted.claim.id);
    await small.insistOn(async () => (await stateOf()) === "released");
    const before_ = await server.link.inventory.listHosts();
    const replay = async (path: string, at: number): Promise<string> => {
      const authorization = `Bearer ${credential}`;
      const headers = { "content-type": "application/json", authorization };
      const body = sent.get(path)?.at(at) ?? "";
      const answer = await transport({ method: "POST", path, headers, body });
      const { code = answer.body } = JSON.parse(answer.body) as { code?: string };
      return `${answer.status} ${code}`;
    };
    assert.equal(await replay("/v1/agent/reports", 0), "409 report_out_of_order");
    for (const at of (sent.get("/v1/agent/events") ?? []).keys()) await replay("/v1/agent/events", at);
    assert.equal(await stateOf(), "released");
    assert.equal(await replay("/v1/agent/enrol", 0), "401 enrolment_refused");
    assert.match(await replay("/v1/agent/hello", 0), /^200 /);
    const after_ = await server.link.inventory.listHosts();
    assert.deepEqual(after_.items, before_.items);
    assert.equal(agent.status.state, "welcome");
    assert.deepEqual(small.listStanding(kernel), []);
  });

  it("claims once with an idempotency key, and once more each time without", async () => {
    await startHost("keyed");
    const send = async (key: string | undefined, ttlSeconds: number) => {
      const keyed = key === undefined ? {} : { "idempotency-key": key };
      const headers = { "content-type": "application/json", authorization: `Bearer ${server.token}`, ...keyed };
      const body = JSON.stringify({ ...MOVED, to: "keyed", ttlSeconds });
      const answer = await fetch(new URL("/v1/claims", server.url), { method: "POST", headers, body });
      return (await answer.json()) as { code?: string; claim?: { id: string } };
    };
    const first = await send("move-1", 60);
    assert.deepEqual((await send("move-1", 60)).claim?.id, first.claim?.id);
    assert.equal((await send("move-1", 61)).code, "idempotency_mismatch");
    const [one, two] = [await send(undefined, 60), await send(undefined, 60)];
    assert.equal(new Set([first.claim?.id, one.claim?.id, two.claim?.id]).size, 3);
    const open = (await server.link.control.listClaims({ host: "keyed", state: "open" })).items;
    assert.equal(open.length, 3);
  });
});
