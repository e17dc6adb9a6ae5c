// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { formatEnrolmentToken, parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { decideReport } from "@berth/core/report/decide-report";
import type { Report } from "@berth/core/report/report";
import { listAudit } from "../audit/audit-trail.ts";
import type { AgentDocument } from "../documents/documents.ts";
import { keyOf, sha256 } from "../documents/keys.ts";
import {
  enrolHost,
  helloOf,
  openFleet,
  openServer,
  OPERATOR,
  reportWhole,
  splitOf,
  type TestFleet,
  type TestServer,
} from "./test-desk.ts";

let fleet: TestFleet;
let server: TestServer;

beforeEach(() => {
  fleet = openFleet();
  server = openServer(fleet, { pin: "a".repeat(64) });
});
afterEach(() => server.close());

/** The code that something is refused with. */
async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BerthError) return error.code;
    throw error;
  }
  return "done";
}

function authCode(on: TestServer, credential: string): string {
  try {
    return on.desk.authenticate(credential);
  } catch (error) {
    return (error as BerthError).code;
  }
}

async function stored(kind: "inventory" | "reported" | "agent" | "enrolment", name = ""): Promise<readonly string[]> {
  const { documents } = await server.store.read({ key: keyOf(kind, name), prefix: true });
  return documents.map(({ value }) => value);
}

async function actions(): Promise<readonly string[]> {
  const { items } = await listAudit(server.store, { limit: 100 });
  return items.map(({ principal, action, target }) => `${principal}: ${action} ${target}`);
}

const REQUEST = { events: [], notices: [], probes: [] };
const forever = (): AbortSignal => new AbortController().signal;

describe("makeEnrolment()", () => {
  it("answers a token with the pin, and stores its hash alone", async () => {
    const { token, expiresAtMs, host } = await server.desk.makeEnrolment({ host: "a", ttlSeconds: 60 }, OPERATOR);
    const { secret, pin } = parseEnrolmentToken(token);
    assert.deepEqual([host, pin, expiresAtMs], ["a", "a".repeat(64), fleet.clock.nowMs + 60_000]);
    const { documents } = await server.store.read({ key: keyOf("enrolment", sha256(secret)) });
    assert.equal(documents.length, 1);
    const all = await server.store.read({ key: "", prefix: true });
    assert.ok(!JSON.stringify(all.documents).includes(secret));
    assert.deepEqual(await actions(), ["op: agent.invite a"]);
  });

  it("refuses names that no key holds, and times out of bounds", async () => {
    for (const body of [{ host: "" }, { host: "a b" }, { host: "a/b" }, { host: "a", ttlSeconds: 59 }]) {
      assert.equal(await codeOf(() => server.desk.makeEnrolment(body, OPERATOR)), "request_malformed");
    }
  });
});

describe("enrol()", () => {
  it("gives a credential for the token's host, and keeps its hash alone", async () => {
    const { token } = await server.desk.makeEnrolment({ host: "a" }, OPERATOR);
    const { secret } = parseEnrolmentToken(token);
    const { host, credential, generation } = await server.desk.enrol({ secret, host: "other" });
    assert.deepEqual([host, generation, authCode(server, credential)], ["a", 0, "a"]);
    const all = await server.store.read({ key: "", prefix: true });
    assert.ok(!JSON.stringify(all.documents).includes(credential));
    assert.deepEqual(await actions(), ["op: agent.invite a", "agent a: agent.enrol a"]);
    const audited = await listAudit(server.store, { limit: 9 });
    assert.ok(!JSON.stringify(audited).includes(sha256(credential)));
  });

  it("refuses a token that was used, is not known or has run out, all alike", async () => {
    const { token } = await server.desk.makeEnrolment({ host: "a" }, OPERATOR);
    const { secret } = parseEnrolmentToken(token);
    await server.desk.enrol({ secret, host: "a" });
    assert.equal(await codeOf(() => server.desk.enrol({ secret, host: "a" })), "enrolment_refused");
    assert.equal(await codeOf(() => server.desk.enrol({ secret: "x".repeat(43), host: "a" })), "enrolment_refused");
    const late = parseEnrolmentToken((await server.desk.makeEnrolment({ host: "b" }, OPERATOR)).token);
    assert.equal((await stored("enrolment")).length, 1);
    fleet.clock.nowMs += 3_600_000;
    assert.equal(await codeOf(() => server.desk.enrol({ ...late, host: "b" })), "enrolment_refused");
    assert.deepEqual([await stored("enrolment"), await stored("agent", "b")], [[], []]);
  });

  it("takes the old credential away, forgets sessions and conflicts, and goes on above old generations", async () => {
    const old = await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1", { generation: 5 }));
    await server.desk.hello("a", helloOf("a", "s2", { generation: 6 }));
    await codeOf(() => server.desk.hello("a", helloOf("a", "s1", { generation: 5 })));
    await server.desk.revoke("a", OPERATOR);
    const { token } = await server.desk.makeEnrolment({ host: "a" }, OPERATOR);
    const fresh = await server.desk.enrol({ secret: parseEnrolmentToken(token).secret, host: "a" });
    assert.deepEqual([authCode(server, old), authCode(server, fresh.credential)], ["agent_not_authenticated", "a"]);
    assert.equal(fresh.generation, 6);
    assert.equal(
      await codeOf(() => server.desk.hello("a", helloOf("a", "s3", { generation: 5 }))),
      "hello_old_generation",
    );
    assert.equal(await codeOf(() => server.desk.hello("a", helloOf("a", "s1", { generation: 7 }))), "done");
  });

  it("makes a token that a person can carry", () => {
    const token = formatEnrolmentToken({ secret: "s".repeat(43) });
    assert.deepEqual(parseEnrolmentToken(` ${token}\n`), { secret: "s".repeat(43) });
  });
});

describe("authenticate()", () => {
  it("knows a credential that another server gave, as soon as the replica shows it", async () => {
    const other = openServer(fleet, { name: "r2" });
    const resume = other.replica.stop();
    const credential = await enrolHost(server, "a");
    assert.equal(authCode(other, credential), "agent_not_authenticated");
    resume();
    await other.replica.reached(fleet.journal.revision);
    assert.equal(authCode(other, credential), "a");
    await other.close();
  });

  it("refuses what is no credential, and one that was taken back", async () => {
    const credential = await enrolHost(server, "a");
    for (const text of ["", "__proto__", credential.slice(1), `${credential}x`, "x".repeat(100_000)]) {
      assert.equal(authCode(server, text), "agent_not_authenticated");
    }
    await server.desk.revoke("a", OPERATOR);
    await server.desk.revoke("a", OPERATOR);
    assert.equal(authCode(server, credential), "agent_revoked");
    assert.equal((await actions()).filter((action) => action === "op: agent.revoke a").length, 1);
    assert.equal(await codeOf(() => server.desk.revoke("nobody", OPERATOR)), "unknown_host");
    assert.equal(await codeOf(() => server.desk.hello("a", helloOf("a", "s1"))), "agent_revoked");
  });
});

describe("hello()", () => {
  it("welcomes a session, and again, on every server, without another write", async () => {
    await enrolHost(server, "a");
    const other = openServer(fleet, { name: "r2" });
    const welcome = { kind: "welcome", protocol: 1, features: [] };
    assert.deepEqual(await server.desk.hello("a", helloOf("a", "s1")), welcome);
    const { revision } = fleet.journal;
    assert.deepEqual(await server.desk.hello("a", helloOf("a", "s1")), welcome);
    assert.deepEqual(await other.desk.hello("a", helloOf("a", "s1")), welcome);
    assert.equal(fleet.journal.revision, revision);
    await other.close();
  });

  it("tells what is known of the host", async () => {
    await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1"));
    await reportWhole(server, splitOf("a", 2), { session: "s1", sequence: 4 });
    const answer = await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    const { digest } = splitOf("a", 2);
    assert.deepEqual(answer.kind === "welcome" && answer.known, { generation: 1, sequence: 4, digest });
  });

  it("refuses another host, another protocol, an older generation, and what is no session", async () => {
    await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1", { generation: 3 }));
    const newer = helloOf("a", "s2", { generation: 4 });
    const requests = {
      hello_wrong_host: helloOf("b", "s2", { generation: 4 }),
      protocol_unsupported: { ...newer, hello: { ...newer.hello, protocol: { min: 2, max: 9 } } },
      hello_old_generation: helloOf("a", "s2", { generation: 2 }),
      hello_malformed: { ...newer, fence: Number.MAX_SAFE_INTEGER },
    };
    for (const [code, request] of Object.entries(requests)) {
      assert.equal(await codeOf(() => server.desk.hello("a", request)), code);
    }
    assert.equal(await codeOf(() => server.desk.hello("a", { ...newer, session: "" })), "hello_malformed");
    assert.equal(await codeOf(() => server.desk.hello("nobody", helloOf("nobody", "s"))), "agent_not_authenticated");
  });

  it("refuses a generation below one that said hello and did not report", async () => {
    await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1"));
    await reportWhole(server, splitOf("a", 2), { session: "s1", sequence: 1 });
    await server.desk.hello("a", helloOf("a", "s3", { generation: 3 }));
    const old = await codeOf(() => server.desk.hello("a", helloOf("a", "s2", { generation: 2 })));
    assert.equal(old, "hello_old_generation");
  });

  it("loses no session where two say hello at once, at two servers", async () => {
    await enrolHost(server, "a");
    const other = openServer(fleet, { name: "r2" });
    await Promise.all([server.desk.hello("a", helloOf("a", "s1")), other.desk.hello("a", helloOf("a", "s2"))]);
    const { session = "", replaced } = JSON.parse((await stored("agent", "a"))[0] ?? "") as AgentDocument;
    assert.deepEqual([session, ...replaced].toSorted(), ["s1", "s2"]);
    await other.close();
  });

  it("raises the ledger's fence where the agent has admitted a higher one", async () => {
    await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1", { fence: 0 }));
    await server.desk.hello("a", helloOf("a", "s1", { fence: 7 }));
    assert.deepEqual(server.heard.fences, [7]);
    const ledger = JSON.stringify({ host: "a", fence: 7, entries: [] });
    const put = { kind: "put", key: "ledger/a", value: ledger } as const;
    const { revision } = await server.store.transact({ compares: [], writes: [put] });
    await server.replica.reached(revision);
    await server.desk.hello("a", helloOf("a", "s1", { fence: 7 }));
    assert.deepEqual(server.heard.fences, [7]);
  });
});

describe("two lives of one credential", () => {
  it("are found out when the first one comes back, and both are refused until the host is enrolled again", async () => {
    await enrolHost(server, "a");
    const copy = openServer(fleet, { name: "r2" });
    await server.desk.hello("a", helloOf("a", "s1", { generation: 1 }));
    await copy.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    assert.equal(
      await codeOf(() => reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 })),
      "session_replaced",
    );
    // The older generation of a copy is not what matters.
    const again = (): Promise<unknown> => copy.desk.hello("a", helloOf("a", "s1", { generation: 1 }));
    assert.deepEqual([await codeOf(again), await codeOf(again)], ["session_replaced", "agent_conflict"]);
    await server.replica.reached(fleet.journal.revision);
    for (const [at, session] of [
      [server, "s1"],
      [copy, "s2"],
      [copy, "s3"],
    ] as const) {
      const report = (): Promise<unknown> => reportWhole(at, splitOf("a", 1), { session, generation: 2, sequence: 1 });
      assert.equal(await codeOf(report), "agent_conflict");
      const hello = (): Promise<unknown> => at.desk.hello("a", helloOf("a", session, { generation: 3 }));
      assert.equal(await codeOf(hello), "agent_conflict");
      const events = (): Promise<unknown> => at.desk.hear("a", { session, ...REQUEST });
      assert.equal(await codeOf(events), "agent_conflict");
      const desired = (): Promise<unknown> => at.desk.desired("a", { session, waitMs: 0 }, forever());
      assert.equal(await codeOf(desired), "agent_conflict");
    }
    const [item] = server.desk.listAgents();
    assert.equal(item?.life, "conflict");
    assert.equal(server.desk.isHeard("a"), false);
    const document = JSON.parse((await stored("agent", "a"))[0] ?? "") as { conflict: { sessions: unknown } };
    assert.deepEqual(document.conflict.sessions, ["s2", "s1"]);
    assert.ok((await actions()).includes("berth: agent.conflict a"));
    const credential = await enrolHost(server, "a");
    assert.equal(authCode(server, credential), "a");
    assert.equal(await codeOf(() => server.desk.hello("a", helloOf("a", "s4", { generation: 3 }))), "done");
    await copy.close();
  });

  it("are no conflict where hellos of the one that died come late, at any server", async () => {
    await enrolHost(server, "a");
    const other = openServer(fleet, { name: "r2" });
    const late = (at: TestServer): Promise<unknown> => codeOf(() => at.desk.hello("a", helloOf("a", "s1")));
    await server.desk.hello("a", helloOf("a", "s1"));
    await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    const codes = await Promise.all([late(server), late(server), late(other)]);
    assert.deepEqual(codes, ["session_replaced", "session_replaced", "session_replaced"]);
    assert.equal(await codeOf(() => server.desk.hello("a", helloOf("a", "s2", { generation: 2 }))), "done");
    await other.close();
  });

  it("are no conflict where an agent starts again, however often", async () => {
    await enrolHost(server, "a");
    for (let life = 1; life <= 12; life++) {
      assert.equal(await codeOf(() => server.desk.hello("a", helloOf("a", `s${life}`, { generation: life }))), "done");
    }
    const document = JSON.parse((await stored("agent", "a"))[0] ?? "") as { replaced: string[] };
    assert.deepEqual(document.replaced, ["s11", "s10", "s9", "s8", "s7", "s6", "s5", "s4"]);
  });
});

describe("report()", () => {
  beforeEach(async () => {
    await enrolHost(server, "a");
    await server.desk.hello("a", helloOf("a", "s1"));
  });

  const unchanged = (devices: number, sequence: number): { session: string; report: Report } => {
    const split = splitOf("a", devices);
    return { session: "s1", report: decideReport(split, split, { generation: 1, sequence }) };
  };

  it("asks for shapes once a fleet, writes what changed, and nothing where nothing did", async () => {
    const split = splitOf("a", 2);
    const first = await server.desk.report("a", {
      session: "s1",
      report: decideReport(undefined, split, { generation: 1, sequence: 1 }),
    });
    assert.equal(first.kind, "need-shapes");
    assert.deepEqual(await stored("inventory"), []);
    const applied = { kind: "applied", generation: 1, sequence: 2, digest: split.digest };
    assert.deepEqual(await reportWhole(server, split, { session: "s1", sequence: 2 }), applied);
    assert.deepEqual(await stored("inventory"), [split.text]);
    const reported = { generation: 1, sequence: 2, digest: split.digest, atMs: fleet.clock.nowMs };
    assert.deepEqual(JSON.parse((await stored("reported"))[0] ?? ""), reported);

    const { revision } = fleet.journal;
    assert.deepEqual(await server.desk.report("a", unchanged(2, 3)), { ...applied, sequence: 3 });
    assert.equal(fleet.journal.revision, revision);

    const next = splitOf("a", 3);
    const delta = decideReport(split, next, { generation: 1, sequence: 4 });
    assert.equal(delta.kind, "delta");
    const answer = await server.desk.report("a", { session: "s1", report: delta });
    assert.deepEqual(answer, { ...applied, sequence: 4, digest: next.digest });
    assert.deepEqual(await stored("inventory"), [next.text]);
    // The same again: its answer was lost.
    assert.deepEqual(await server.desk.report("a", { session: "s1", report: delta }), answer);

    await enrolHost(server, "b");
    await server.desk.hello("b", helloOf("b", "t1"));
    const other = decideReport(undefined, splitOf("b", 2), { generation: 1, sequence: 1 });
    assert.equal((await server.desk.report("b", { session: "t1", report: other })).kind, "applied");
  });

  it("puts only shapes that the inventory rests on", async () => {
    const split = splitOf("a", 2);
    const report = decideReport(undefined, split, { generation: 1, sequence: 1 });
    const stray = '"stray"';
    const shapes = { ...Object.fromEntries(split.shapes), [sha256(stray)]: stray };
    await server.desk.report("a", { session: "s1", report: { ...report, shapes } as Report });
    const { documents } = await server.store.read({ key: "catalogue/", prefix: true });
    assert.deepEqual(
      documents.map(({ key }) => key),
      [...split.shapes.keys()].map((digest) => `catalogue/${digest}`).toSorted(),
    );
  });

  it("refuses another host, an older order, another generation and another session", async () => {
    await reportWhole(server, splitOf("a", 2), { session: "s1", sequence: 5 });
    await server.desk.report("a", unchanged(2, 9));
    const split = splitOf("a", 3);
    const whole = (generation: number, sequence: number): Report =>
      decideReport(undefined, split, { generation, sequence });
    const refusals = [
      ["s1", { ...whole(1, 10), host: "b" }, "report_wrong_host"],
      ["s1", decideReport(undefined, splitOf("b", 1), { generation: 1, sequence: 10 }), "report_wrong_host"],
      // Unchanged reports move the order on, though nothing was written.
      ["s1", whole(1, 8), "report_out_of_order"],
      ["s1", whole(1, 9), "report_out_of_order"],
      ["s1", whole(2, 1), "report_out_of_order"],
      ["s1", whole(0, 20), "report_out_of_order"],
      ["s0", whole(1, 10), "session_replaced"],
    ] as const;
    for (const [session, report, code] of refusals) {
      assert.equal(await codeOf(() => server.desk.report("a", { session, report })), code);
    }
    assert.deepEqual(await stored("inventory"), [splitOf("a", 2).text]);
  });

  it("goes on where the replica is behind what this server wrote", async () => {
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    await server.replica.reached(fleet.journal.revision);
    const resume = server.replica.stop();
    for (const [sequence, devices] of [2, 3, 4].entries()) {
      const report = decideReport(splitOf("a", devices - 1), splitOf("a", devices), {
        generation: 1,
        sequence: sequence + 2,
      });
      assert.deepEqual(
        [report.kind, (await server.desk.report("a", { session: "s1", report })).kind],
        ["delta", "applied"],
      );
    }
    assert.deepEqual(await stored("inventory"), [splitOf("a", 4).text]);
    resume();
  });

  it("decides again on what another server wrote", async () => {
    const other = openServer(fleet, { name: "r2" });
    await other.replica.reached(fleet.journal.revision);
    const resume = other.replica.stop();
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    // The other one knows of no report, and of no shape.
    assert.equal((await reportWhole(other, splitOf("a", 2), { session: "s1", sequence: 2 })).kind, "applied");
    assert.deepEqual(await stored("inventory"), [splitOf("a", 2).text]);
    const old = await codeOf(() => reportWhole(other, splitOf("a", 3), { session: "s1", sequence: 1 }));
    assert.equal(old, "report_out_of_order");
    resume();
    await other.close();
  });

  it("writes nothing for a server that is behind: of a session that was replaced, or older than what is there", async () => {
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    const other = openServer(fleet, { name: "r2" });
    await other.replica.reached(fleet.journal.revision);
    const resume = other.replica.stop();
    await reportWhole(server, splitOf("a", 2), { session: "s1", sequence: 5 });
    const old = await codeOf(() => reportWhole(other, splitOf("a", 3), { session: "s1", sequence: 2 }));
    assert.deepEqual([old, await stored("inventory")], ["report_out_of_order", [splitOf("a", 2).text]]);
    await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    const replaced = await codeOf(() => reportWhole(other, splitOf("a", 3), { session: "s1", sequence: 9 }));
    assert.deepEqual([replaced, await stored("inventory")], ["session_replaced", [splitOf("a", 2).text]]);
    resume();
    await other.close();
  });

  it("writes nothing of a replaced session though the inventory is what it was", async () => {
    await reportWhole(server, splitOf("a", 1), { session: "s1", sequence: 1 });
    const other = openServer(fleet, { name: "r2" });
    await other.replica.reached(fleet.journal.revision);
    const resume = other.replica.stop();
    await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    const replaced = await codeOf(() => reportWhole(other, splitOf("a", 3), { session: "s1", sequence: 2 }));
    assert.deepEqual([replaced, await stored("inventory")], ["session_replaced", [splitOf("a", 1).text]]);
    resume();
    await other.close();
  });

  it("listens to a session that another server welcomed a moment ago", async () => {
    const other = openServer(fleet, { name: "r2" });
    await other.replica.reached(fleet.journal.revision);
    const resume = other.replica.stop();
    await server.desk.hello("a", helloOf("a", "s2", { generation: 2 }));
    const order = { session: "s2", generation: 2, sequence: 1 };
    assert.equal((await reportWhole(other, splitOf("a", 2), order)).kind, "applied");
    // The replica there still shows the old one: what it would write is compared.
    const replaced = await codeOf(() => reportWhole(other, splitOf("a", 3), { session: "s1", sequence: 9 }));
    assert.equal(replaced, "session_replaced");
    assert.deepEqual(await stored("inventory"), [splitOf("a", 2).text]);
    resume();
    await other.close();
  });

  it("takes reports of one host one after the other, and not too many", async () => {
    await reportWhole(server, splitOf("a", 4), { session: "s1", sequence: 0 });
    let calls = 0;
    const turn = async (moment: "before" | "after"): Promise<void> => void (calls += moment === "before" ? 1 : 0);
    const busy = openServer(fleet, { name: "r2", turn });
    await busy.replica.reached(fleet.journal.revision);
    const codes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => {
        const report = decideReport(undefined, splitOf("a", at % 4), { generation: 1, sequence: at + 1 });
        return codeOf(() => busy.desk.report("a", { session: "s1", report }));
      }),
    );
    // One transaction each: none of them met another one.
    assert.equal(calls, 8);
    assert.deepEqual(codes, [
      ...Array.from({ length: 8 }, () => "done"),
      ...Array.from({ length: 4 }, () => "rate_limited"),
    ]);
    assert.deepEqual(await stored("inventory"), [splitOf("a", 3).text]);
    await busy.close();
  });
});
