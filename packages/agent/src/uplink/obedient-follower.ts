// SPDX-License-Identifier: Apache-2.0

import { absent, known } from "@berth/core/device/evidence";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { AgentEvent, AgentNotice, DesiredState } from "@berth/core/provision/desired-state";
import type { Followed, Follower } from "../follow/follower.ts";
import type { Clock } from "./clock.ts";

/** A host in memory that does what it is told, and what a test saw of it. */
export interface ObedientFollower extends Follower {
  /** Claims that stand on the host. */
  readonly made: Set<string>;
  /** Something that nobody told anybody. */
  stranger: string;
  /** Every event in the order in which it became true. */
  readonly happened: AgentEvent[];
  /** What must never be: two looks at once, a look in the middle of a change, two changes at once. */
  readonly collisions: string[];
  readonly scans: number[];
  /** When the host was changed. */
  readonly changes: number[];
  isBroken: boolean;
  /** Why what a crash left cannot be settled. */
  recovery: string | undefined;
  inTheWay: readonly AgentNotice[];
  /** Events that nobody has acknowledged. */
  readonly waiting: () => number;
}

const ALWAYS = new AbortController().signal;

/** Makes a host on which a look takes 5 ms and each change 50 ms. */
export function obedientFollower(clock: Clock, host: string): ObedientFollower {
  const waiting = new Map<string, AgentEvent[]>();
  const occupy = makeOccupancy((collision) => follower.collisions.push(collision));
  const say = (event: AgentEvent): void => {
    follower.happened.push(event);
    waiting.set(event.claim, [...(waiting.get(event.claim) ?? []), event]);
  };
  const follower: ObedientFollower = {
    ...untouched(),
    waiting: () => [...waiting.values()].flat().length,
    highestFence: 0,
    recover: async () => {
      if (follower.recovery !== undefined) throw new Error(follower.recovery);
      return [];
    },
    follow: (desired, signal = ALWAYS) =>
      occupy("follow", async () => {
        const hasChanged = await followAll({ follower, clock, say }, desired, signal);
        return {
          events: [...waiting.values()].flat(),
          notices: follower.inTheWay,
          probes: [],
          hasChanged,
        } satisfies Followed;
      }),
    acknowledge: async (events) => {
      for (const { claim } of events) {
        waiting.set(
          claim,
          (waiting.get(claim) ?? []).filter((event) => !events.includes(event)),
        );
      }
    },
    readSnapshot: () =>
      occupy("scan", async () => {
        follower.scans.push(clock.now());
        const seen = snapshotOf(follower, host);
        await clock.sleep(5, ALWAYS);
        if (follower.isBroken) throw new Error("EIO: the host cannot be read");
        return seen;
      }),
  };
  return follower;
}

/** A host to which nothing has happened yet. */
function untouched(): Omit<ObedientFollower, keyof Follower | "waiting"> {
  return {
    made: new Set(),
    stranger: "",
    happened: [],
    collisions: [],
    scans: [],
    changes: [],
    isBroken: false,
    recovery: undefined,
    inTheWay: [],
  };
}

/** Notes whatever happens while something else does. */
function makeOccupancy(note: (collision: string) => void): <T>(what: string, task: () => Promise<T>) => Promise<T> {
  let busy: string | undefined;
  return async (what, task) => {
    if (busy !== undefined) note(`${what} during ${busy}`);
    busy = what;
    try {
      return await task();
    } finally {
      busy = undefined;
    }
  };
}

interface Hands {
  readonly follower: ObedientFollower;
  readonly clock: Clock;
  readonly say: (event: AgentEvent) => void;
}

async function followAll(
  { follower, clock, say }: Hands,
  desired: DesiredState,
  signal: AbortSignal,
): Promise<boolean> {
  let hasChanged = false;
  for (const { claim } of desired.claims) {
    const isWanted = claim.state === "provisioning";
    if (signal.aborted || isWanted === follower.made.has(claim.id)) continue;
    await clock.sleep(50, ALWAYS);
    follower.changes.push(clock.now());
    hasChanged = true;
    if (isWanted) follower.made.add(claim.id);
    else follower.made.delete(claim.id);
    const reason = { code: "change", text: String(follower.changes.length) };
    say({ claim: claim.id, event: isWanted ? "provisioned" : "cleared", fence: claim.fence, reason });
  }
  return hasChanged;
}

/** A host on which every claim that stands is a fact, and how often it was changed; the event of a change says that too. */
export function snapshotOf({ made, stranger, changes }: ObedientFollower, host: string): HostSnapshot {
  const at = { host, source: "sysfs", path: "/sys/made", text: "yes" } as const;
  const nothing = absent({ host, source: "sysfs", path: "/etc/os-release" });
  return {
    host,
    kernel: { release: nothing, version: nothing },
    os: nothing,
    parents: [],
    devices: [],
    functions: [],
    modules: [],
    virtualMachines: [],
    uses: [],
    unseenUsers: [],
    facts: Object.fromEntries([
      ...[...made].sort().map((claim) => [`made_${claim}`, known("yes", at)]),
      ["changes", known(String(changes.length), { ...at, text: String(changes.length) })],
      ["stranger", known(stranger, { ...at, text: stranger })],
    ]),
    problems: [],
  };
}
