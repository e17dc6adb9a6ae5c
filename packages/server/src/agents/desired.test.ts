// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Claim } from "@berth/core/claim/claim";
import type { ClaimState } from "@berth/core/claim/claim-state";
import type { DesiredAnswer, DesiredRequest } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { keyOf } from "../documents/keys.ts";
import { enrolHost, helloOf, openFleet, openServer, type TestFleet, type TestServer } from "./test-desk.ts";

let fleet: TestFleet;
let server: TestServer;

beforeEach(async () => {
  fleet = openFleet();
  server = openServer(fleet);
  for (const host of ["a", "b"]) {
    await enrolHost(server, host);
    await server.desk.hello(host, helloOf(host, "s1"));
  }
});
afterEach(() => server.close());

async function put(kind: "claim" | "adoption" | "probe", name: string, value: object): Promise<number> {
  const write = { kind: "put", key: keyOf(kind, name), value: JSON.stringify(value) } as const;
  const { revision } = await server.store.transact({ compares: [], writes: [write] });
  return revision;
}

async function putClaim(id: string, host: string, state: ClaimState): Promise<number> {
  const revision = await put("claim", id, { id, host, state } satisfies Partial<Claim>);
  await server.replica.reached(revision);
  return revision;
}

function ask(
  request: Partial<DesiredRequest> = {},
  on: TestServer = server,
  signal = new AbortController().signal,
): Promise<DesiredAnswer> {
  return on.desk.desired("a", { session: "s1", waitMs: 0, ...request }, signal);
}

/** What an agent has seen after an answer, and the claims that it was told. */
function seenIn(answer: DesiredAnswer): { readonly epoch: string; readonly revision: number } {
  return answer.kind === "state" ? answer.state.cursor : answer.cursor;
}

function idsIn(answer: DesiredAnswer): readonly string[] | undefined {
  return answer.kind === "state" ? answer.state.claims.map(({ claim }) => claim.id) : undefined;
}

/** Whether a promise is settled once everything that can happen has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

describe("desired()", () => {
  it("tells all of a host to who has seen nothing: claims that agents see, adopted parents, open probes", async () => {
    await putClaim("c3", "a", "provisioning");
    await putClaim("c1", "a", "releasing");
    await putClaim("c2", "a", "held");
    await putClaim("c4", "a", "released");
    await putClaim("c5", "b", "bound");
    await put("adoption", "a", { host: "a", parents: ["p1", "p2"], vms: [] });
    const wanted = { id: "p1", at: { kind: "device", device: "d" }, version: "v", driverPrefix: "x" };
    await put("probe", "p1", { id: "p1", host: "a", wanted });
    await put("probe", "p2", { id: "p2", host: "a", wanted, reply: { id: "p2", outcome: { kind: "accepted" } } });
    await server.replica.reached(await put("probe", "p3", { id: "p3", host: "b", wanted }));
    server.repairs.add("c1");
    const answer = await ask();
    assert.deepEqual(answer, {
      kind: "state",
      state: {
        desired: "berth.desired/v1",
        host: "a",
        cursor: server.replica.cursor,
        adoptedParents: ["p1", "p2"],
        claims: [
          { claim: { id: "c1", host: "a", state: "releasing" }, repairsDrift: true },
          { claim: { id: "c3", host: "a", state: "provisioning" } },
        ],
        probes: [wanted],
      },
    });
  });

  it("says that nothing is new, and moves the cursor on with what others changed", async () => {
    const seen = seenIn(await ask());
    const revision = await putClaim("c1", "b", "bound");
    assert.deepEqual(await ask({ seen }), { kind: "same", cursor: { epoch: "e1", revision } });
  });

  it("waits for news of its own host, and not for that of others", async () => {
    const seen = seenIn(await ask());
    const waiting = ask({ seen, waitMs: 20_000 });
    assert.equal(await isSettled(waiting), false);
    await putClaim("c1", "b", "bound");
    assert.equal(await isSettled(waiting), false);
    await putClaim("c2", "a", "bound");
    assert.deepEqual(idsIn(await waiting), ["c2"]);
  });

  it("waits as long as it may, and no longer than the server allows", async () => {
    const seen = seenIn(await ask());
    for (const [waitMs, takesMs] of [
      [5_000, 5_000],
      [3_600_000, 30_000],
    ] as const) {
      const waiting = ask({ seen, waitMs });
      assert.equal(await isSettled(waiting), false);
      fleet.alarm.advance(takesMs - 1);
      assert.equal(await isSettled(waiting), false);
      fleet.alarm.advance(1);
      assert.equal((await waiting).kind, "same");
    }
  });

  it("ends with its request, and with the desk", async () => {
    const seen = seenIn(await ask());
    const end = new AbortController();
    const waiting = ask({ seen, waitMs: 20_000 }, server, end.signal);
    assert.equal(await isSettled(waiting), false);
    end.abort(new Error("gone"));
    await assert.rejects(waiting, { message: "gone" });
    const other = ask({ seen, waitMs: 20_000 });
    assert.equal(await isSettled(other), false);
    await server.desk.close();
    assert.equal((await other).kind, "same");
  });

  it("tells what came between, also where in the end it is as it was", async () => {
    const first = seenIn(await ask());
    const put1 = await putClaim("c1", "a", "bound");
    await putClaim("c1", "a", "released");
    assert.deepEqual(idsIn(await ask({ seen: { epoch: "e1", revision: put1 } })), []);
    assert.deepEqual(idsIn(await ask({ seen: first })), []);
    assert.equal((await ask({ seen: server.replica.cursor })).kind, "same");
  });

  it("tells a repair that no document says", async () => {
    await putClaim("c1", "a", "bound");
    const seen = seenIn(await ask());
    server.repairs.add("c1");
    await putClaim("c9", "b", "bound");
    const answer = await ask({ seen });
    assert.equal(answer.kind === "state" && answer.state.claims[0]?.repairsDrift, true);
  });

  it("tells everything of another epoch", async () => {
    assert.equal((await ask({ seen: { epoch: "e0", revision: 1_000_000 } })).kind, "state");
  });

  it("never tells an agent what is older than what it has seen", async () => {
    const other = openServer(fleet, { name: "r2" });
    await putClaim("c1", "a", "bound");
    await other.replica.reached(fleet.journal.revision);
    const resume = other.replica.stop();
    const behind = other.replica.cursor;
    await putClaim("c1", "a", "releasing");
    const seen = seenIn(await ask());
    assert.deepEqual(await ask({ seen }, other), { kind: "same", cursor: behind });
    const waiting = ask({ seen, waitMs: 10_000 }, other);
    assert.equal(await isSettled(waiting), false);
    fleet.alarm.advance(10_000);
    assert.deepEqual(await waiting, { kind: "same", cursor: behind });
    const later = ask({ seen, waitMs: 10_000 }, other);
    assert.equal(await isSettled(later), false);
    resume();
    await other.replica.reached(seen.revision);
    await putClaim("c2", "a", "bound");
    const news = await later;
    assert.deepEqual([idsIn(news), seenIn(news)], [["c1", "c2"], server.replica.cursor]);
    await other.close();
  });

  it("refuses a session that was replaced, also while it waits", async () => {
    const seen = seenIn(await ask());
    const waiting = ask({ seen, waitMs: 20_000 });
    assert.equal(await isSettled(waiting), false);
    await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    await putClaim("c1", "a", "bound");
    await assert.rejects(waiting, (error) => error instanceof BerthError && error.code === "session_replaced");
    await assert.rejects(ask(), (error) => error instanceof BerthError && error.code === "session_replaced");
  });
});

describe("hear()", () => {
  const event = { event: "provisioned", fence: 1 } as const;

  it("passes on events and replies, and answers each event in its place", async () => {
    await putClaim("mine", "a", "provisioning");
    await putClaim("theirs", "b", "provisioning");
    const reply = { id: "p1", outcome: { kind: "accepted" } } as const;
    const events = ["mine", "theirs", "nobodys"].map((claim) => ({ claim, ...event }));
    const answer = await server.desk.hear("a", { session: "s1", events, notices: [], probes: [reply] });
    assert.deepEqual(
      answer.events.map(({ claim, kind, code }) => [claim, kind, code]),
      [
        ["mine", "applied", undefined],
        ["theirs", "refused", "unknown_claim"],
        ["nobodys", "applied", undefined],
      ],
    );
    assert.deepEqual(server.heard.events, ["mine provisioned", "nobodys provisioned"]);
    assert.deepEqual(server.heard.replies, [reply]);
  });

  it("keeps what is in the way until it is told anew, and nothing of other hosts' claims", async () => {
    await putClaim("theirs", "b", "bound");
    const reason = { code: "x", text: "X" };
    const notices = [{ reason }, { claim: "c1", reason }, { claim: "theirs", reason }];
    await server.desk.hear("a", { session: "s1", events: [], notices, probes: [] });
    assert.deepEqual(server.desk.listNotices("a"), [{ reason }, { claim: "c1", reason }]);
    assert.deepEqual(server.desk.listAgents()[0]?.notices.length, 2);
    await server.desk.hear("a", { session: "s1", events: [], notices: [], probes: [] });
    assert.deepEqual(server.desk.listNotices("a"), []);
  });

  it("refuses more events than a request may tell, and a session that does not count", async () => {
    const events = Array.from({ length: 257 }, () => ({ claim: "c", ...event }));
    const many = server.desk.hear("a", { session: "s1", events, notices: [], probes: [] });
    await assert.rejects(many, (error) => error instanceof BerthError && error.code === "request_malformed");
    const other = server.desk.hear("a", { session: "s0", events: [], notices: [], probes: [] });
    await assert.rejects(other, (error) => error instanceof BerthError && error.code === "session_replaced");
    assert.deepEqual(server.heard.events, []);
  });
});
