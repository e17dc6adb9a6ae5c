// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Claim } from "@berth/core/claim/claim";
import type { AgentClient } from "@berth/core/protocol/agent/agent-client";
import { DESIRED_FORMAT, type AgentEvent, type DesiredState } from "@berth/core/provision/desired-state";
import { madeUpCard } from "@berth/core/report/made-up-snapshot";
import type { Follower } from "../follow/follower.ts";
import { simulatedClock, type SimulatedClock } from "./simulated-clock.ts";
import { startAgent } from "./start-agent.ts";

const CYCLES = 10_000;
const SAMPLES = 20;
/** Of the second half, a cycle: less than one event, timer or listener that is kept each time. */
const GROWTH_MAX_BYTES = 64;

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

const HOSTS = [0, 1].map((devices) => madeUpCard({ host: "h1", parents: 2, types: 1, devices }));
const SIGNAL = new AbortController().signal;

/** A host that is another one at every look, and has an event to tell every time. */
function restlessHost(): Follower & { readonly looks: () => number } {
  let looks = 0;
  const event: AgentEvent = { claim: "c1", event: "attached", fence: 1 };
  return {
    looks: () => looks,
    highestFence: 0,
    recover: () => Promise.resolve([]),
    follow: () => Promise.resolve({ events: [event], notices: [], probes: [], hasChanged: false }),
    acknowledge: () => Promise.resolve(),
    readSnapshot: () => Promise.resolve(structuredClone(HOSTS[looks++ % 2]) as (typeof HOSTS)[number]),
  };
}

/** A server that takes everything, remembers nothing and fails every hundredth request. */
function forgetfulServer(clock: SimulatedClock): AgentClient {
  let asked = 0;
  let revision = 1;
  const answer = async <T>(value: T): Promise<T> => {
    asked += 1;
    await clock.sleep(1, SIGNAL);
    if (asked % 100 === 0) throw new Error("connect ECONNREFUSED");
    return value;
  };
  const stateAt = (): DesiredState => ({
    desired: DESIRED_FORMAT,
    host: "h1",
    cursor: { epoch: "e1", revision },
    adoptedParents: [],
    claims: [{ claim: { id: "c1", fence: 1 } as Claim }],
    probes: [],
  });
  return {
    enrol: () => Promise.reject(new Error("Nobody enrols here")),
    hello: () => answer({ kind: "welcome", protocol: 1, features: [] }),
    report: ({ report: { digest, generation, sequence } }) => answer({ kind: "applied", digest, generation, sequence }),
    desired: async ({ waitMs }) => {
      await clock.sleep(waitMs / 2, SIGNAL);
      revision += 1;
      return answer({ kind: "state", state: stateAt() });
    },
    tell: ({ events }) => answer({ events: events.map(({ claim }) => ({ claim, kind: "applied" })) }),
  };
}

describe("an agent that runs for days", () => {
  it(`keeps nothing of ${CYCLES} looks, polls and events`, async (test) => {
    const clock = simulatedClock();
    const follower = restlessHost();
    const agent = startAgent({
      servers: [{ place: "a", client: forgetfulServer(clock) }],
      follower,
      host: "h1",
      version: "1",
      generation: 1,
      session: "s1",
      clock,
      random: () => 0.5,
      log: () => undefined,
    });
    const heaps: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      await clock.run((CYCLES / SAMPLES) * 30_000);
      collect();
      heaps.push(process.memoryUsage().heapUsed);
    }
    const stopped = agent.stop();
    await clock.run(100_000);
    await stopped;
    const half = heaps.slice(SAMPLES / 2);
    const slope = ((half.at(-1) ?? 0) - (half[0] ?? 0)) / ((CYCLES / SAMPLES) * (half.length - 1));
    test.diagnostic(
      `${follower.looks()} looks; heap ${heaps.map((bytes) => (bytes / 2 ** 20).toFixed(2)).join(" ")} MiB`,
    );
    test.diagnostic(`${slope.toFixed(2)} bytes a cycle`);
    assert.ok(follower.looks() >= CYCLES, String(follower.looks()));
    assert.ok(slope < GROWTH_MAX_BYTES, `${slope} bytes a cycle`);
  });
});
