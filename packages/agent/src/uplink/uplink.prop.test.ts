// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Claim } from "@berth/core/claim/claim";
import type { AgentEvent } from "@berth/core/provision/desired-state";
import { splitSnapshot } from "@berth/core/report/split-snapshot";
import type { RunningAgent } from "./agent-parts.ts";
import { FrailServer, type Fate } from "./frail-server.ts";
import { obedientFollower, snapshotOf, type ObedientFollower } from "./obedient-follower.ts";
import { simulatedClock, type SimulatedClock } from "./simulated-clock.ts";
import { startAgent } from "./start-agent.ts";

const CLAIMS = ["c1", "c2", "c3"];

/** One thing that happens, and the milliseconds until the next. */
type Happening =
  | { readonly kind: "want"; readonly states: readonly ("provisioning" | "releasing" | "gone")[] }
  | { readonly kind: "stranger"; readonly what: string }
  | { readonly kind: "hint" | "restart" | "revoke" | "welcome back" };

const anyHappening: fc.Arbitrary<readonly [Happening, number]> = fc.tuple(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("want" as const),
        states: fc.array(fc.constantFrom("provisioning" as const, "releasing" as const, "gone" as const), {
          minLength: 3,
          maxLength: 3,
        }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("stranger" as const), what: fc.constantFrom("", "a", "b") }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom("hint" as const, "restart" as const, "revoke" as const, "welcome back" as const),
      }),
    },
  ),
  fc.constantFrom(3, 40, 900, 12_000, 45_000),
);

const anyFates: fc.Arbitrary<readonly Fate[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant("arrives" as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Fate>("is lost", "answer is lost", "arrives twice", "is delayed", "is refused"),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

/** A host, its agent's lives one after the other, and two replicas of a control plane. */
class Play {
  readonly clock: SimulatedClock = simulatedClock();
  readonly server: FrailServer = new FrailServer(this.clock, "h1");
  readonly follower: ObedientFollower = obedientFollower(this.clock, "h1");
  readonly #listeners = new Set<() => void>();
  #life = 0;
  agent: RunningAgent = this.#start();
  isRevoked = false;
  /** Changes of the host after its agent must have heard that it is revoked. */
  readonly forbidden: number[] = [];

  #start(): RunningAgent {
    this.#life += 1;
    return startAgent({
      servers: ["a", "b"].map((place) => this.server.line(place)),
      follower: this.follower,
      host: "h1",
      version: "1",
      generation: this.#life,
      session: `s${this.#life}`,
      clock: this.clock,
      random: () => 0.5,
      log: () => undefined,
      changes: {
        subscribe: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      },
    });
  }

  async happen(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case "want":
        this.server.want(
          CLAIMS.flatMap((id, at) => {
            const state = happening.states[at];
            return state === "gone" || state === undefined ? [] : [{ claim: { id, state, fence: 1 } as Claim }];
          }),
        );
        return;
      case "stranger":
        this.follower.stranger = happening.what;
        return;
      case "hint":
        for (const listener of this.#listeners) listener();
        return;
      case "restart":
        await this.restart();
        return;
      case "revoke":
        this.isRevoked = true;
        this.server.refuse("agent_revoked");
        return;
      case "welcome back":
        this.isRevoked = false;
        this.server.refuse(undefined);
    }
  }

  async restart(): Promise<void> {
    const stopped = this.agent.stop();
    await this.clock.run(1_000);
    await stopped;
    this.server.cut();
    this.agent = this.#start();
  }

  /** Lets time pass; what an agent does that was told that it is revoked is noted. */
  async pass(ms: number): Promise<void> {
    const wasUnwelcome = this.isRevoked && this.agent.status.state === "unwelcome";
    const before = this.follower.changes.length;
    await this.clock.run(ms);
    // A step that was under way when it was told may end.
    if (wasUnwelcome) this.forbidden.push(...this.follower.changes.slice(before + 1));
  }
}

async function play(happenings: readonly (readonly [Happening, number])[], fates: readonly Fate[]): Promise<Play> {
  const all = new Play();
  let asked = 0;
  all.server.fate = () => fates[asked++ % fates.length] as Fate;
  for (const [happening, ms] of happenings) {
    await all.happen(happening);
    await all.pass(ms);
  }
  all.server.fate = () => "arrives";
  await all.happen({ kind: "welcome back" });
  await all.pass(300_000);
  const stopped = all.agent.stop();
  await all.clock.run(1_000);
  await stopped;
  return all;
}

interface Heard {
  readonly event: AgentEvent;
  /** How often the host had been changed when the server last was shown it. */
  readonly shown: number;
}

/** What a server heard, each event when it came first; every change has one event, which says the how many-th it is. */
function firstHeard({ heard }: FrailServer): readonly Heard[] {
  const seen = new Set<string>();
  return heard.flatMap(({ event, snapshot }) => {
    const which = event.reason?.text ?? "";
    if (seen.has(which)) return [];
    seen.add(which);
    const shown = snapshot?.facts["changes"];
    return [{ event, shown: shown?.kind === "known" ? Number(shown.value) : -1 }];
  });
}

describe("an agent and its servers, whatever the network does", () => {
  it("U1 to U5", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyHappening, { maxLength: 12 }), anyFates, async (happenings, fates) => {
        const { server, follower, forbidden } = await play(happenings, fates);
        // U1: once the network is calm, the server has what the host shows.
        const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
        assert.equal(server.state?.digest, splitSnapshot(snapshotOf(follower, "h1"), hash).digest);
        // U2: every event is told at least once, and those of a claim in the order in which they happened.
        const heard = firstHeard(server);
        for (const claim of CLAIMS) {
          const told = heard.map(({ event }) => event).filter((event) => event.claim === claim);
          assert.deepEqual(
            told,
            follower.happened.filter((event) => event.claim === claim),
          );
        }
        // U3: nobody looks at a host twice at once, nor in the middle of a change.
        assert.deepEqual(follower.collisions, []);
        // U4: who hears of a device for the first time finds it in the inventory.
        for (const { event, shown } of heard) assert.ok(shown >= Number(event.reason?.text), `${shown}`);
        // U5: an agent that was told that it is revoked changes nothing more on its host.
        assert.deepEqual(forbidden, []);
      }),
      { numRuns: 150 },
    );
  });
});
