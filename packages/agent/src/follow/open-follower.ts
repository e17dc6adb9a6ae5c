// SPDX-License-Identifier: Apache-2.0

import type { ClaimReason } from "@berth/core/claim/claim";
import type { HostSnapshot } from "@berth/core/device/host-snapshot";
import type { AgentNotice, DesiredState, ProbeReply } from "@berth/core/provision/desired-state";
import type { ParentFacts } from "@berth/core/provision/host-facts";
import type { SysfsTree } from "../host/sysfs-tree.ts";
import type { CommandRunner } from "../provision/command-runner.ts";
import { makePrivateDirectory } from "../provision/durable-file.ts";
import type { Use } from "../provision/effects.ts";
import { openFenceFile } from "../provision/fence-file.ts";
import type { HostWriter } from "../provision/host-writer.ts";
import type { Mdevctl } from "../provision/mdevctl.ts";
import { makePoolLocks } from "../provision/pool-lock.ts";
import { askProbe } from "./ask-probe.ts";
import { openDesiredFile } from "./desired-file.ts";
import { followClaim } from "./follow-claim.ts";
import type { Followed, Follower } from "./follower.ts";
import { makeHostEye } from "./host-eye.ts";
import { openJournalBook, openJournalShelf } from "./journal-book.ts";
import type { JournalShelf } from "./journal-book.ts";
import { forgetEnded, forgetFences, recoverRun, tidyLeftovers } from "./leftovers.ts";
import { listOwners } from "./owner-names.ts";
import { makePauses } from "./pauses.ts";
import { explainTrouble } from "./said.ts";
import { addFacts, readSettledHost } from "./read-settled.ts";
import type { FoundFacts } from "./read-settled.ts";
import { openRefusalFile } from "./refusal-file.ts";
import type { Workbench } from "./workbench.ts";

/** What a follower needs of its host. */
export interface FollowerParts {
  /** The host's name in the fleet. */
  readonly host: string;
  /** Opens a fresh look at the host. */
  readonly look: () => SysfsTree;
  readonly writer: HostWriter;
  readonly runner: CommandRunner;
  /** As `findMdevctl` found it. */
  readonly mdevctl: Mdevctl;
  /** Who is asked to make mdev devices. Where mdevctl cannot be used they are made in sysfs, and `log` is told. */
  readonly tool: ParentFacts["tool"];
  /** Durable, and this agent's alone: journals, fences, refusals and the newest desired state. */
  readonly stateDirectory: string;
  /** Whether a device is in use this very moment; asked before it is taken away. */
  readonly useOf: (identity: string) => Use;
  /** Facts of the host that its files do not show. */
  readonly readFacts?: () => Promise<FoundFacts>;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Left out: the journals of the state directory. */
  readonly shelf?: JournalShelf;
}

/**
 * Opens what a host remembers and follows desired states from there on. One follower at a time for a state directory.
 * Throws SyntaxError where fences, refusals or the newest desired state are damaged: an operator has to look, for
 * without them old orders would be followed again. Throws what the file system throws.
 */
export function openFollower(parts: FollowerParts): Follower {
  makePrivateDirectory(parts.stateDirectory);
  const bench = openBench(parts);
  const probes = new Map<string, ProbeReply>();
  const readAll = makeLockedReading(bench, parts);
  /** Follows and acknowledgements come one after the other. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const turn = last.then(task, task);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    recover: () => inTurn(() => recoverAll(bench)),
    follow: (desired, signal) =>
      inTurn(() => {
        const order = { desired, ...(signal === undefined ? {} : { signal }) };
        return followState({ bench, probes, host: parts.host }, order);
      }),
    acknowledge: (events) =>
      inTurn(async () => {
        const ended = events.filter(({ event }) => event === "refused" || event === "cleared");
        for (const { claim } of ended) forgetEnded(bench, claim);
      }),
    readSnapshot: async () => {
      const found = await parts.readFacts?.();
      const snapshot = await readAll();
      return found === undefined ? snapshot : addFacts(snapshot, found);
    },
    get highestFence() {
      return Math.max(bench.newest.highestFence, 0, ...bench.fences.seen.values());
    },
  };
}

function openBench(parts: FollowerParts): Workbench {
  const { host, look, mdevctl, now, log, stateDirectory } = parts;
  const tool = parts.tool === "mdevctl" && mdevctl.kind === "usable" ? "mdevctl" : "sysfs";
  if (tool !== parts.tool && mdevctl.kind === "unusable") {
    log(`mdevctl was asked for and cannot be used, devices are made in sysfs: ${mdevctl.why}`);
  }
  const { writer, runner, useOf } = parts;
  return {
    hands: { writer, look, runner, mdevctl, scratch: stateDirectory, useOf },
    eye: makeHostEye({ host, look, tool, now }),
    locks: makePoolLocks(),
    journals: openJournalBook(parts.shelf ?? openJournalShelf(stateDirectory)),
    fences: openFenceFile(stateDirectory),
    refusals: openRefusalFile(stateDirectory),
    newest: openDesiredFile(stateDirectory),
    pauses: makePauses(now),
    log,
  };
}

/**
 * Reads the whole host while nobody is in the middle of changing a pool of it. Whose pools there are is known from the
 * last reading; the host is read again only where it shows an owner that it did not show then and that is being changed.
 */
function makeLockedReading(
  { locks }: Workbench,
  { look, host }: Pick<FollowerParts, "look" | "host">,
): () => Promise<HostSnapshot> {
  let owners: readonly string[] = [];
  /** Reading takes one turn of this process: who holds nothing after it has held nothing during it. */
  const readOnce = async (): Promise<HostSnapshot | undefined> => {
    const snapshot = readSettledHost(look, host);
    const held = new Set(owners);
    owners = listOwners(snapshot);
    const inTheWay = owners.filter((owner) => !held.has(owner) && !locks.isFree(owner));
    if (inTheWay.length === 0) return snapshot;
    owners = [...held, ...inTheWay];
    return undefined;
  };
  return async () => {
    for (;;) {
      const snapshot = await locks.withOwners(owners, readOnce);
      if (snapshot !== undefined) return snapshot;
    }
  };
}

async function recoverAll(bench: Workbench): Promise<readonly AgentNotice[]> {
  bench.eye.blink();
  const notices: AgentNotice[] = [];
  for (const claim of bench.journals.claims()) notices.push(...(await recoverRun(bench, claim)));
  bench.eye.blink();
  return notices;
}

/** What one follower keeps. */
interface Keeping {
  readonly bench: Workbench;
  /** Answers to probes, until they are asked no more. */
  readonly probes: Map<string, ProbeReply>;
  readonly host: string;
}

interface Following {
  readonly desired: DesiredState;
  readonly signal?: AbortSignal;
}

async function followState(keeping: Keeping, following: Following): Promise<Followed> {
  const { bench } = keeping;
  const { desired, signal } = following;
  const { changes } = bench.eye;
  bench.eye.blink();
  const ready = await prepare(keeping, desired);
  if (ready.kind === "refused")
    return { events: [], notices: [{ reason: ready.reason }], probes: [], hasChanged: false };
  const adopted = new Set(desired.adoptedParents);
  const orders = desired.claims.map((wanted) => ({ wanted, adopted, ...(signal === undefined ? {} : { signal }) }));
  // Side by side: the locks of the pool owners keep apart what must not meet, so that a slow one holds up no other.
  const said = await settleAll(orders.map((order) => followClaim(bench, order)));
  const answered = await answerProbes(keeping, following);
  // A look at a large host takes megabytes, and nobody asks for this one again.
  bench.eye.blink();
  return {
    events: said.flatMap(({ events }) => events),
    notices: [...ready.notices, ...said.flatMap(({ notices }) => notices)],
    probes: answered,
    hasChanged: bench.eye.changes > changes,
  };
}

type Ready =
  | { readonly kind: "ready"; readonly notices: readonly AgentNotice[] }
  | { readonly kind: "refused"; readonly reason: ClaimReason };

/** Takes note of a desired state, and looks after what it does not name any more. */
async function prepare({ bench, host }: Keeping, desired: DesiredState): Promise<Ready> {
  const { newest, refusals } = bench;
  if (desired.host !== host) {
    const text = `this is ${host}, and the desired state is ${desired.host}'s`;
    return { kind: "refused", reason: { code: "desired_for_other_host", text } };
  }
  const fences = desired.claims.map(({ claim }) => claim.fence);
  const ids = new Set(desired.claims.map(({ claim }) => claim.id));
  const occupants = desired.claims.flatMap(({ claim }) => claim.devices.map(({ occupant }) => occupant.id));
  try {
    if (newest.admit(desired.cursor, Math.max(0, ...fences)) === "older") {
      const text = `revision ${desired.cursor.revision} is older than ${newest.cursor?.revision}, which was followed`;
      return { kind: "refused", reason: { code: "desired_stale", text } };
    }
    refusals.keepOnly(ids);
    const notices = await tidyLeftovers(bench, ids);
    forgetFences(bench, new Set(occupants));
    return { kind: "ready", notices };
  } catch (error) {
    return { kind: "refused", reason: explainTrouble(error) };
  }
}

/** Waits for all, so that none goes on behind the caller's back, and then throws the first error. */
async function settleAll<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

/** Each probe is asked once, and its answer told until nobody asks any more. */
async function answerProbes(
  { bench, probes }: Keeping,
  { desired, signal }: Following,
): Promise<readonly ProbeReply[]> {
  const asked = new Set(desired.probes.map(({ id }) => id));
  for (const id of probes.keys()) if (!asked.has(id)) probes.delete(id);
  for (const probe of desired.probes) {
    if (signal?.aborted === true) break;
    if (!probes.has(probe.id)) probes.set(probe.id, await askProbe(bench, probe));
  }
  return desired.probes.flatMap(({ id }) => probes.get(id) ?? []);
}
