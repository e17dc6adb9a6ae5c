// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { claimOf } from "../../claim/test-claim.ts";
import { makeAgentClient, AGENT_ANSWER_MS, type AgentClient } from "../agent/agent-client.ts";
import type { ApiRequest, FetchLike } from "./client.ts";
import { makeControlClient, type ControlClient } from "./control-client.ts";

const GENERATION = { epoch: "e", revision: 1 };
const DONE = { generation: GENERATION, host: "b", changed: true, claims: [] };
const GRANTED = {
  kind: "granted",
  generation: GENERATION,
  claim: { ...claimOf(), revision: 1 },
  tried: [],
  dryRun: false,
  steps: [],
};

/** A transport that answers one thing and notes what it was asked. */
function transport(answer: unknown): { readonly asked: ApiRequest[]; readonly send: FetchLike } {
  const asked: ApiRequest[] = [];
  return {
    asked,
    send: async (request) => {
      asked.push(request);
      return { status: 200, body: JSON.stringify(answer) };
    },
  };
}

describe("makeControlClient()", () => {
  it("sends an idempotency key with a claim: the caller's, or a fresh one, or none", async () => {
    const { asked, send } = transport(GRANTED);
    let drawn = 0;
    const client = makeControlClient(send, { token: "t", newKey: () => `fresh-${(drawn += 1)}` });
    const body = { for: { host: "a", device: "x" } };
    assert.deepEqual(await client.claim(body), GRANTED);
    await client.claim(body);
    await client.claim(body, { idempotencyKey: "mine" });
    await makeControlClient(send).claim(body);
    assert.deepEqual(
      asked.map(({ headers }) => headers["idempotency-key"]),
      ["fresh-1", "fresh-2", "mine", undefined],
    );
    assert.equal(drawn, 2);
    assert.equal(asked[0]?.headers["authorization"], "Bearer t");
    assert.equal(asked[0]?.body, JSON.stringify(body));
  });

  it("orders with a body where one is taken, and without one elsewhere", async () => {
    const { asked, send } = transport(DONE);
    const client = makeControlClient(send);
    await client.cordonHost("a/b");
    await client.uncordonHost("a/b");
    assert.deepEqual(
      asked.map(({ method, path, body }) => [method, path, body]),
      [
        ["POST", "/v1/hosts/a%2Fb/cordon", "{}"],
        ["POST", "/v1/hosts/a%2Fb/uncordon", undefined],
      ],
    );
  });

  const CALLS: Record<string, (client: ControlClient) => Promise<unknown>> = {
    claim: (client) => client.claim({ for: { host: "a", device: "x" } }),
    listVms: (client) => client.listVms(),
    readVm: (client) => client.readVm("a", "x"),
    findVmCandidates: (client) => client.findVmCandidates({ source: { host: "a", vm: "x" } }),
    listClaims: (client) => client.listClaims(),
    fenceHost: (client) => client.fenceHost("a"),
    probe: (client) => client.probe({ source: { host: "a", device: "x" }, destination: { host: "b", device: "y" } }),
    listAgents: (client) => client.listAgents(),
    makeEnrolment: (client) => client.makeEnrolment({ host: "a" }),
    listAudit: (client) => client.listAudit({ day: "2026-11-20" }),
  };
  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name} refuses an answer of another shape`, async () => {
      const client = makeControlClient(transport({ generation: GENERATION, kind: "granted", items: [{}] }).send);
      await assert.rejects(call(client), { code: "server_answer_malformed" });
    });
  }

  it("passes over keys that it does not know", async () => {
    const page = { generation: { ...GENERATION, more: 1 }, items: [{ host: "a", parents: [], vms: [], more: 1 }] };
    assert.deepEqual(await makeControlClient(transport(page).send).listAdoptions(), page);
  });

  it("takes no answer for a device as one for a VM", async () => {
    const answer = { generation: GENERATION, source: {}, candidates: [], excludedHosts: [], notChecked: [] };
    const client = makeControlClient(transport(answer).send);
    const wish = client.findVmCandidates({ source: { host: "a", vm: "x" } });
    await assert.rejects(wish, { code: "server_answer_malformed" });
  });
});

describe("makeAgentClient()", () => {
  const SAME = { kind: "same", cursor: { epoch: "e", revision: 4 } };

  it("sends the credential with everything but enrolment", async () => {
    const { asked, send } = transport({ host: "a", credential: "c", generation: 2 });
    const client = makeAgentClient(send, { credential: "secret" });
    assert.equal((await client.enrol({ secret: "x", host: "a" })).generation, 2);
    await assert.rejects(client.tell({ session: "s", events: [], notices: [], probes: [] }));
    assert.deepEqual(
      asked.map(({ path, headers }) => [path, headers["authorization"]]),
      [
        ["/v1/agent/enrol", undefined],
        ["/v1/agent/events", "Bearer secret"],
      ],
    );
  });

  it("waits for a long poll as long as it lasts and an answer may take, and hands its signal on", async () => {
    const { asked, send } = transport(SAME);
    const client = makeAgentClient(send, { credential: "c" });
    const { signal } = new AbortController();
    assert.deepEqual(await client.desired({ session: "s", waitMs: 20_000 }, { signal }), SAME);
    await assert.rejects(client.report({ session: "s", report: {} as never }));
    assert.deepEqual(
      asked.map(({ timeoutMs }) => timeoutMs),
      [20_000 + AGENT_ANSWER_MS, AGENT_ANSWER_MS],
    );
    assert.equal(asked[0]?.signal, signal);
  });

  const state = {
    desired: "berth.desired/v1",
    host: "b",
    cursor: { epoch: "e", revision: 4 },
    adoptedParents: ["p0"],
    claims: [{ claim: claimOf({ state: "bound", claimant: { kind: "profile" } }), repairsDrift: true }],
    probes: [{ id: "p", at: { kind: "device", device: "x" }, version: "v", driverPrefix: "drv" }],
  };
  const CASES: Record<string, { readonly change: object; readonly isFine: boolean }> = {
    "what is wanted": { change: {}, isFine: true },
    "what is wanted with keys that it does not know": { change: { more: 1 }, isFine: true },
    "another format": { change: { desired: "berth.desired/v2" }, isFine: false },
    "a claim in a state that it does not know": {
      change: { claims: [{ claim: { ...claimOf(), state: "frozen" } }] },
      isFine: false,
    },
    "a claim without devices": { change: { claims: [{ claim: { ...claimOf(), devices: [] } }] }, isFine: false },
    "a probe of nothing": { change: { probes: [{ id: "p", version: "v", driverPrefix: "drv" }] }, isFine: false },
  };
  for (const [name, { change, isFine }] of Object.entries(CASES)) {
    it(`${isFine ? "takes" : "refuses"} ${name}`, async () => {
      const answer = { kind: "state", state: { ...state, ...change } };
      const client: AgentClient = makeAgentClient(transport(answer).send, { credential: "c" });
      const asked = client.desired({ session: "s", waitMs: 0 });
      if (isFine) assert.deepEqual(await asked, answer);
      else await assert.rejects(asked, { code: "server_answer_malformed" });
    });
  }
});
