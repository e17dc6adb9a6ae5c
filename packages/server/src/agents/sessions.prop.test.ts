// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEnrolmentToken } from "@berth/core/protocol/agent/agent-wire";
import { BerthError } from "@berth/core/protocol/berth-error";
import { reportWithShapes } from "@berth/core/report/decide-report";
import type { SplitSnapshot } from "@berth/core/report/split-snapshot";
import fc from "fast-check";
import type { AgentDocument } from "../documents/documents.ts";
import { keyOf } from "../documents/keys.ts";
import type { WatchMessage } from "../store/store.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import {
  enrolHost,
  helloOf,
  openFleet,
  openServer,
  OPERATOR,
  splitOf,
  type TestFleet,
  type TestServer,
} from "./test-desk.ts";

const SESSIONS = ["s1", "s2"] as const;

/** What one of two lives of an agent does next, and at which server; or how a server's watch goes on. */
type Act =
  | { readonly kind: "hello" | "report"; readonly life: 0 | 1; readonly at: 0 | 1; readonly devices: number }
  | { readonly kind: "stop"; readonly at: 0 | 1 }
  | { readonly kind: "resume"; readonly at: 0 | 1 };

const LIFE = fc.constantFrom(0 as const, 1 as const);
const AT = fc.constantFrom(0 as const, 1 as const);
const ACT: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("hello" as const), life: LIFE, at: AT, devices: fc.constant(0) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("report" as const), life: LIFE, at: AT, devices: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stop" as const), at: AT }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("resume" as const), at: AT }) },
);

/** The two lives show numbers of devices that tell them apart. */
const SPLITS = Array.from({ length: 8 }, (_, devices) => splitOf("a", devices));

function splitOfLife(life: 0 | 1, devices: number): SplitSnapshot {
  return SPLITS[life * 4 + devices] ?? assert.fail();
}

function messagesOf(fleet: TestFleet): readonly WatchMessage[] {
  const page = fleet.journal.readLog(0, "");
  return page.kind === "page" ? page.messages : [];
}

/** Fails where an inventory was written by a life whose session did not count in the revision before. */
function checkWriters(messages: readonly WatchMessage[]): number {
  const lives = new Map([0, 1, 2].flatMap((n) => [0, 1].map((life) => [splitOfLife(life as 0 | 1, n).text, life])));
  let agent: AgentDocument | undefined;
  let written = 0;
  for (const message of messages) {
    const puts =
      message.kind === "changes" ? message.changes.flatMap((c) => (c.kind === "put" ? [c.document] : [])) : [];
    for (const { key, value } of puts) {
      if (key !== keyOf("inventory", "a")) continue;
      written += 1;
      const life = lives.get(value);
      assert.ok(life !== undefined);
      assert.equal(agent?.session, SESSIONS[life]);
      assert.equal(agent?.conflict, undefined);
    }
    const own = puts.find(({ key }) => key === keyOf("agent", "a"));
    if (own !== undefined) agent = JSON.parse(own.value) as AgentDocument;
  }
  return written;
}

async function expected(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    // Whatever else is thrown is a fault.
    if (!(error instanceof BerthError)) throw error;
    const codes = ["session_replaced", "agent_conflict", "report_out_of_order", "hello_old_generation", "rate_limited"];
    assert.ok(codes.includes(error.code), error.code);
  }
}

async function act(servers: readonly TestServer[], one: Act, sequence: number): Promise<void> {
  const server = servers[one.at];
  assert.ok(server !== undefined);
  if (one.kind === "stop" || one.kind === "resume") return;
  const { life } = one;
  const session: string = SESSIONS[life];
  const generation = life + 1;
  if (one.kind === "hello") return await expected(server.desk.hello("a", helloOf("a", session, { generation })));
  const split = splitOfLife(life, one.devices);
  const report = reportWithShapes(split, { generation, sequence }, [...split.shapes.keys()]);
  await expected(server.desk.report("a", { session, report }));
}

describe("two lives at two servers", () => {
  it("P1: a session that does not count never changes the inventory, however requests and watches interleave", async () => {
    let written = 0;
    const acts = fc.array(ACT, { minLength: 4, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(acts, fc.scheduler(), async (all, scheduler) => {
        const fleet = openFleet();
        const setup = openServer(fleet, { name: "r0" });
        await enrolHost(setup, "a");
        await setup.desk.hello("a", helloOf("a", "s1"));
        await setup.close();
        const turn = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const servers = ["r1", "r2"].map((name) => openServer(fleet, { name, turn }));
        for (const { replica } of servers) await replica.reached(fleet.journal.revision);
        const resumes = new Map<number, () => void>();
        const running = all.map((one, sequence) => {
          if (one.kind === "stop") resumes.set(one.at, servers[one.at]?.replica.stop() ?? (() => undefined));
          if (one.kind === "resume") resumes.get(one.at)?.();
          return act(servers, one, sequence);
        });
        const over = Promise.all(running);
        const clock = setInterval(() => fleet.alarm.advance(11_000), 0);
        try {
          await scheduler.waitFor(over);
        } finally {
          clearInterval(clock);
          for (const resume of resumes.values()) resume();
        }
        written += checkWriters(messagesOf(fleet));
        for (const { replica } of servers) replica.close();
      }),
      { numRuns: 40 },
    );
    assert.ok(written > 20, `only ${written} inventories were written`);
  });
});

describe("enrolment", () => {
  it("P2: of any number who come with one token at once, at any servers, one is enrolled", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 5 }), fc.scheduler(), async (many, scheduler) => {
        const fleet = openFleet();
        const setup = openServer(fleet, { name: "r0" });
        const { secret } = parseEnrolmentToken((await setup.desk.makeEnrolment({ host: "a" }, OPERATOR)).token);
        const turn = (): Promise<void> => scheduler.schedule(Promise.resolve());
        const servers = ["r1", "r2"].map((name) => openServer(fleet, { name, turn }));
        const asked = Array.from({ length: many }, async (_, at) => {
          const desk = servers[at % 2]?.desk;
          return await desk?.enrol({ secret, host: "a" }).catch((error: unknown) => (error as BerthError).code);
        });
        const answers = await scheduler.waitFor(Promise.all(asked));
        const given = answers.filter((answer) => typeof answer === "object");
        assert.equal(given.length, 1);
        assert.equal(answers.filter((answer) => answer === "enrolment_refused").length, many - 1);
        await setup.replica.reached(fleet.journal.revision);
        assert.equal(setup.desk.authenticate(given[0]?.credential ?? ""), "a");
        for (const { replica } of [setup, ...servers]) replica.close();
      }),
      { numRuns: 50 },
    );
  });
});

describe("desired state", () => {
  const STEP = fc.oneof(
    fc.record({ kind: fc.constantFrom("put" as const, "ask" as const), at: AT, claim: fc.nat(2) }),
    fc.record({ kind: fc.constantFrom("stop" as const, "resume" as const), at: AT, claim: fc.constant(0) }),
  );

  it("P3: what an agent is told never goes back, and when nothing is new it has what is wanted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 30 }), async (steps) => {
        const fleet = openFleet();
        const servers = ["r1", "r2"].map((name) => openServer(fleet, { name }));
        const [first] = servers;
        assert.ok(first !== undefined);
        await enrolHost(first, "a");
        await first.desk.hello("a", helloOf("a", "s1"));
        const writer = new MemoryStore(fleet.journal);
        const resumes = new Map<number, () => void>();
        const states = new Map<number, string>();
        let [seen, told]: [{ epoch: string; revision: number } | undefined, string] = [undefined, "[]"];
        const ask = async (server: TestServer): Promise<void> => {
          const before = seen?.revision ?? 0;
          const request = { session: "s1", waitMs: 0, ...(seen === undefined ? {} : { seen }) };
          const answer = await server.desk.desired("a", request, new AbortController().signal);
          if (answer.kind === "state") {
            assert.ok(answer.state.cursor.revision >= before);
            seen = answer.state.cursor;
            told = JSON.stringify(answer.state.claims.map(({ claim }) => [claim.id, claim.fence]));
          } else if (answer.cursor.revision > before) seen = { ...answer.cursor };
          // What it was told is what was wanted at the revision that it has seen.
          const wanted = [...states].filter(([revision]) => revision <= (seen?.revision ?? 0)).at(-1)?.[1];
          assert.equal(told, wanted ?? "[]");
        };
        for (const { kind, at, claim } of steps) {
          const server = servers[at];
          assert.ok(server !== undefined);
          if (kind === "stop") {
            resumes.get(at)?.();
            resumes.set(at, server.replica.stop());
          } else if (kind === "resume") {
            resumes.get(at)?.();
            await new Promise((resolve) => setImmediate(resolve));
          } else if (kind === "ask") await ask(server);
          else {
            const state = claim === 2 ? "released" : "bound";
            const value = JSON.stringify({ id: "c", host: "a", state, fence: claim });
            const { revision } = await writer.transact({
              compares: [],
              writes: [{ kind: "put", key: "claim/c", value }],
            });
            states.set(revision, state === "bound" ? JSON.stringify([["c", claim]]) : "[]");
          }
        }
        for (const resume of resumes.values()) resume();
        for (const { replica } of servers) await replica.reached(fleet.journal.revision);
        for (const server of servers) await ask(server);
        assert.equal(told, [...states.values()].at(-1) ?? "[]");
        for (const server of servers) await server.close();
      }),
      { numRuns: 60 },
    );
  });
});
