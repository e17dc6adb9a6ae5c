// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { FastifyInstance } from "fastify";
import { makeAgentClient, type AgentClient } from "@berth/core/protocol/agent/agent-client";
import type { EventsRequest } from "@berth/core/protocol/agent/agent-wire";
import type { ErrorAnswer } from "@berth/core/protocol/api/answers";
import { BerthError } from "@berth/core/protocol/berth-error";
import { parseTokensDocument } from "../access/tokens.ts";
import { fetchInProcess } from "./in-process.ts";
import type { ServerLimits } from "./limits.ts";
import { TEST_CREDENTIAL, testControl, type TestControl } from "./test-control.ts";
import { testServer, testView } from "./test-server.ts";

const HELLO = {
  hello: "berth.hello/v1",
  host: "b",
  version: "0.1.0",
  protocol: { min: 1, max: 1 },
  features: ["new"],
  generation: 3,
} as const;
const REPORT = {
  report: "berth.report/v1",
  kind: "unchanged",
  host: "b",
  generation: 3,
  sequence: 1,
  digest: "0".repeat(64),
} as const;
const EVENTS: EventsRequest = {
  session: "s1",
  events: [{ claim: "claim-1", event: "refused", fence: 3, reason: { code: "create_failed", text: "EBUSY" } }],
  notices: [{ reason: { code: "mdevctl_missing", text: "There is no mdevctl" } }],
  probes: [{ id: "probe-1", outcome: { kind: "refused", errno: "EINVAL" }, destinationVersion: "" }],
};

interface Fixture {
  readonly control: TestControl;
  readonly server: FastifyInstance;
  readonly client: AgentClient;
}

function fixture(limits: Partial<ServerLimits> = {}): Fixture {
  const view = testView();
  const control = testControl(view);
  const server = testServer(view, { control, limits, now: () => 0 });
  return { control, server, client: makeAgentClient(fetchInProcess(server), { credential: TEST_CREDENTIAL }) };
}

describe("an agent", () => {
  it("is heard as the host of its credential, with all that it says", async () => {
    const { client, control } = fixture();
    await client.hello({ session: "s1", hello: HELLO, fence: 4 });
    await client.report({ session: "s1", report: REPORT });
    await client.desired({ session: "s1", waitMs: 5, seen: { epoch: "e", revision: 2 } });
    await client.tell(EVENTS);
    assert.deepEqual(control.told, [
      ["hello", "b", { session: "s1", hello: HELLO, fence: 4 }],
      ["report", "b", { session: "s1", report: REPORT }],
      ["desired", "b", { session: "s1", waitMs: 5, seen: { epoch: "e", revision: 2 } }],
      ["hear", "b", EVENTS],
    ]);
  });

  it("may say more than this server knows, and nothing that makes no sense", async () => {
    const { server, control } = fixture();
    const post = async (path: string, body: object): Promise<string> => {
      const headers = { authorization: `Bearer ${TEST_CREDENTIAL}` };
      const answer = await server.inject({ method: "POST", url: `/v1/agent/${path}`, headers, body });
      return answer.statusCode === 200 ? "taken" : answer.json<ErrorAnswer>().code;
    };
    assert.equal(await post("events", { ...EVENTS, mood: "good" }), "taken");
    assert.equal(await post("hello", { session: "s1", hello: { ...HELLO, mood: "good" }, fence: 0 }), "taken");
    const told = control.told.length;
    assert.equal(await post("hello", { session: "s1", hello: { ...HELLO, host: 7 }, fence: 0 }), "hello_malformed");
    const newer = { ...HELLO, hello: "berth.hello/v2" };
    assert.equal(await post("hello", { session: "s1", hello: newer, fence: 0 }), "protocol_unsupported");
    assert.equal(await post("hello", { session: "s1", hello: HELLO, fence: -1 }), "request_malformed");
    assert.equal(await post("reports", { session: "s1", report: {} }), "report_malformed");
    const report = { ...REPORT, report: "berth.report/v2" };
    assert.equal(await post("reports", { session: "s1", report }), "report_unsupported_version");
    assert.equal(await post("desired", { session: "s1", waitMs: 30_001 }), "request_malformed");
    assert.equal(await post("desired", { session: "a b", waitMs: 0 }), "request_malformed");
    const many = Array.from({ length: 257 }, () => EVENTS.events[0]);
    assert.equal(await post("events", { ...EVENTS, events: many }), "request_malformed");
    const event = { claim: "c", event: "expire", fence: 1 };
    assert.equal(await post("events", { ...EVENTS, events: [event] }), "request_malformed");
    assert.equal(control.told.length, told);
  });

  it("is not heard without its credential, not even by a token of the API", async () => {
    const token = "t".repeat(20);
    const entry = { name: "root", role: "admin", sha256: createHash("sha256").update(token).digest("hex") };
    const tokens = parseTokensDocument({ tokens: "berth.tokens/v1", entries: [entry] }, "tokens");
    const view = testView();
    const control = testControl(view);
    const server = testServer(view, { control, tokens: () => tokens });
    for (const authorization of [undefined, "Bearer", `Bearer ${token}`, `Basic ${TEST_CREDENTIAL}`]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await server.inject({ method: "POST", url: "/v1/agent/events", headers, body: EVENTS });
      assert.equal(answer.json<ErrorAnswer>().code, "agent_not_authenticated");
      assert.equal(answer.headers["www-authenticate"], "Bearer");
    }
    const headers = { authorization: `Bearer ${TEST_CREDENTIAL}` };
    const reading = await server.inject({ url: "/v1/hosts", headers });
    assert.equal(reading.json<ErrorAnswer>().code, "not_authenticated");
    assert.equal(control.told.length, 0);
  });

  it("enrols without a credential", async () => {
    const { server, control } = fixture();
    const client = makeAgentClient(fetchInProcess(server));
    const answer = await client.enrol({ secret: "s".repeat(32), host: "b" });
    assert.equal(answer.credential, TEST_CREDENTIAL);
    assert.deepEqual(control.told, [["enrol", { secret: "s".repeat(32), host: "b" }]]);
    await assert.rejects(client.enrol({ secret: "short", host: "b" }), { code: "request_malformed" });
  });
});

describe("rate limits", () => {
  const once = { perSecond: 1, burst: 1 };

  it("stop an agent that asks too often, and say when to come back", async () => {
    const { client, server } = fixture({ agents: once });
    await client.tell(EVENTS);
    await assert.rejects(client.tell(EVENTS), { code: "rate_limited", httpStatus: 429 });
    const headers = { authorization: `Bearer ${TEST_CREDENTIAL}` };
    const answer = await server.inject({ method: "POST", url: "/v1/agent/events", headers, body: EVENTS });
    assert.equal(answer.headers["retry-after"], "1");
  });

  it("stop an address whose credentials are not known, and nobody who has one", async () => {
    const { client, server } = fixture({ failures: { perSecond: 0.1, burst: 1 } });
    const guess = async (): Promise<readonly [string, unknown]> => {
      const headers = { authorization: `Bearer ${"x".repeat(40)}` };
      const answer = await server.inject({ method: "POST", url: "/v1/agent/events", headers, body: EVENTS });
      return [answer.json<ErrorAnswer>().code, answer.headers["retry-after"]];
    };
    assert.deepEqual(await guess(), ["agent_not_authenticated", undefined]);
    assert.deepEqual(await guess(), ["rate_limited", "10"]);
    await client.tell(EVENTS);
  });

  it("stop an address that tries enrolment tokens before anything is asked of the store", async () => {
    const view = testView();
    const control = testControl(view);
    let asked = 0;
    const enrol = async (): Promise<never> => {
      asked += 1;
      throw new BerthError("enrolment_refused", "There is no such token");
    };
    const agents = { ...control.agents, enrol };
    const limits = { failures: { perSecond: 1, burst: 2 } };
    const server = testServer(view, { control: { ...control, agents }, limits, now: () => 0 });
    const client = makeAgentClient(fetchInProcess(server));
    const codes: unknown[] = [];
    for (let time = 0; time < 4; time += 1) {
      const tried = client.enrol({ secret: "s".repeat(32), host: "b" });
      codes.push(await tried.catch((error: BerthError) => error.code));
    }
    assert.deepEqual(codes, ["enrolment_refused", "enrolment_refused", "rate_limited", "rate_limited"]);
    assert.equal(asked, 2);
  });

  it("stop a token that asks too often, and no other", async () => {
    const entries = ["one", "two"].map((name) => {
      return { name, role: "viewer", sha256: createHash("sha256").update(name.padEnd(20, "-")).digest("hex") };
    });
    const tokens = parseTokensDocument({ tokens: "berth.tokens/v1", entries }, "tokens");
    let nowMs = 0;
    const server = testServer(testView(), { tokens: () => tokens, limits: { callers: once }, now: () => nowMs });
    const ask = async (name: string): Promise<number> => {
      const headers = { authorization: `Bearer ${name.padEnd(20, "-")}` };
      return (await server.inject({ url: "/v1/hosts", headers })).statusCode;
    };
    assert.deepEqual([await ask("one"), await ask("one"), await ask("two")], [200, 429, 200]);
    nowMs = 1000;
    assert.equal(await ask("one"), 200);
  });
});
