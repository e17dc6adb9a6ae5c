// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import { decideReport } from "@berth/core/report/decide-report";
import { makeProbeBook } from "../probes/make-probe-book.ts";
import { startTestReplica } from "../replica/test-replica.ts";
import { openTestStore, putAdoption } from "../replica/test-store.ts";
import { makeAgentDesk } from "./make-agent-desk.ts";
import { helloOf, OPERATOR, reportWhole, splitOf } from "./test-desk.ts";

describe("makeAgentDesk()", () => {
  it("works on the replica of a server: what an agent reports is in its view", async () => {
    const test = openTestStore();
    const replica = await startTestReplica(test);
    let number = 0;
    const newId = (): string => `id-${String((number += 1)).padStart(5, "0")}`;
    const now = (): number => 1_000;
    const probes = makeProbeBook({ replica, now, newId });
    const claims = { hear: async () => [], raiseFence: async () => undefined, repairsDrift: () => false };
    const newSecret = (): string => String((number += 1)).padStart(43, "s");
    const desk = makeAgentDesk({ replica, claims, probes, now, newId, newSecret, alarm: test.alarm.set });

    const { token } = await desk.makeEnrolment({ host: "a" }, OPERATOR);
    const { credential } = await desk.enrol({ ...parseEnrolmentToken(token), host: "a" });
    assert.equal(desk.authenticate(credential), "a");
    await desk.hello("a", helloOf("a", "s1"));
    const split = splitOf("a", 2);
    const server = { desk } as Parameters<typeof reportWhole>[0];
    assert.equal((await reportWhole(server, split, { session: "s1", sequence: 1 })).kind, "applied");
    await replica.reached(test.journal.revision);
    assert.equal(replica.view.findHost("a")?.host.snapshot.devices.length, 2);
    const delta = decideReport(split, splitOf("a", 3), { generation: 1, sequence: 2 });
    assert.deepEqual(
      [delta.kind, (await desk.report("a", { session: "s1", report: delta })).kind],
      ["delta", "applied"],
    );
    await replica.reached(test.journal.revision);
    assert.equal(replica.view.findHost("a")?.host.snapshot.devices.length, 3);

    const seen = replica.cursor;
    await desk.desired("a", { session: "s1", waitMs: 0 }, new AbortController().signal);
    const waiting = desk.desired("a", { session: "s1", seen, waitMs: 9_000 }, new AbortController().signal);
    await new Promise((resolve) => setImmediate(resolve));
    await test.write(putAdoption("a", { parents: ["p"] }));
    const answer = await waiting;
    assert.deepEqual(answer.kind === "state" && answer.state.adoptedParents, ["p"]);

    const [item] = desk.listAgents();
    assert.deepEqual([item?.life, item?.reportedAtMs], ["connected", 1_000]);
    test.alarm.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    await replica.reached(test.journal.revision);
    assert.ok(replica.isPresent("a"));
    assert.deepEqual(replica.listProblems(), []);
    await desk.close();
    await replica.reached(test.journal.revision);
    assert.equal(replica.isPresent("a"), false);
    await replica.close();
  });
});
