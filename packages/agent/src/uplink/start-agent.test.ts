// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim } from "@berth/core/claim/claim";
import type { WantedClaim } from "@berth/core/provision/desired-state";
import type { AgentLogLine } from "./agent-log.ts";
import type { AgentParts, RunningAgent } from "./agent-parts.ts";
import { FrailServer } from "./frail-server.ts";
import { obedientFollower, type ObedientFollower } from "./obedient-follower.ts";
import { RESCAN_MS } from "./scan-schedule.ts";
import { simulatedClock, type SimulatedClock } from "./simulated-clock.ts";
import { startAgent } from "./start-agent.ts";

function wanted(id: string, state: "provisioning" | "releasing" = "provisioning"): WantedClaim {
  return { claim: { id, state, fence: 1 } as Claim };
}

interface Stage {
  readonly clock: SimulatedClock;
  readonly server: FrailServer;
  readonly follower: ObedientFollower;
  readonly agent: RunningAgent;
  readonly lines: AgentLogLine[];
  readonly hint: () => void;
  /** Requests that arrived, without the polls. */
  readonly said: () => readonly string[];
  readonly parts: AgentParts;
}

/** An agent with servers, welcome after 20 ms unless the network is told otherwise. */
function stage(
  options: {
    readonly places?: readonly string[];
    readonly set?: (server: FrailServer) => void;
    readonly recovery?: string;
    readonly rescanMs?: number;
    readonly rest?: () => void;
  } = {},
): Stage {
  const clock = simulatedClock();
  const server = new FrailServer(clock, "h1");
  options.set?.(server);
  const follower = obedientFollower(clock, "h1");
  follower.recovery = options.recovery;
  const lines: AgentLogLine[] = [];
  const listeners = new Set<() => void>();
  const parts: AgentParts = {
    servers: (options.places ?? ["a"]).map((place) => server.line(place)),
    follower,
    host: "h1",
    version: "1.0.0",
    generation: 1,
    session: "s1",
    clock,
    random: () => 0.5,
    rescanMs: options.rescanMs ?? RESCAN_MS,
    ...(options.rest === undefined ? {} : { rest: options.rest }),
    log: (line) => lines.push(line),
    changes: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
  };
  const agent = startAgent(parts);
  const hint = (): void => listeners.forEach((listener) => listener());
  const said = (): readonly string[] => server.arrived.map(({ what }) => what).filter((what) => what !== "desired");
  return { clock, server, follower, agent, lines, hint, said, parts };
}

async function stopAt({ agent, clock }: Pick<Stage, "agent" | "clock">): Promise<void> {
  const stopped = agent.stop();
  await clock.run(5_000);
  await stopped;
}

describe("startAgent()", () => {
  it("rests when a look was reported and told, and there is nothing to do", async () => {
    const rests: string[] = [];
    const all = stage({ rest: () => rests.push(all.said().join(" ")) });
    await all.clock.run(100_000);
    const looks = ["hello snapshot snapshot tell", "unchanged", "unchanged", "unchanged"];
    assert.deepEqual(
      rests,
      looks.map((_look, index) => looks.slice(0, index + 1).join(" ")),
    );
    await stopAt(all);
  });

  it("says hello, reports once, then digests alone", async () => {
    const all = stage();
    await all.clock.run(100_000);
    const first = ["hello", "snapshot", "snapshot"];
    assert.deepEqual(all.said().slice(0, 3), first);
    assert.deepEqual(new Set(all.said().slice(3)), new Set(["tell", "unchanged"]));
    assert.equal(all.follower.scans.length, 4);
    assert.deepEqual(all.agent.status, { state: "welcome", server: "a" });
    await stopAt(all);
    assert.deepEqual(all.agent.status, { state: "stopped" });
  });

  it("reports what it made before it tells so", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.server.want([wanted("c1"), wanted("c2")]);
    await all.clock.run(1_000);
    assert.deepEqual(
      all
        .said()
        .slice(-2)
        .map((what) => what === "tell"),
      [false, true],
    );
    assert.deepEqual(
      all.server.heard.map(({ event, snapshot }) => [
        event.claim,
        event.event,
        Object.hasOwn(snapshot?.facts ?? {}, `made_${event.claim}`),
      ]),
      [
        ["c1", "provisioned", true],
        ["c2", "provisioned", true],
      ],
    );
    await stopAt(all);
  });

  it("keeps events back while their change is not reported, and tells notices meanwhile", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.follower.isBroken = true;
    all.server.want([wanted("c1")]);
    await all.clock.run(20_000);
    assert.equal(all.server.heard.length, 0);
    assert.deepEqual(
      all.server.notices.map(({ reason }) => reason),
      [{ code: "scan_failed", text: "EIO: the host cannot be read" }],
    );
    all.follower.isBroken = false;
    await all.clock.run(40_000);
    assert.deepEqual(
      all.server.heard.map(({ event }) => event.event),
      ["provisioned"],
    );
    assert.deepEqual(all.server.notices, []);
    await stopAt(all);
  });

  it("looks once for a flock of hints, and once a second under a storm of them", async () => {
    const all = stage();
    await all.clock.run(5_000);
    const before = all.follower.scans.length;
    for (let count = 0; count < 10; count++) all.hint();
    await all.clock.run(190);
    assert.equal(all.follower.scans.length - before, 0);
    await all.clock.run(1_000);
    assert.equal(all.follower.scans.length - before, 1);
    for (let count = 0; count < 100; count++) {
      all.hint();
      await all.clock.run(100);
    }
    const inStorm = all.follower.scans.length - before - 1;
    assert.ok(inStorm >= 8 && inStorm <= 10, String(inStorm));
    await all.clock.run(1_500);
    const afterStorm = all.follower.scans.length;
    await all.clock.run(8_000);
    assert.equal(all.follower.scans.length, afterStorm);
    await stopAt(all);
  });

  it("reports a hinted change without waiting for the rescan", async () => {
    const all = stage();
    await all.clock.run(5_000);
    all.follower.stranger = "came";
    all.hint();
    await all.clock.run(300);
    const shown = all.server.snapshot?.facts["stranger"];
    assert.equal(shown?.kind === "known" && shown.value, "came");
    await stopAt(all);
  });

  it("turns to the next server when one is slow, and stays there", async () => {
    const all = stage({
      places: ["a", "b"],
      set: (server) => (server.fate = (_what, place) => (place === "a" ? "is lost" : "arrives")),
    });
    await all.clock.run(9_900);
    assert.deepEqual(all.agent.status, { state: "connecting" });
    await all.clock.run(1_000);
    assert.deepEqual(all.agent.status, { state: "welcome", server: "b" });
    all.server.fate = () => "arrives";
    await all.clock.run(200_000);
    assert.deepEqual(new Set(all.server.arrived.map(({ place }) => place)), new Set(["b"]));
    assert.deepEqual(
      all.lines.map(({ code }) => code),
      ["server_unreachable", undefined],
    );
    await stopAt(all);
  });

  it("says hello again with the same session when its server is gone, and goes on with digests", async () => {
    const all = stage({ places: ["a", "b"] });
    await all.clock.run(50_000);
    all.server.fate = (_what, place) => (place === "a" ? "is refused" : "arrives");
    await all.clock.run(70_000);
    const atB = all.server.arrived.filter(({ place, what }) => place === "b" && what !== "desired");
    assert.deepEqual(
      atB.slice(0, 2).map(({ what }) => what),
      ["hello", "unchanged"],
    );
    assert.equal(all.server.session, "s1");
    await stopAt(all);
  });

  it("pauses longer and longer while no server answers, up to 30 s", async () => {
    const all = stage({ places: ["a", "b"] });
    const tries: number[] = [];
    await all.clock.run(40_000);
    all.server.fate = () => {
      tries.push(all.clock.now());
      return "is refused";
    };
    await all.clock.run(400_000);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    assert.ok(Math.max(...gaps) > 20_000 && Math.max(...gaps) <= 30_010, gaps.join());
    assert.ok(tries.length < 30, String(tries.length));
    await stopAt(all);
  });

  it("turns to another server without a pause when one is gone that served for long", async () => {
    const all = stage({ places: ["a", "b"], set: (server) => (server.fate = () => "is refused") });
    await all.clock.run(120_000);
    all.server.fate = () => "arrives";
    await all.clock.run(120_000);
    const { status } = all.agent;
    assert.equal(status.state, "welcome");
    const gone = status.state === "welcome" ? status.server : "";
    all.server.fate = (_what, place) => (place === gone ? "is refused" : "arrives");
    all.follower.stranger = "came";
    all.hint();
    await all.clock.run(1_500);
    assert.deepEqual(all.agent.status, { state: "welcome", server: gone === "a" ? "b" : "a" });
    await stopAt(all);
  });

  it("is back soon after each of many short restarts of its server", async () => {
    const all = stage();
    await all.clock.run(1_000);
    for (let restart = 0; restart < 12; restart++) {
      all.server.fate = () => "is refused";
      all.server.refuse("store_unavailable");
      await all.clock.run(1_000);
      all.server.refuse(undefined);
      all.server.fate = () => "arrives";
      await all.clock.run(1_600);
      assert.equal(all.agent.status.state, "welcome", `after restart ${restart}`);
    }
    await stopAt(all);
  });

  it("comes back more and more slowly to a server that welcomes it and takes no report", async () => {
    const all = stage();
    await all.clock.run(1_000);
    // The session in which a report was taken is not this one.
    all.server.reportRefusal = "store_unavailable";
    all.hint();
    await all.clock.run(120_000);
    const hellos = all.server.arrived.filter(({ what }) => what === "hello").length;
    assert.ok(hellos >= 7 && hellos <= 12, String(hellos));
    await stopAt(all);
  });

  it("does not go back to an older cursor that a server which lags answers with", async () => {
    const all = stage({ places: ["a"] });
    await all.clock.run(1_000);
    all.server.want([wanted("c1")]);
    await all.clock.run(5_000);
    const { cursor } = all.server.desired;
    const asked: number[] = [];
    const line = all.server.line("a");
    const lagging = {
      ...line.client,
      desired: async (request: Parameters<typeof line.client.desired>[0]) => {
        asked.push(request.seen?.revision ?? 0);
        await all.clock.sleep(10, new AbortController().signal);
        return { kind: "same", cursor: { ...cursor, revision: cursor.revision - 1 } } as const;
      },
    };
    Object.assign(all.parts.servers[0]?.client ?? {}, lagging);
    all.server.want([]);
    await all.clock.run(5_000);
    assert.ok(asked.length > 2);
    assert.deepEqual(new Set(asked), new Set([cursor.revision + 1]));
    await stopAt(all);
  });

  it("stays unwelcome while the servers cannot be reached", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.server.refuse("agent_revoked");
    await all.clock.run(1_000);
    all.server.fate = () => "is refused";
    await all.clock.run(200_000);
    assert.deepEqual(all.agent.status, { state: "unwelcome", server: "a", code: "agent_revoked" });
    await stopAt(all);
  });

  it("follows nothing before a server of this session confirms it", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.server.want([wanted("c1")]);
    await all.clock.run(10_000);
    assert.equal(all.follower.changes.length, 1);
    all.server.fate = () => "is refused";
    await all.clock.run(60_000);
    all.follower.made.clear();
    all.server.fate = (what) => (what === "desired" ? "is lost" : "arrives");
    await all.clock.run(120_000);
    assert.ok(all.server.arrived.filter(({ what }) => what === "hello").length > 1);
    assert.equal(all.follower.changes.length, 1);
    all.server.fate = () => "arrives";
    await all.clock.run(90_000);
    assert.ok(all.follower.made.has("c1"));
    await stopAt(all);
  });

  const UNWELCOME = [
    "agent_revoked",
    "agent_conflict",
    "agent_not_authenticated",
    "hello_old_generation",
    "protocol_unsupported",
  ] as const;
  for (const code of UNWELCOME) {
    it(`changes nothing after ${code}, says so once, and comes back when it is lifted`, async () => {
      const all = stage({ places: ["a", "b"] });
      await all.clock.run(1_000);
      all.server.refuse(code);
      all.server.want([wanted("c1")]);
      await all.clock.run(400_000);
      assert.deepEqual(all.follower.changes, []);
      assert.equal(all.agent.status.state, "unwelcome");
      assert.equal(all.lines.filter((line) => line.code === code).length, 1);
      const hellos = all.server.arrived.filter(({ what, atMs }) => what === "hello" && atMs > 1_000).length;
      assert.ok(hellos >= 5 && hellos <= 10, String(hellos));
      all.server.refuse(undefined);
      await all.clock.run(70_000);
      assert.deepEqual(
        all.server.heard.map(({ event }) => event.event),
        ["provisioned"],
      );
      await stopAt(all);
    });
  }

  it("takes a refusal in a welcome's place for what it says", async () => {
    const known = { host: "h1", generation: 5, sequence: 1, digest: "x", inventory: undefined as never };
    const all = stage({ set: (server) => (server.state = known) });
    await all.clock.run(1_000);
    assert.deepEqual(all.agent.status, { state: "unwelcome", server: "a", code: "hello_old_generation" });
    await stopAt(all);
  });

  it("breaks off what it does to the host when it is revoked, and goes on when it is welcome again", async () => {
    const all = stage({ rescanMs: 3_600_000 });
    await all.clock.run(1_000);
    all.server.want([wanted("c1"), wanted("c2"), wanted("c3")]);
    await all.clock.run(70);
    all.server.refuse("agent_revoked");
    await all.clock.run(10_000);
    assert.ok(all.follower.made.size < 3, String(all.follower.made.size));
    all.server.refuse(undefined);
    await all.clock.run(60_000);
    assert.equal(all.follower.made.size, 3);
    await stopAt(all);
  });

  it("says hello again once when its session was replaced, which shows a copy", async () => {
    const all = stage();
    await all.clock.run(1_000);
    const copy = startAgent({ ...all.parts, servers: [all.server.line("a")], session: "s2" });
    await all.clock.run(60_000);
    assert.deepEqual(all.agent.status, { state: "unwelcome", server: "a", code: "agent_conflict" });
    assert.ok(all.lines.some(({ code }) => code === "agent_conflict"));
    await stopAt({ agent: copy, clock: all.clock });
    await stopAt(all);
  });

  it("does not say a refused event again", async () => {
    const all = stage({ set: (server) => server.eventRefusals.set("c1", "claim_ended") });
    all.server.want([wanted("c1")]);
    await all.clock.run(200_000);
    assert.equal(all.server.heard.length, 1);
    assert.ok(all.lines.some(({ code }) => code === "claim_ended"));
    await stopAt(all);
  });

  it("stops in the middle of a change only when that has come to its end", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.server.want([wanted("c1")]);
    await all.clock.run(20);
    let isStopped = false;
    const stopped = all.agent.stop().then(() => (isStopped = true));
    await all.clock.run(10);
    assert.equal(isStopped, false);
    await all.clock.run(1_000);
    await stopped;
    assert.deepEqual([...all.follower.made], ["c1"]);
    const { length } = all.server.arrived;
    await all.clock.run(100_000);
    assert.equal(all.server.arrived.length, length);
  });

  it("tells once, and again to every server that welcomes it, what is in the way", async () => {
    const all = stage({ places: ["a", "b"] });
    const notice = { claim: "c9", reason: { code: "in_use", text: "Somebody uses it" } };
    all.follower.inTheWay = [notice];
    await all.clock.run(100_000);
    assert.deepEqual(all.server.notices, [notice]);
    assert.equal(all.said().filter((what) => what === "tell").length, 1);
    all.server.fate = (_what, place) => (place === "a" ? "is refused" : "arrives");
    await all.clock.run(100_000);
    assert.equal(all.said().filter((what) => what === "tell").length, 2);
    all.follower.inTheWay = [];
    await all.clock.run(100_000);
    assert.deepEqual(all.server.notices, []);
    await stopAt(all);
  });

  it("begins nothing new until what a crash left is settled, shows that, and still reports", async () => {
    const again = stage({ recovery: "Journal c7 is damaged", set: (server) => server.want([wanted("c1")]) });
    await again.clock.run(50_000);
    assert.deepEqual(again.follower.changes, []);
    assert.deepEqual(again.server.notices, [{ reason: { code: "recovery_failed", text: "Journal c7 is damaged" } }]);
    assert.ok(again.server.state !== undefined);
    again.follower.recovery = undefined;
    await again.clock.run(70_000);
    assert.deepEqual(
      again.server.heard.map(({ event }) => event.event),
      ["provisioned"],
    );
    assert.deepEqual(again.server.notices, []);
    await stopAt(again);
  });

  it("shows a report that the server does not take, and tells events all the same", async () => {
    const all = stage();
    await all.clock.run(1_000);
    all.server.reportRefusal = "report_too_large";
    all.server.want([wanted("c1")]);
    await all.clock.run(1_000);
    assert.deepEqual(
      all.server.heard.map(({ event }) => event.event),
      ["provisioned"],
    );
    assert.deepEqual(
      all.server.notices.map(({ reason }) => reason.code),
      ["report_refused"],
    );
    all.server.reportRefusal = undefined;
    await all.clock.run(70_000);
    assert.deepEqual(all.server.notices, []);
    assert.equal(all.server.arrived.filter(({ what }) => what === "hello").length, 1);
    await stopAt(all);
  });

  it("does not ask without a pause where a server answers every poll at once", async () => {
    const all = stage({ set: (server) => (server.isHasty = true) });
    await all.clock.run(60_000);
    const polls = all.server.arrived.filter(({ what }) => what === "desired").length;
    assert.ok(polls > 30 && polls < 70, String(polls));
    await stopAt(all);
  });

  it("takes no state that is another host's", async () => {
    const all = stage({
      set: (server) => (server.desired = { ...server.desired, host: "h2", claims: [wanted("c1")] }),
    });
    await all.clock.run(60_000);
    assert.deepEqual(all.follower.changes, []);
    assert.ok(all.lines.some(({ code }) => code === "server_answer_malformed"));
    await stopAt(all);
  });

  it("acknowledges what was answered and nothing else", async () => {
    const all = stage();
    all.server.fate = (what) => (what === "tell" ? "is refused" : "arrives");
    all.server.want([wanted("c1")]);
    await all.clock.run(20_000);
    assert.equal(all.follower.waiting(), 1);
    all.server.fate = () => "arrives";
    await all.clock.run(40_000);
    assert.equal(all.follower.waiting(), 0);
    await stopAt(all);
  });

  it("refuses to start without a server", () => {
    const all = stage();
    assert.throws(() => startAgent({ ...all.parts, servers: [] }), RangeError);
  });
});
